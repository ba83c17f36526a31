"""What must hold in every cell, whatever its fault."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.errors import KINDS
from tests.faults.rig import Rig
from tests.faults.table import Case, Cell, Scene, Seen
from tests.faults.ways import Calls, Outcome, ask_directly, ask_server
from tests.matrix import script
from tests.matrix.clients import CLIENTS

CALLS: Calls = tuple(
    (tool.name, arguments) for tool, arguments in zip(script.TOOLS, script.ARGUMENTS, strict=True)
)
TAKEN_BYTES = 24 * 2**20  # the longest event that is read, and what sockets hold of the next


async def judge(rig: Rig, cell: Cell) -> None:
    """Play the cell. Raises AssertionError where it is not as its row says, or leaves something behind."""
    found = cell.row.cells[cell.phase]
    before = rig.baseline()
    if isinstance(found, Scene):
        await found.play(rig, cell)
    else:
        assert isinstance(found, Case)
        rig.upstream.begin(found.play(cell.speech))
        ask = ask_directly if cell.way == "direct" else ask_server
        outcome = await ask(rig, cell, found)
        check(cell, found, outcome)
        reached = found.place == "place"
        assert rig.upstream.asked == int(reached), "nothing is asked twice behind the caller's back"
        assert rig.upstream.taken <= TAKEN_BYTES
    await rig.settled(before)


def check(cell: Cell, case: Case, outcome: Outcome) -> None:
    """One answer against what its row says."""
    seen = case.seen_over(cell.wire)
    if seen.kind:
        assert outcome.failure is not None, "an answer that failed was taken for a whole one"
        check_failure(seen, outcome.failure)
    else:
        assert outcome.failure is None, outcome.failure
    _check_text(cell, case, seen, outcome)
    if seen.calls:
        assert sorted(outcome.calls) == sorted(CALLS), outcome.calls
    if cell.way == "direct" and not seen.kind:
        assert outcome.clean is not seen.flagged
    if outcome.said is not None:
        _check_client(cell, seen, outcome)


def check_failure(seen: Seen, failure: Failure) -> None:
    """The typed error."""
    assert failure.kind == seen.kind, failure
    assert not seen.code or failure.code == seen.code, failure
    assert failure.retryable == seen.retryable, failure
    assert failure.http_status == seen.status, failure
    if seen.wait_s is not None:
        assert failure.detail["retry_after_s"] == seen.wait_s
    assert type(failure.error()) is KINDS[seen.kind]


def _text(cell: Cell, case: Case, seen: Seen) -> str:
    """What is said before the fault, or all of it."""
    if case.said is not None:
        return case.said(cell.speech)
    if seen.calls:
        return ""
    return cell.said if seen.kind else cell.speech.text


def _check_text(cell: Cell, case: Case, seen: Seen, outcome: Outcome) -> None:
    """Nothing is said twice, and nothing that came is lost."""
    text = _text(cell, case, seen)
    for heard in (outcome.text, *((outcome.said.text,) if outcome.said is not None else ())):
        assert text.startswith(heard)
        assert seen.loses or heard == text, f"{heard!r} is not {text!r}"


def _check_client(cell: Cell, seen: Seen, outcome: Outcome) -> None:
    """What the official client makes of it: its own exception, or an answer with its own end."""
    said, client = outcome.said, CLIENTS[cell.client]
    assert said is not None
    if not seen.kind:
        assert said.trouble is None, said.trouble
        # an answer that calls is "completed" in the Responses API, and "STOP" in Gemini's
        assert said.end in (("tool calls", "stop") if seen.calls else ("stop",)), said.end
        return
    assert said.trouble is not None, "the client took an answer that failed for a whole one"
    if outcome.began:
        assert said.trouble.kind in client.later, said.trouble
        return
    assert said.trouble.status == seen.status, said.trouble
    if seen.wait_s is not None and cell.client != "gemini":  # its client keeps no header of an error
        assert said.trouble.wait_s == seen.wait_s
