"""Messages of an event stream in any split; botocore reads the same bytes and is the judge."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import Failure
from headrace.framing.eventstream import EventStreamDecoder, Message, Timestamp, encode_message
from headrace.testing import stages, work

HEADERS: dict[str, Any] = {
    ":event-type": "contentBlockDelta",
    "yes": True,
    "no": False,
    "small": -5,
    "large": 2**40,
    "bytes": b"\x00\xff",
    "time": Timestamp(1_764_000_000_000),
    "uuid": UUID(int=7),
    "": "",
    "é": "é🙂",
}
STREAM = (
    encode_message({":message-type": "event"}, b'{"a":1}')
    + encode_message(HEADERS, b"")
    + encode_message({}, b"\r\n\r\n" * 20)
)

values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=40),
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1).map(Timestamp),
    st.uuids(),
)
messages = st.builds(
    Message, st.dictionaries(st.text(max_size=20), values, max_size=5), st.binary(max_size=60)
)


def by_botocore(data: bytes) -> tuple[list[tuple[dict[str, Any], bytes]], bool]:
    """(the messages, whether it met an error)."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    read: list[tuple[dict[str, Any], bytes]] = []
    try:
        read.extend((one.headers, one.payload) for one in buffer)
    except ParserError:
        return read, True
    return read, False


def plain(message: Message) -> tuple[dict[str, Any], bytes]:
    """As botocore gives it: times as numbers, UUIDs as bytes."""
    return {name: _plain(value) for name, value in message.headers.items()}, message.payload


def _plain(value: Any) -> Any:
    return (
        value.unix_ms if isinstance(value, Timestamp) else value.bytes if isinstance(value, UUID) else value
    )


def test_a_stream_in_any_split() -> None:
    out = stages.check(EventStreamDecoder, STREAM)
    assert [one.payload for one in out] == [b'{"a":1}', b"", b"\r\n\r\n" * 20]
    assert out[1].headers == HEADERS
    assert (out[1].text(":event-type"), out[1].text("yes"), out[1].text("other")) == (
        "contentBlockDelta",
        "",
        "",
    )
    assert type(out[1].headers["yes"]) is bool


@given(st.lists(messages, max_size=4))
def test_what_is_encoded_is_decoded_and_botocore_agrees(sent: list[Message]) -> None:
    stream = b"".join(encode_message(one.headers, one.payload) for one in sent)
    assert stages.run(EventStreamDecoder(), [stream]) == sent
    assert by_botocore(stream) == ([plain(one) for one in sent], False)


@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_a_broken_stream_gives_what_botocore_gives_and_then_one_failure(
    sent: list[Message], data: st.DataObject
) -> None:
    stream = bytearray(b"".join(encode_message(one.headers, one.payload) for one in sent))
    for at in data.draw(st.sets(st.integers(0, len(stream) - 1), min_size=1, max_size=3)):
        stream[at] ^= data.draw(st.integers(1, 255))
    out = stages.every_split(EventStreamDecoder, bytes(stream), examples=0)
    assert [one.kind for one in out if isinstance(one, Failure)] == ["wire"]
    assert by_botocore(bytes(stream)) == ([plain(one) for one in out[:-1]], True)


def sealed(headers: bytes, payload: bytes = b"", size: int | None = None) -> bytes:
    """A message whose checksums are right whatever its headers and its length say."""
    length = 16 + len(headers) + len(payload) if size is None else size
    lengths = length.to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = lengths + crc32(lengths).to_bytes(4, "big") + headers + payload
    return message + crc32(message).to_bytes(4, "big")


BROKEN: dict[str, tuple[bytes, str]] = {
    "prelude": (b"\x00" * 12, "bad_checksum"),
    "text": (b"HTTP/1.1 502 Bad Gateway", "bad_checksum"),
    "checksum": (encode_message({}, b"x")[:-1] + b"\x00", "bad_checksum"),
    "headers longer than the message": (sealed(b"", size=15), "bad_message"),
    "too long": (sealed(b"", size=2**31), "message_too_long"),
    "unknown type": (sealed(b"\x01a\x0a"), "bad_message"),
    "cut name": (sealed(b"\x05a"), "bad_message"),
    "no type": (sealed(b"\x01a"), "bad_message"),
    "cut number": (sealed(b"\x01a\x04\x00"), "bad_message"),
    "cut text": (sealed(b"\x01a\x07\x00\x05abc"), "bad_message"),
    "cut size": (sealed(b"\x01a\x06\x00"), "bad_message"),
    "cut uuid": (sealed(b"\x01a\x09\x00"), "bad_message"),
    "bad name": (sealed(b"\x01\xff\x00"), "bad_message"),
    "bad text": (sealed(b"\x01a\x07\x00\x01\xff"), "bad_message"),
    "twice": (sealed(b"\x01a\x00\x01a\x01"), "bad_message"),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_the_format_is_one_failure(data: bytes, code: str) -> None:
    first = encode_message({}, b"good")
    out = stages.every_split(EventStreamDecoder, first + data + first)
    assert out[0].payload == b"good"
    assert [(one.kind, one.code) for one in out[1:]] == [("wire", code)]
    assert stages.inert_after_failure(EventStreamDecoder, data) == out[1]


def test_all_widths_of_numbers_are_read() -> None:
    headers = (
        b"\x01a\x02\xff" + b"\x01b\x03\xff\xfe" + b"\x01c\x04\x00\x00\x00\x01" + b"\x01d\x05" + b"\xff" * 8
    )
    (message,) = EventStreamDecoder().feed(sealed(headers))
    assert isinstance(message, Message)
    assert message.headers == {"a": -1, "b": -2, "c": 1, "d": -1}
    assert by_botocore(sealed(headers)) == ([(dict(message.headers), b"")], False)


def test_a_cut_message_is_truncated() -> None:
    for cut in range(1, len(STREAM)):
        out = stages.run(EventStreamDecoder(), [STREAM[:cut]])
        ends = [isinstance(one, Failure) for one in out]
        assert not any(ends[:-1])
        if ends and ends[-1]:
            assert (out[-1].kind, out[-1].retryable) == ("truncated", True)
        else:
            assert cut == sum(len(encode_message(one.headers, one.payload)) for one in out)
    assert stages.run(EventStreamDecoder(), []) == []


def test_the_limit_holds_for_the_whole_message() -> None:
    message = encode_message({"a": "b"}, b"x" * 50)
    exact, less = EventStreamDecoder(len(message)), EventStreamDecoder(len(message) - 1)
    assert len(exact.feed(message)) == 1
    # The prelude tells: what follows is not waited for.
    (failure,) = less.feed(message[:12])
    assert isinstance(failure, Failure)
    assert failure.code == "message_too_long"
    with pytest.raises(ValueError, match="at least 16"):
        EventStreamDecoder(15)


@pytest.mark.parametrize("unit", [encode_message({"a": "b"}, b"x" * 8), STREAM], ids=["small", "several"])
def test_linear(unit: bytes) -> None:
    work.linear(EventStreamDecoder, unit)


def test_linear_in_one_long_message() -> None:
    costs = []
    for size in (2_000, 16_000):
        message = encode_message({}, b"x" * size)
        costs.append(work.work_of(EventStreamDecoder(), [message[i : i + 1] for i in range(len(message))]))
    assert costs[1] <= costs[0] * 8 * 1.5


def test_bounded() -> None:
    endless = encode_message({}, b"x" * 9_000)[:-100]
    limit = EventStreamDecoder(10_000)
    limit.feed(endless)
    assert 8_000 < work.held_bytes(limit) < 25_000
    assert work.bounded(lambda: EventStreamDecoder(10_000), STREAM[:-1] + b"\x00", limit_bytes=25_000) < 9_000


@pytest.mark.parametrize(
    "headers",
    [{"a" * 256: 1}, {"a": "b" * 2**15}, {"a": b"b" * 2**15}, {"a": 2**63}, {"a": Timestamp(2**63)}],
)
def test_what_has_no_room_is_not_written(headers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a header's"):
        encode_message(headers, b"")
