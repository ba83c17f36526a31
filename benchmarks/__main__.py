"""`python -m benchmarks`: every benchmark, one after the other, then the summary and the docs' table."""

from __future__ import annotations

import sys

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import (
    client,
    decode,
    gateway,
    http_client,
    import_time,
    memory,
    partial,
    readers,
    sessions,
    streams,
    tap,
    translate,
)
from benchmarks.rig.docs import write_page
from benchmarks.rig.options import Options, carry_out, parsed
from benchmarks.rig.result import RESULTS, Result

SCRIPTS = {
    "gateway": gateway.measure,
    "translate": translate.measure,
    "sessions": sessions.measure,
    "streams": streams.measure,
    "readers": readers.measure,
    "memory": memory.measure,
    "client": client.measure,
    "http_client": http_client.measure,
    "decode": decode.measure,
    "partial": partial.measure,
    "tap": tap.measure,
    "import_time": import_time.measure,
}


def run_all(options: Options) -> list[Result]:
    """Every benchmark in turn, with a line that says which one and for how long."""
    console = Console()
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    results: list[Result] = []
    with Progress(*columns, console=console, transient=True) as progress:
        for number, (name, measure) in enumerate(SCRIPTS.items(), start=1):
            task = progress.add_task(f"{number}/{len(SCRIPTS)} {name}")
            results.append(carry_out(measure, options, console))
            progress.remove_task(task)
    return results


def summary(results: list[Result]) -> bytes:
    """Claims and checks of all results as JSON."""
    rows = [
        {"name": result.name, "date": result.date, "claims": result.claims, "checks": result.checks}
        for result in results
    ]
    whole = {"held": all(result.held for result in results), "machine": results[0].machine, "results": rows}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def main() -> None:
    """Run all; exit code 1 where a claim is broken or a check failed."""
    options = parsed("benchmarks", __doc__ or "")
    results = run_all(options)
    if not options.quick:
        (RESULTS / "summary.json").write_bytes(summary(results))
        write_page(results)
    sys.exit(0 if all(result.held for result in results) else 1)


if __name__ == "__main__":
    main()
