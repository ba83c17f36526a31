"""Checks of an encoder: what was decoded goes back as it came, and no source makes it lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Failure, Finish, UsageReport, VendorPart
from headrace.core.fold import fold
from headrace.core.message import ReasoningPart, RefusalPart, TextPart
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.testing import stages
from headrace.testing.conformance.case import Sample, WireCase, counts
from headrace.testing.conformance.reading import (
    encoder,
    expect_said,
    failure_of,
    fault,
    json_of,
    read,
    said,
    short,
    write,
)
from headrace.wire.base import Says

_FOREIGN = {"input": 987_001, "output": 987_002}
USAGE = Usage(1110, 720, cached_input_tokens=330, cache_write_tokens=44, reasoning_tokens=250)
_COUNTS = ("cached_input_tokens", "cache_write_tokens", "reasoning_tokens")


def same_events(case: WireCase, sample: Sample) -> None:
    """Decoded and encoded again, the events are the same up to JSON spelling."""
    encoded = write(case, read(case, sample.body))
    ours, theirs = _spelled(case, encoded), _spelled(case, sample.body)
    for place, (got, expected) in enumerate(zip(ours, theirs, strict=False)):
        if got != expected:
            raise fault(f"event {place} became {short(got)}, it was {short(expected)}", encoded)
    if len(ours) != len(theirs):
        raise fault(f"{len(theirs)} events became {len(ours)}", encoded)


def same_reply(case: WireCase, sample: Sample) -> None:
    """Decoded, encoded and decoded again, it is the same reply: twice the same usage, nothing added."""
    first = read(case, sample.body)
    encoded = write(case, first)
    again = read(case, encoded, "encoded again")
    expect_said(again, said(first), "encoded again", encoded)
    before, after = fold(first), fold(again)
    for name in before.__struct_fields__:
        if getattr(before, name) != getattr(after, name):
            changed = f"{short(getattr(after, name))}, it was {short(getattr(before, name))}"
            raise fault(f"encoded again: the reply's {name} is {changed}", encoded)


def any_grouping(case: WireCase, sample: Sample) -> None:
    """However the chunks are batched, the bytes are the same; nothing follows the end."""
    chunks = read(case, sample.body)
    stages.every_split(encoder(case), chunks, normal=stages.joined)
    stages.inert_after_close(encoder(case), chunks)


def cut_source(case: WireCase, sample: Sample) -> None:
    """A source that stops before its terminal is a failure to the client, never a success."""
    chunks = read(case, sample.body)
    for count in range(len(chunks)):
        where = f"cut behind chunk {count} of {len(chunks)}"
        data = write(case, chunks[:count], where)
        failure_of(read(case, data, where), where, data)


def usage_converted(case: WireCase, sample: Sample) -> None:
    """Another wire's counts go out in this one's convention: read again they are the same, none is copied."""
    chunks = [one for one in read(case, sample.body) if not isinstance(one, UsageReport)]
    expected = msgspec.structs.replace(USAGE, **{name: 0 for name in _COUNTS if name in case.uncounted})
    report = UsageReport(msgspec.structs.replace(expected, vendor=_foreign(case)))
    data = write(case, [*chunks[:-1], report, chunks[-1]])
    if b"98700" in data and not case.carries:
        raise fault("the counts of another wire were copied", data)
    got = counts(fold(read(case, data)).usage)
    if got != expected:
        raise fault(f"usage became {got}, it was {expected}", data)


def others_parts(case: WireCase, sample: Sample) -> None:
    """What belongs to another wire alone does not go out, as it means nothing here; or comes back as its."""
    chunks = [_with_foreign(one, _foreign(case)) for one in read(case, sample.body)]
    data = write(case, chunks)
    if b"98700" in data and not case.carries:
        raise fault("a part of another wire's own was copied", data)
    again = read(case, data)
    if not isinstance(again[-1], Finish):
        raise fault(f"with parts of another wire's own the answer ends in {short(again[-1])}", data)
    if case.carries and _owners(again) != _owners(chunks):
        raise fault(f"parts of {_owners(chunks)} came back as parts of {_owners(again)}", data)


def whole_body(case: WireCase, sample: Sample) -> None:
    """The answer that is not streamed is JSON, and says what the stream says; or it is the sound itself."""
    front = case.served
    assert front is not None
    body = front.body(fold(read(case, sample.body)), Says("id", "model", 1), case.parsed())
    if isinstance(body, Failure):
        raise fault(f"the whole body is a failure: {short(body)}")
    meant = said(read(case, sample.body))
    if meant.sound and meant.sound in body:
        return  # the sound itself
    try:
        told = list(_leaves(msgspec.json.decode(body)))
    except msgspec.DecodeError as error:
        raise fault(f"the whole body is no JSON: {error}", body) from None
    parts = fold(read(case, sample.body)).message.parts
    texts = [part.text for part in parts if isinstance(part, TextPart | ReasoningPart | RefusalPart)]
    for word in (*texts, *(name for _, name, _ in meant.tool_calls)):
        if word not in "".join(told):
            raise fault(f"the whole body does not say {word!r}", body)


def _owners(chunks: Sequence[Chunk]) -> list[str]:
    """Whose own the parts of the answer hold."""
    return [part.vendor.wire if part.vendor is not None else "" for part in fold(chunks).message.parts]


def _foreign(case: WireCase) -> Opaque:
    """Something that belongs to another wire."""
    return Opaque("openai_chat" if case.wire.name != "openai_chat" else "anthropic", _FOREIGN)


def _with_foreign(chunk: Any, foreign: Opaque) -> Any:
    """The chunk with another wire's opaque part in the place of this one's."""
    if isinstance(chunk, VendorPart):
        return VendorPart(foreign)
    return msgspec.structs.replace(chunk, vendor=foreign) if hasattr(chunk, "vendor") else chunk


def _spelled(case: WireCase, stream: bytes) -> list[Any]:
    events = [(json_of(event), event.data) for event in case.separated.split(stream) if event.data]
    spelled = [case.spelling(value) if value is not None else data for value, data in events]
    return [one for one in spelled if one is not None]


def _leaves(value: Any) -> Any:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value
