"""Sets the results in the docs: a table between two markers, so that no figure there is typed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.rig.result import Claim, Result

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"
BEGIN = "<!-- figures: written by `make bench` -->"
END = "<!-- end of figures -->"


def page_with(results: Sequence[Result], page: str) -> str:
    """The page with everything between the markers replaced. Raises ValueError without both markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{figures(results)}\n{END}{after}"


def figures(results: Sequence[Result]) -> str:
    """Machine, then for each result its claims, its figures and its checks."""
    machine = results[0].machine
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine.versions.items()))
    lines = [
        f"Measured {results[0].date[:10]} on {machine.cores} cores of {machine.cpu},",
        f"Linux {machine.kernel}, Python {machine.python}; load average before: {machine.load_average};",
        f"{versions}.",
        "",
    ]
    for result in results:
        lines += [f"### {result.title}", "", *_claims(result), *_measures(result), *_checks(result)]
    return "\n".join(lines)


def _claims(result: Result) -> list[str]:
    if not result.claims:
        return []
    rows = [f"| {claim.name} | {claim.value:.3g} {claim.unit} | {_bound(claim)} |" for claim in result.claims]
    return ["| claim | measured | bound |", "| --- | --- | --- |", *rows, ""]


def _bound(claim: Claim) -> str:
    if claim.limit is None:
        return ""
    return f"<= {claim.limit:.3g} {claim.unit}, {'kept' if claim.kept else '**broken**'}"


def _measures(result: Result) -> list[str]:
    lines = ["| case | who | median | range of runs | unit |", "| --- | --- | --- | --- | --- |"]
    for row in result.measures:
        spread = f"{min(row.runs):.3g} .. {max(row.runs):.3g}"
        lines.append(f"| {row.case} | {row.who} | {row.median:.3g} | {spread} | {row.unit} |")
    return [*lines, ""]


def _checks(result: Result) -> list[str]:
    return [f"- {check.name}: {'yes' if check.passed else '**no**'}" for check in result.checks] + [""]


def write_page(results: Sequence[Result], path: Path = PAGE) -> None:
    """Write the figures into the page."""
    path.write_text(page_with(results, path.read_text()))
