"""Fuzz every target in turn and say how much was tried; exit 1, and keep the input, on a finding."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.corpus import SEEDS, WORDS
from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
FINDINGS = HERE / "findings"
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="for each target (default 300)")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one")
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed here: run `make fuzz`", file=sys.stderr)
        return 2
    good = [fuzz(name, asked.seconds) for name in asked.target or TARGETS]
    print("no findings" if all(good) else f"findings: see {FINDINGS}")
    return 0 if all(good) else 1


def fuzz(name: str, seconds: int) -> bool:
    """Whether nothing was found."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus")
        corpus.mkdir()
        for at, seed in enumerate(SEEDS[name]):
            (corpus / f"seed-{at:02}").write_bytes(seed)
        words = Path(scratch, "words")
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS[name]))
        print(f"{name}: fuzzing for {seconds} s ...", flush=True)
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.one", name, str(corpus), f"-dict={words}"),
                *(f"-max_total_time={seconds}", "-max_len=2048", "-timeout=20", "-rss_limit_mb=2048"),
                *("-print_final_stats=1", f"-artifact_prefix={FINDINGS}/{name}-"),
            ],
            cwd=HERE.parent.parent,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    log = ran.stdout + ran.stderr
    executed = _EXECUTED.search(log)
    if ran.returncode or executed is None:
        told = "\n".join(line for line in log.splitlines() if not line.startswith(("#", "INFO")))
        print(f"{name}: FOUND something (exit {ran.returncode})\n{told[-6000:]}", flush=True)
        return False
    print(f"{name}: {int(executed[1]):,} executions, no findings", flush=True)
    return True


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
