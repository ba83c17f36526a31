"""The options and the ending that every benchmark script has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from benchmarks.rig.plot import draw
from benchmarks.rig.process import allow_open_files
from benchmarks.rig.result import Result, show, write


@dataclass(frozen=True, slots=True)
class Options:
    """runs: interleaved rounds. quick: fewer rounds or a smaller load, for a look; not to be quoted."""

    runs: int = 5
    quick: bool = False


def parsed(module: str, description: str) -> Options:
    """The options on the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--runs", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--quick", action="store_true", help="a smaller load; writes no files")
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs must be at least 1")
    return Options(given.runs, given.quick)


def main(name: str, measure: Callable[[Options], Result]) -> None:
    """Run one benchmark as a script; exit code 1 where a claim is broken or a check failed."""
    result = carry_out(measure, parsed(f"benchmarks.{name}", measure.__doc__ or ""))
    sys.exit(0 if result.held else 1)


def carry_out(
    measure: Callable[[Options], Result], options: Options, console: Console | None = None
) -> Result:
    """Measure, print, and (unless quick) write the JSON and the picture."""
    console = console or Console()
    allow_open_files()
    result = measure(options)
    show(result, console)
    if not options.quick:
        console.print(str(write(result)), markup=False)
        if picture := draw(result):
            console.print(str(picture), markup=False)
    return result
