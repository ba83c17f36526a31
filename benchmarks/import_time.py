"""How long a fresh interpreter takes to import the package, beside the client library it stands in for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

from benchmarks.rig.figures import paired_ratio
from benchmarks.rig.options import Options, main
from benchmarks.rig.result import Claim, Result

STATEMENTS = {
    "nothing": "pass",
    "headrace": "import headrace",
    "headrace.stream_text": "from headrace import stream_text",
    "openai": "import openai",
}
RUNS = 9
LIMIT_S = 0.25


def measure(options: Options) -> Result:
    """Wall and CPU seconds of `python -c STATEMENT`, the interpreter's own start included."""
    runs = options.runs if options.quick else max(options.runs, RUNS)
    result = Result("import_time", "Import in a fresh interpreter", {"runs": runs})
    for statement in STATEMENTS.values():
        spent(statement)  # writes the byte code and fills the page cache
    for _ in range(runs):
        for who, statement in STATEMENTS.items():
            wall_s, cpu_s = spent(statement)
            result.add_run("wall", who, "s", wall_s)
            result.add_run("CPU", who, "s", cpu_s)
    for who, limit_s in {"headrace": LIMIT_S, "headrace.stream_text": None}.items():
        result.claims.append(Claim(f"{who}: wall", median(result.runs("wall", who)), "s", limit_s))
    against = paired_ratio(result.runs("CPU", "headrace.stream_text"), result.runs("CPU", "openai"))
    result.claims.append(Claim("CPU: headrace.stream_text / openai", against))
    return result


def spent(statement: str) -> tuple[float, float]:
    """Wall and CPU seconds of one interpreter. Raises RuntimeError where the statement fails."""
    began_s = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", statement], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{statement!r} failed with exit code {process.returncode}")
    return wall_s, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main("import_time", measure)
