"""The three ways through the house, and what is seen at their ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from headrace import stream_text
from headrace.core.chunk import TERMINALS, Failure, Finish, Terminal
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.errors import HeadraceError
from headrace.server.app import App
from headrace.store.log import StreamState
from headrace.wire import wire_named
from tests.faults.asking import request_bytes, tools_of
from tests.faults.rig import Rig
from tests.faults.speech import SPEECHES
from tests.faults.table import Case, Cell
from tests.matrix.said import Said
from tests.server.raw import connected

Calls = tuple[tuple[str, Any], ...]  # name, arguments


@dataclass(frozen=True)
class Outcome:
    """What came of one answer. failure: None where it was whole. began: whether its reader had any of it.

    clean: whether it ended as its protocol wants. said: what the official client showed, where one asked.
    """

    text: str
    calls: Calls
    failure: Failure | None
    began: bool
    clean: bool | None = None
    said: Said | None = None


async def ask_directly(rig: Rig, cell: Cell, case: Case) -> Outcome:
    """The public call; its failure is an exception."""
    model = rig.model(cell.wire, case.place)
    result = stream_text(model, case.ask.text, runtime=rig.runtime, tools=tools_of(case.ask))
    failure: Failure | None = None
    text = ""
    try:
        async for piece in result.stream:
            text += piece
    except HeadraceError as error:
        failure = Failure.of(error)
    reply = result.response
    assert reply.text == text
    clean = reply.terminal.clean if isinstance(reply.terminal, Finish) else None
    return Outcome(text, _calls(reply), failure, bool(text), clean=clean)


async def ask_server(rig: Rig, cell: Cell, case: Case) -> Outcome:
    """An official client asks the server; its log tells the rest."""
    app = rig.server.app
    before = counted(app)
    said: Said | None = None
    if case.verbatim and cell.way == "relay":
        async with connected(rig.server.url) as client:
            await client.send(request_bytes(cell, rig.model(cell.wire), case.ask))
            await client.response()
    else:
        talk = await rig.talk(cell.client)
        said = await talk(rig.model(cell.wire, case.place), case.ask, True)
    state = await ended(app, before)
    records = await records_of(app, state)
    failure = failure_of(state)
    reply, terminal = read(cell.client, records)
    if records:
        one_terminal(cell.client, records)
        assert (failure is None) == (not isinstance(terminal, Failure)), (failure, terminal)
    return Outcome(reply.text, _calls(reply), failure, bool(records), said=said)


def counted(app: App) -> dict[str, int]:
    """How many answers have ended, by their end."""
    counters = app.counters
    return {name: getattr(counters, name) for name in ("finished", "failed", "cancelled")}


async def ended(app: App, before: dict[str, int]) -> StreamState:
    """The one stream that has ended since; its end in the log and in the counters is the same one."""
    (state, *_) = await app.sessions.states(limit=1)
    assert state.end is not None, "the log has no end"
    after = counted(app)
    told = {name: after[name] - before[name] for name in after}
    assert sum(told.values()) == 1, told
    assert told["finished"] == (state.end.outcome == "finished"), (told, state.end.outcome)
    return state


def failure_of(state: StreamState) -> Failure | None:
    """How it failed, as the log has it."""
    assert state.end is not None
    told = state.end.facts.get("failure")
    return msgspec.convert(told, Failure) if told is not None else None


async def records_of(app: App, state: StreamState) -> bytes:
    """Every byte of the stream."""
    return b"".join(await app.sessions.log.read(state.head.id, 0, 2**31))


def read(wire: str, data: bytes) -> tuple[Reply, Terminal]:
    """A stream as the wire's own decoder has it, with the one terminal that it must have."""
    decoder = wire_named(wire).decoder()
    chunks = [*decoder.feed((data,)), *decoder.close()]
    *most, last = chunks
    assert isinstance(last, TERMINALS)
    assert not any(isinstance(chunk, TERMINALS) for chunk in most)
    return fold(chunks), last


def one_terminal(wire: str, data: bytes) -> None:
    """The protocol's own last word is there once."""
    found = re.findall(SPEECHES[wire].terminal, data)
    assert len(found) == 1, data[-400:]


def _calls(reply: Reply) -> Calls:
    return tuple((call.name, _data(call.arguments)) for call in reply.tool_calls)


def _data(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return arguments
