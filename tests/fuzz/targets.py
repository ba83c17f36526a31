"""What must hold for any bytes, cut anywhere. A target raises where it does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from headrace.core.chunk import Failure
from headrace.errors import OutputError
from headrace.framing.frames import FrameSplitter
from headrace.framing.multipart import FormPart, MultipartDecoder, boundary_of, encode_form, read_form
from headrace.framing.sse import Event, SseDecoder
from headrace.structured.growing import Growing
from headrace.testing import stages
from headrace.wire import wire_named
from tests.framing.naive_sse import Naive, utf8
from tests.structured.kinds import DataItem, ModelOrder, StructOrder

Target = Callable[[bytes], None]
_MAX_CUTS = 7


def pack(stream: bytes, cuts: bytes = b"") -> bytes:
    """A fuzz input: how many cuts, where (256ths of the stream's length), the stream."""
    return bytes([len(cuts)]) + cuts + stream


def unpack(data: bytes) -> tuple[bytes, list[bytes]]:
    """A fuzz input's stream, whole and in pieces. Any bytes are a fuzz input."""
    count = data[0] & _MAX_CUTS if data else 0
    cuts, stream = data[1 : 1 + count], data[1 + count :]
    return stream, stages.cut(stream, [len(stream) * one // 256 for one in cuts])


def sse(data: bytes) -> None:
    """The SSE decoder says what the standard read aloud says, by text, by bytes and within its limits."""
    stream, pieces = unpack(data)
    expected = Naive(stream)
    decoder = SseDecoder()
    assert stages.run(decoder, pieces) == expected.events
    assert (decoder.retry, decoder.last_event_id) == (expected.retry, expected.last_event_id)
    texts = [one.data for one in expected.events]
    whole = stages.run(SseDecoder(16, 24), [stream])
    assert stages.run(SseDecoder(16, 24), pieces) == whole
    good = [one for one in whole if isinstance(one, Event)]
    assert good == expected.events[: len(good)]
    assert len(whole) - len(good) <= 1
    assert good == expected.events or isinstance(whole[-1], Failure)
    _frames(stream, pieces, texts)


def _frames(stream: bytes, pieces: list[bytes], texts: list[str]) -> None:
    splitter = FrameSplitter()
    frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    forwarded = b"".join(frame.raw for frame in frames if not isinstance(frame, Failure))
    assert stream.startswith(forwarded)
    read = [frame.data for frame in frames if not isinstance(frame, Failure)]
    assert [utf8(one) for one in read if one is not None] == texts


def openai_chat(data: bytes) -> None:
    """The chat decoder and the relay never raise, end once, and do not see the cuts."""
    stream, pieces = unpack(data)
    wire = wire_named("openai_chat")
    _same(wire.decoder, stream, pieces)
    assert wire.relay is not None
    relay = wire.relay
    for include_usage in (True, False):
        _same(lambda: relay(include_usage), stream, pieces, _as_the_client_reads_it)  # noqa: B023


def _same(
    make_stage: stages.MakeStage, stream: bytes, pieces: list[bytes], normal: stages.Normal = list
) -> None:
    whole: list[Any] = stages.run(make_stage(), [[stream]])
    stages.one_terminal(whole)
    expected = normal(whole)
    assert normal(stages.run(make_stage(), [[piece] for piece in pieces])) == expected
    assert normal(stages.run(make_stage(), [pieces])) == expected


def _as_the_client_reads_it(outputs: list[Any]) -> list[Any]:
    """Events instead of bytes: where a CRLF was cut, its LF may go with the next event, or not at all."""
    forwarded = b"".join(one for one in outputs if isinstance(one, bytes))
    return [*Naive(forwarded).events, *(one for one in outputs if not isinstance(one, bytes))]


def multipart(data: bytes) -> None:
    """The form decoder does not see the cuts, ends with at most one failure, and reads what is written."""
    stream, pieces = unpack(data)
    for limits in ({}, {"max_parts": 2, "max_head_bytes": 60, "max_field_bytes": 8}):
        whole = stages.joined(stages.run(MultipartDecoder("x", **limits), [stream]))
        assert stages.joined(stages.run(MultipartDecoder("x", **limits), pieces)) == whole
        assert not any(isinstance(one, Failure) for one in whole[:-1])
    read = read_form(stream, "x")
    if isinstance(read, Failure) or not read:
        return
    parts = [FormPart(str(number), part.data, part.filename and "f") for number, part in enumerate(read)]
    body, content_type = encode_form(parts)
    assert read_form(body, boundary_of(content_type)) == parts


def openai_audio(data: bytes) -> None:
    """The audio decoder never raises, ends once, and does not see the cuts."""
    stream, pieces = unpack(data)
    _same(wire_named("openai_audio").decoder, stream, pieces)


def growing(data: bytes) -> None:
    """Growing values never raise but at their end, do not see the cuts, and are what the whole text says."""
    stream, pieces = unpack(data)
    text = stream.decode("utf-8", "replace")
    ends = accumulate(len(piece) * len(text) // max(1, len(stream)) for piece in pieces)
    for output in GROWN:
        whole = _grown(output, [text])
        assert _grown(output, stages.cut(text, [min(end, len(text)) for end in ends])) == whole
        assert _grown(output, list(text)) == whole


def _grown(output: Any, pieces: list[str]) -> Any:
    value: Growing[Any] = Growing(output, max_depth=20)
    for piece in pieces:
        value.feed(piece)
        if value.grew:
            value.value()
    try:
        return repr(value.close())
    except OutputError as error:
        return error.code, error.path


GROWN: tuple[Any, ...] = (StructOrder, ModelOrder, list[DataItem | int], dict[str, Any], {"type": "object"})
TARGETS: dict[str, Target] = {
    "sse": sse,
    "openai_chat": openai_chat,
    "multipart": multipart,
    "openai_audio": openai_audio,
    "growing": growing,
}
