"""How the checks run a wire, and how they say what broke: where it was cut, with which bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Failure, Finish, Terminal
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.testing.conformance.case import Said, Sample, WireCase
from headrace.testing.conformance.separation import Event
from headrace.wire.base import Says

_SHOWN_CHARS = 300
# What is empty here, the encoder takes from the source.
_AS_THE_SOURCE = Says("", "", 0)


def decoder(case: WireCase) -> stages.MakeStage:
    """Makes fresh decoders that are fed bytes."""
    return stages.reads(lambda: case.wire.decoder(case.quirks))


def encoder(case: WireCase) -> stages.MakeStage:
    """Makes fresh encoders for the answer to the case's first client."""
    front = case.served
    assert front is not None
    return lambda: front.encoder(_AS_THE_SOURCE, case.parsed())


def read(case: WireCase, data: bytes, where: str = "whole") -> list[Chunk]:
    """The chunks of a stream, whole; AssertionError where the decoder raises or does not end once."""
    try:
        chunks = stages.run(decoder(case)(), [data])
    except Exception as error:
        raise fault(f"{where}: the decoder raised {error!r}", data) from error
    try:
        stages.one_terminal(chunks)
    except AssertionError as error:
        raise fault(f"{where}: {error}", data) from None
    return chunks


def read_any_way(case: WireCase, data: bytes, where: str) -> list[Chunk]:
    """The same, after proving that byte by byte gives the same."""
    whole = read(case, data, where)
    try:
        slow = stages.run(decoder(case)(), stages.cut(data, range(1, len(data))))
    except Exception as error:
        raise fault(f"{where}, byte by byte: the decoder raised {error!r}", data) from error
    if slow != whole:
        raise fault(f"{where}, byte by byte: {short(slow)} instead of {short(whole)}", data)
    return whole


def write(case: WireCase, chunks: Sequence[Chunk], where: str = "whole") -> bytes:
    """The stream that the encoder makes of `chunks`."""
    try:
        return b"".join(stages.run(encoder(case)(), [list(chunks)]))
    except Exception as error:
        raise fault(f"{where}: the encoder raised {error!r} over {short(chunks)}") from error


def events(case: WireCase, sample: Sample) -> list[Event]:
    """The sample's events."""
    return case.separated.split(sample.body)


def json_of(event: Event) -> Any:
    """What an event says; None where it is no JSON (a terminator, a comment, the bracket of an array)."""
    try:
        return msgspec.json.decode(event.data)
    except msgspec.DecodeError:
        return None


def said(chunks: Sequence[Chunk]) -> Said:
    """What the chunks add up to."""
    return Said.by(fold(chunks))


def expect_said(chunks: Sequence[Chunk], expected: Said, where: str, data: bytes) -> None:
    """The chunks end well and add up to what is expected."""
    terminal = terminal_of(chunks)
    if not isinstance(terminal, Finish):
        raise fault(f"{where}: expected a Finish, not {short(terminal)}", data)
    got = said(chunks)
    for name in Said.__dataclass_fields__:
        ours, theirs = getattr(got, name), getattr(expected, name)
        if ours != theirs:
            raise fault(f"{where}: {name} is {short(ours)}, not {short(theirs)}", data)


def terminal_of(chunks: Sequence[Chunk]) -> Terminal:
    """The last chunk, which `read` has proved to be the terminal."""
    last: Any = chunks[-1]
    terminal: Terminal = last
    return terminal


def failure_of(chunks: Sequence[Chunk], where: str, data: bytes) -> Failure:
    """The failure that the chunks end in."""
    last = chunks[-1]
    if not isinstance(last, Failure):
        raise fault(f"{where}: expected a Failure, not {short(last)}", data)
    return last


def objects(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON object in a value, with its path: names and list places joined by dots."""
    if isinstance(value, dict):
        yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from objects(part, f"{path}.{name}" if path else str(name))


def fault(what: str, data: bytes | None = None) -> AssertionError:
    """A finding, with the end of the bytes that showed it."""
    return AssertionError(what if data is None else f"{what}\n  fed {len(data)} bytes: {short(data)}")


def short(value: Any) -> str:
    """The value, cut to a readable length."""
    text = repr(value)
    half = _SHOWN_CHARS // 2
    return text if len(text) <= _SHOWN_CHARS else f"{text[:half]} ... {text[-half:]}"
