"""CPU a chunk in the client: Headrace's streams and openai-python's, reading from the same upstream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.rig.client_host import READERS
from benchmarks.rig.farend import upstream
from benchmarks.rig.figures import paired_ratio, rotated
from benchmarks.rig.gateways import HEADRACE
from benchmarks.rig.options import Options, main
from benchmarks.rig.result import Claim, Result

STREAMS = 10
QUICK_RUNS = 2
PIECES = 300
CASES = {"burst": "32 chunks each 10 ms a stream", "spread": "a chunk each 10 ms a stream"}
LIMIT_IN_BURSTS = 1 / 20


def measure(options: Options) -> Result:
    """10 streams at once through each client in turn, each in a fresh process, warmed up."""
    runs = min(options.runs, QUICK_RUNS) if options.quick else options.runs
    settings = {"runs": runs, "streams": STREAMS, "events_a_stream": PIECES + 3}
    result = Result("client", "Client: CPU a chunk", settings)
    with upstream() as port, TemporaryDirectory(prefix="bench-client-") as folder:
        config = Path(folder) / "headrace.toml"
        config.write_text(HEADRACE.format(upstream=port))
        for turn in range(runs):
            for behaviour, case in CASES.items():
                for who in rotated(list(READERS), turn):
                    spent = spent_s(config, who, port, f"{behaviour}-{PIECES}")
                    result.add_run(case, who, "us CPU a chunk", spent * 1e6 / (STREAMS * (PIECES + 3)))
    for behaviour, case in CASES.items():
        ratio = paired_ratio(result.runs(case, "headrace"), result.runs(case, "openai"))
        limit = LIMIT_IN_BURSTS if behaviour == "burst" else None
        result.claims.append(Claim(f"{case}: headrace / openai-python", ratio, limit=limit))
    return result


def spent_s(config: Path, who: str, port: int, model: str) -> float:
    """CPU seconds of one client's process for `STREAMS` streams. Raises RuntimeError where it fails."""
    command = [sys.executable, "-m", "benchmarks.rig.client_host", who, str(port), model, str(STREAMS)]
    environment = {**os.environ, "HEADRACE_CONFIG": str(config)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{who} failed on {model}: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout)["spent_s"])


if __name__ == "__main__":
    main("client", measure)
