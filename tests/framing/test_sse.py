"""The SSE decoder against a table, against the standard read aloud, and against its own limits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.framing.naive_sse import Naive, utf8
from tests.framing.wpt import CASES, Case

from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.framing.sse import MAX_RETRY_MS, Event, SseDecoder, comment, encode_event
from headrace.testing import stages, work

READABLE = [case for case in CASES if case.events is not None]
# Pieces that mean something to the format, so that soup made of them reaches every rule.
ENDS = (b"\r", b"\n", b"\r\n", b"\n\n", b":", b" ", b"\0", b"x", b"9", b"\x85", b"\xe2\x80\xa8")
FIELDS = (b"data", b"data:", b"data: ", b"data: {}\n\n", b"event: e", b"id", b"id: 1", b"retry", b"retry: 10")
UTF8 = (b"\xef", b"\xbb", b"\xbf", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0\xaf")
SOUP = st.lists(st.sampled_from([*ENDS, *FIELDS, *UTF8]) | st.binary(max_size=3), max_size=40).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=8)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    return stages.cut(data, [min(one, len(data)) for one in cuts])


def feed_all(decoder: SseDecoder, pieces: list[bytes]) -> list[Event | Failure]:
    return [one for piece in pieces for one in decoder.feed(piece)]


def test_the_table_is_the_whole_of_it() -> None:
    assert len(CASES) == len({case.name for case in CASES}) == 23


@pytest.mark.parametrize("case", READABLE, ids=[case.name for case in READABLE])
def test_web_platform_behaviour(case: Case) -> None:
    decoder = SseDecoder()
    events = feed_all(decoder, [case.stream])
    assert [(one.event, one.data, one.id) for one in events if isinstance(one, Event)] == list(
        case.events or ()
    )
    assert (decoder.retry, decoder.last_event_id) == (case.retry, case.last_event_id)
    assert decoder.close() == []


@pytest.mark.parametrize("case", READABLE, ids=[case.name for case in READABLE])
def test_web_platform_behaviour_at_every_split(case: Case) -> None:
    stream = case.stream.replace(b"." * 3000, b"." * 30)
    out = stages.every_split(SseDecoder, stream)
    assert out == Naive(stream).events
    for offset in range(len(stream) + 1):
        decoder = SseDecoder()
        feed_all(decoder, [stream[:offset], stream[offset:]])
        assert (decoder.retry, decoder.last_event_id) == (case.retry, case.last_event_id)


@settings(max_examples=600)
@given(SOUP, CUTS)
def test_any_bytes_in_any_split_decode_as_the_standard_says(soup: bytes, cuts: list[int]) -> None:
    expected = Naive(soup)
    decoder = SseDecoder()
    assert feed_all(decoder, cut(soup, cuts)) == expected.events
    assert (decoder.retry, decoder.last_event_id) == (expected.retry, expected.last_event_id)


@settings(max_examples=300)
@given(st.lists(st.text().filter(lambda text: "\n" not in text and "\r" not in text), min_size=1), CUTS)
def test_the_short_cut_is_the_long_way(texts: list[str], cuts: list[int]) -> None:
    """Nothing but whole `data: ` events: the read that is taken apart by one split, and the same cut up."""
    stream = b"".join(encode_event(text) for text in texts)
    assert [one.data for one in SseDecoder().feed(stream) if isinstance(one, Event)] == texts
    assert feed_all(SseDecoder(), cut(stream, cuts)) == SseDecoder().feed(stream)


@pytest.mark.parametrize(
    ("before", "read"),
    [
        (b"data: held\n", b"data: a\n\n"),
        (b"da", b"data: a\n\n"),
        (b"event: named\n", b"data: a\n\n"),
        (b"id: 4\n", b"data: a\n\n"),
        (b"retry: 4\n", b"data: a\n\n"),
        (b": comment\r", b"data: a\n\n"),
        (b"\xef\xbb", b"data: a\n\n"),
        (b"", b"data: a\n\ndata:b\n\ndata: c\n\n"),
        (b"", b"data: a\n\n\n\ndata: b\n\n"),
        (b"", b"data: a\ndata: b\n\n"),
        (b"", b"data: a\n\n: c\n\ndata: b\n\n"),
        (b"", b"data: \n\n"),
        (b"", b"data: a\rdata: b\n\n"),
        (b"", b"data: a\r\rdata: b\n\ndata: c\n\n"),
        (b"", b"data: a\n\nid: 1\n\ndata: b\n\n"),
        (b"data: a\n\n", b"\xef\xbb\xbfdata: b\n\n"),
    ],
)
def test_the_short_cut_is_not_taken_where_it_would_be_wrong(before: bytes, read: bytes) -> None:
    assert feed_all(SseDecoder(), [before, read]) == Naive(before + read).events
    assert stages.every_split(SseDecoder, before + read) == Naive(before + read).events


def test_an_id_alone_is_committed_and_a_keep_alive_behind_it_is_nothing() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"id: 5\n\n: ping\n\n: ping\n") == []
    assert decoder.last_event_id == "5"
    assert decoder.feed(b"data: x\n\n") == [Event("message", "x", "5")]


def test_retry_belongs_to_its_block_and_stays_on_the_decoder() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"retry: 10\n\ndata: a\n\nretry: 20\ndata: b\n\ndata: c\n\n") == [
        Event("message", "a"),
        Event("message", "b", "", 20),
        Event("message", "c"),
    ]
    assert decoder.retry == 20


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"0", 0),
        (b"007", 7),
        (b"9" * 16, MAX_RETRY_MS),
        (b"9" * 10_000, MAX_RETRY_MS),
        (b"0" * 10_000 + b"5", 5),
        ("\u0661".encode(), None),
        (b"-1", None),
        (b"1.5", None),
        (b" 1", None),
        (b"", None),
    ],
)
def test_retry_takes_ascii_digits_only(value: bytes, expected: int | None) -> None:
    decoder = SseDecoder()
    decoder.feed(b"retry: " + value + b"\n")
    assert decoder.retry == expected


@pytest.mark.parametrize(
    ("stream", "good", "code"),
    [
        (b"data: a\n\ndata: 12345\n\n", 1, "line_too_long"),
        (b"data: a\n\ndata: 12345", 1, "line_too_long"),
        (b"data: a\n\n:comment line", 1, "line_too_long"),
        (b"unknown: field value\n", 0, "line_too_long"),
        (b"\xef\xbb\xbfdata: 12345\n", 0, "line_too_long"),
        (b"data: 123\ndata: 456\n\n", 0, "event_too_large"),
        (b"data: a\n\n" + b"data\n" * 9, 1, "event_too_large"),
        (b"data:12345678\n", 0, "line_too_long"),
    ],
)
def test_over_a_limit_is_one_failure_behind_what_was_good(stream: bytes, good: int, code: str) -> None:
    def limited() -> SseDecoder:
        return SseDecoder(max_line_bytes=10, max_event_bytes=6)

    out = stages.every_split(limited, stream + b"data: b\n\n")
    assert [type(one) for one in out] == [Event] * good + [Failure]
    failure = stages.inert_after_failure(limited, stream)
    assert (failure.kind, failure.code) == ("wire", code)
    assert isinstance(failure.error(), WireError)


def test_a_mark_counts_for_no_limit() -> None:
    for stream in (b"\xef\xbb\xbf:\ndata\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbfa\n"):
        assert stages.every_split(lambda: SseDecoder(max_line_bytes=1), stream) == (
            [Failure("wire", "a line is longer than 1 bytes", "line_too_long", http_status=502)]
            if b"data" in stream
            else []
        )


@pytest.mark.parametrize("stream", [b"data: 1234\n\n", b"data:123456\n\n", b"\xef\xbb\xbfdata: 1234\r\n\r\n"])
def test_at_the_limit_is_good(stream: bytes) -> None:
    out = stages.every_split(lambda: SseDecoder(max_line_bytes=11, max_event_bytes=6), stream)
    assert [type(one) for one in out] == [Event]


@settings(max_examples=300)
@given(SOUP, CUTS, st.integers(1, 40), st.integers(1, 40))
def test_limits_do_not_depend_on_the_split(soup: bytes, cuts: list[int], line: int, event: int) -> None:
    whole = SseDecoder(line, event).feed(soup)
    assert feed_all(SseDecoder(line, event), cut(soup, cuts)) == whole
    good = [one for one in whole if isinstance(one, Event)]
    assert good == Naive(soup).events[: len(good)]
    if len(good) == len(whole):
        assert good == Naive(soup).events


def test_limits_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SseDecoder(max_line_bytes=0)
    with pytest.raises(ValueError, match="at least 1"):
        SseDecoder(max_event_bytes=0)


def test_closed_is_inert() -> None:
    stages.inert_after_close(SseDecoder, b"data: a\n\ndata: b")


@pytest.mark.parametrize(
    "unit", [b'data: {"a": 1}\n\n', b"x" * 16, b"data: x\n", b"\r", b": ping\n", b"data: a\r\n\r\n"]
)
def test_linear(unit: bytes) -> None:
    work.linear(SseDecoder, unit)


@pytest.mark.parametrize(
    "unit", [b": ping\n", b"nonsense\n", b"event: e\n", b"id: 1\n\n", b"\r\n", b"data: x\n\n"]
)
def test_what_leads_to_no_event_is_not_kept(unit: bytes) -> None:
    work.bounded(SseDecoder, unit, limit_bytes=2000, first=b"id: 0\n\nevent: first\ndata: begun\n")


def test_an_endless_line_and_an_endless_event_are_bounded() -> None:
    def limited() -> SseDecoder:
        return SseDecoder(max_line_bytes=10_000, max_event_bytes=20_000)

    assert work.bounded(limited, b"x" * 100, limit_bytes=25_000, first=b"data: ") > 9_000
    # Empty lines are the worst of it: each adds but one byte to the event.
    assert work.bounded(limited, b"data\n" * 100, limit_bytes=50_000) > 15_000


@given(
    st.text(),
    st.text().filter(lambda text: not set(text) & set("\r\n")),
    st.text().filter(lambda text: not set(text) & set("\r\n\0")),
    st.none() | st.integers(0, MAX_RETRY_MS),
)
def test_an_encoded_event_decodes_to_itself(data: str, event: str, id: str, retry: int | None) -> None:
    stream = encode_event(data, event, id, retry)
    arrives = data.replace("\r\n", "\n").replace("\r", "\n")
    assert SseDecoder().feed(stream) == [Event(event or "message", arrives, id, retry)]
    assert encode_event(data.encode(), event, id, retry) == stream


@pytest.mark.parametrize(
    "bad", [{"event": "a\nb"}, {"event": "a\r"}, {"id": "1\n"}, {"id": "1\0"}, {"retry": -1}], ids=str
)
def test_what_cannot_arrive_is_not_encoded(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be written|negative"):
        encode_event("x", **bad)  # type: ignore[arg-type]


def test_a_keep_alive_is_one_comment_line() -> None:
    assert comment() == b": ping\n"
    assert SseDecoder().feed(b"id: 3\ndata: a\n\n" + comment() * 3 + b"data: b\n\n") == [
        Event("message", "a", "3"),
        Event("message", "b", "3"),
    ]
    with pytest.raises(ValueError, match="one line"):
        comment("a\ndata: injected")


@given(st.binary(max_size=40))
def test_the_reference_decodes_utf8_as_python_does(data: bytes) -> None:
    assert utf8(data) == data.decode("utf-8", "replace")
