"""What a row of the fault matrix is, as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from tests.faults.speech import PHASES, SPEECHES, TOKEN, Phase, Speech
from tests.faults.upstream import Play
from tests.matrix import script
from tests.matrix.said import Ask

if TYPE_CHECKING:
    from tests.faults.rig import Rig

WIRES = tuple(SPEECHES)
# Whose client of another wire asks for the answers of each: every wire is once on either side.
OTHER = {
    "openai_chat": "anthropic",
    "openai_responses": "gemini",
    "anthropic": "openai_responses",
    "gemini": "openai_chat",
}
Way: TypeAlias = Literal["relay", "encode", "direct"]
ALL_WAYS: tuple[Way, ...] = ("relay", "encode", "direct")
SERVED: tuple[Way, ...] = ("relay", "encode")
ASKED = Ask(script.QUESTION)
WITH_TOOLS = Ask(script.QUESTION, tools=script.TOOLS)


@dataclass(frozen=True)
class Seen:
    """What must come of a fault. kind: of the typed failure, empty where the answer is whole.

    code: of the failure; empty: the vendor's own word. status: for a client that has had nothing yet. wait_s:
    that the failure asks for. loses: what was said last may be lost with the connection. calls: the answer is
    two calls. flagged: whole, and marked as not ended as its protocol wants.
    """

    kind: str = ""
    code: str = ""
    status: int = 200
    retryable: bool = False
    wait_s: float | None = None
    loses: bool = False
    calls: bool = False
    flagged: bool = False


WHOLE = Seen()


@dataclass(frozen=True)
class Case:
    """A fault of the place behind the server. play: what it does.

    seen: what must come of it, by wire where they differ. place: which row of the configuration is asked.
    said: the text that is seen, where it is not all that came before the fault. but: wire -> why it does not
    apply there. verbatim: what is relayed is as odd as it came, and no official client is asked to read it.
    """

    play: Callable[[Speech], Play]
    seen: Seen | Mapping[str, Seen]
    place: str = "place"
    said: Callable[[Speech], str] | None = None
    ask: Ask = ASKED
    but: Mapping[str, str] = field(default_factory=dict)
    verbatim: bool = False
    ways: tuple[Way, ...] = ALL_WAYS

    def seen_over(self, wire: str) -> Seen:
        return self.seen if isinstance(self.seen, Seen) else self.seen[wire]


@dataclass(frozen=True)
class Scene:
    """A fault of clients, servers or logs: what is done and what is seen, played by a function."""

    play: Callable[[Rig, Cell], Awaitable[None]]
    but: Mapping[str, str] = field(default_factory=dict)
    ways: tuple[Way, ...] = SERVED


@dataclass(frozen=True)
class Row:
    """A fault. happens, seen: a phrase each, for people. cells: by phase; a text says why it does not apply.

    later: what is still to be done about it, once there is dispatch.
    """

    name: str
    happens: str
    seen: str
    cells: Mapping[Phase, Case | Scene | str]
    later: str = ""

    def __post_init__(self) -> None:
        assert tuple(self.cells) == PHASES, f"{self.name}: {tuple(self.cells)}"


@dataclass(frozen=True)
class Cell:
    """A row in a phase over one wire by one way."""

    row: Row
    phase: Phase
    wire: str
    way: Way

    def __str__(self) -> str:
        return "-".join((self.row.name, self.phase, self.wire, self.way)).replace(" ", "_")

    @property
    def speech(self) -> Speech:
        return SPEECHES[self.wire]

    @property
    def client(self) -> str:
        """The wire that the client speaks."""
        return OTHER[self.wire] if self.way == "encode" else self.wire

    @property
    def said(self) -> str:
        """The text before the fault."""
        return self.speech.said(self.phase)


def unsaid(phase: Phase) -> dict[str, str]:
    """The wires to which a phase does not apply, and why: they say nothing before the first token."""
    why = "its first event holds text: there is nothing to say before it"
    return {wire: why for wire, speech in SPEECHES.items() if phase == TOKEN and not speech.opening}


def in_every_phase(
    play: Callable[[Rig, Cell], Awaitable[None]], ways: tuple[Way, ...] = SERVED
) -> dict[Phase, Case | Scene | str]:
    """A scene for each phase."""
    return {phase: Scene(play, ways=ways, but=unsaid(phase)) for phase in PHASES}


def why_not(row: Row, phase: Phase, wire: str) -> str:
    """Why a row does not apply in a phase over a wire; empty where it does."""
    found = row.cells[phase]
    return found if isinstance(found, str) else found.but.get(wire, "")


def cells_of(rows: tuple[Row, ...]) -> tuple[Cell, ...]:
    """Every cell that applies."""
    return tuple(
        Cell(row, phase, wire, way)
        for row in rows
        for phase in PHASES
        for wire in WIRES
        if not why_not(row, phase, wire)
        for way in getattr(row.cells[phase], "ways", ())
    )
