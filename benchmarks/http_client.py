"""The HTTP client below everything: ours on httptools, aiohttp and httpx2 on the same loopback streams.

The choice that it stands for is docs/decisions/2026-11-21-http-client.md.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.rig.farend import upstream
from benchmarks.rig.figures import paired_ratio, rotated
from benchmarks.rig.http_host import READERS
from benchmarks.rig.options import Options, main
from benchmarks.rig.result import Claim, Result

STREAMS = 100
PIECES = 300
WAITING = 1000
CASES = {"burst": "32 chunks each 10 ms a stream", "spread": "a chunk each 10 ms a stream"}
MEMORY = "a waiting stream"


def measure(options: Options) -> Result:
    """CPU a chunk of 100 streams at once, and memory a waiting stream, each client in a fresh process."""
    pieces = 100 if options.quick else PIECES
    settings = {"runs": options.runs, "streams": STREAMS, "events_a_stream": pieces + 3, "waiting": WAITING}
    result = Result("http_client", "HTTP client: CPU a chunk, memory a waiting stream", settings)
    with upstream() as port:
        for turn in range(options.runs):
            for who in rotated(list(READERS), turn):
                for behaviour, case in CASES.items():
                    spent_s = told(who, port, f"{behaviour}-{pieces}", STREAMS, "cpu")
                    result.add_run(case, who, "us CPU a chunk", spent_s * 1e6 / (STREAMS * (pieces + 3)))
                added = told(who, port, "wait-2", WAITING, "memory")
                result.add_run(MEMORY, who, "KB", added / WAITING / 1000)
    for case in (*CASES.values(), MEMORY):
        for who in READERS:
            if who != "headrace":
                ratio = paired_ratio(result.runs(case, "headrace"), result.runs(case, who))
                result.claims.append(Claim(f"{case}: headrace / {who}", ratio, limit=1.0))
    return result


def told(who: str, port: int, model: str, streams: int, task: str) -> float:
    """What one client's process measured. Raises RuntimeError where it fails."""
    command = [sys.executable, "-m", "benchmarks.rig.http_host", who, str(port), model, str(streams), task]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{who} failed on {model}: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout)["value"])


if __name__ == "__main__":
    main("http_client", measure)
