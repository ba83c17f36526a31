"""`docs/reference/faults.md`, made of the rows that the tests hold the house to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.faults.rows import CELLS, GROUPS, ROWS
from tests.faults.speech import PHASES, Phase
from tests.faults.table import OTHER, WIRES, Row, why_not

PATH = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
COMMAND = "python -m tests.faults"
GREEN, NONE = "●", "–"
_ASKED = ", ".join(f"of `{wire}` by a client of `{other}`" for wire, other in OTHER.items())
_INTRO = f"""# What happens when something breaks

Every fault, in every phase of an answer, over four protocols. This page is written by `{COMMAND}` and held by
the tests beside it: a scripted place on the loopback speaks the protocol up to the phase and does the fault,
behind a server made of a configuration as `headrace serve` makes it; each sign stands for tests that pass.

{{counts}}

A cell is asked three ways where they apply: by the protocol's own official client, whose stream is relayed;
by the official client of another protocol, for which it is encoded ({_ASKED}); and by a direct call
(`stream_text`). Where a client does what no official one does (it drops, resumes, stops), or what is relayed
is as odd as it came, the client is plain bytes, read by the protocol's own decoder. In every cell these hold:

- one terminal: the stream ends once, in the log, in the counters and in the client's protocol;
- no silent success: neither the official client nor the protocol's decoder takes a broken answer for a whole
  one;
- no text is lost before the fault, and none is said twice (after an RST the last of it may be lost);
- the error's class, `code`, `retryable` and HTTP status are the row's; behind the first byte it is an event
  in the client's own protocol;
- the place is asked once, its socket is closed, and tasks, sockets and files are back where they were.

| sign | meaning |
| --- | --- |
| {GREEN} | as the row says, by every way |
| {NONE} | does not apply: the number tells [why](#why-not) |

The four signs of a cell are the four phases: {", ".join(PHASES)}. What is *later* joins with retry and
fallback: here the typed result is what is held.
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRO.format(counts=_counts()), *_tables(), *_reasons()]
    return "\n".join(parts).rstrip("\n") + "\n"


def applies() -> list[tuple[Row, Phase, str]]:
    """Each row, phase and wire that has a sign of its own."""
    return [
        (row, phase, wire)
        for row in ROWS
        for phase in PHASES
        for wire in WIRES
        if not why_not(row, phase, wire)
    ]


def _counts() -> str:
    ways = Counter(cell.way for cell in CELLS)
    told = ", ".join(f"{count} {name}" for name, count in ways.items())
    not_so = len(ROWS) * len(PHASES) * len(WIRES) - len(applies())
    return (
        f"**{len(applies())} cells, all green**, of {len(ROWS)} faults x {len(PHASES)} phases x "
        f"{len(WIRES)} protocols; {not_so} do not apply. They are {len(CELLS)} tests: {told}."
    )


def _tables() -> Iterator[str]:
    for group, rows in GROUPS.items():
        yield f"## {group}\n"
        yield f"| fault | what happens | what is seen | {' | '.join(WIRES)} | later |"
        yield f"| --- | --- | --- |{' --- |' * len(WIRES)} --- |"
        for row in rows:
            cells = " | ".join(_cell(row, wire) for wire in WIRES)
            yield f"| {row.name} | {row.happens} | {row.seen} | {cells} | {row.later} |"
        yield ""


def _cell(row: Row, wire: str) -> str:
    return " ".join(_sign(why_not(row, phase, wire)) for phase in PHASES)


def _sign(why: str) -> str:
    return f"{NONE}{_numbers()[why]}" if why else GREEN


def _numbers() -> dict[str, int]:
    """Each reason's number, in the order of the page."""
    found = (why_not(row, phase, wire) for row in ROWS for wire in WIRES for phase in PHASES)
    return {why: number for number, why in enumerate(dict.fromkeys(why for why in found if why), 1)}


def _reasons() -> Iterator[str]:
    yield '<a id="why-not"></a>\n'
    yield "## Why a fault does not apply\n"
    yield "| | |\n| --- | --- |"
    for why, number in _numbers().items():
        yield f"| {number} | {why} |"
