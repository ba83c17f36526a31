"""Relays of the wires of events: the very bytes, whole events only, judged as the decoder judges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.wire import recordings
from tests.wire.anthropic.events import TEXT, TOOLS
from tests.wire.cohere.events import TEXT as COHERE
from tests.wire.gemini.events import TEXT as GEMINI
from tests.wire.openai_completions.events import TEXT as COMPLETIONS
from tests.wire.openai_responses.events import HELLO

from headrace.core.chunk import TERMINALS, Failure, Finish, ReasoningDelta
from headrace.core.fold import fold
from headrace.errors import Unavailable
from headrace.testing import stages
from headrace.wire import wire_named

STREAMS: dict[str, bytes] = {
    "anthropic": b"".join(TEXT),
    "cohere": b"".join(COHERE),
    "gemini": b"".join(GEMINI),
    "openai_completions": b"".join(COMPLETIONS),
    "openai_responses": HELLO,
}


def relay(wire: str) -> Any:
    made = wire_named(wire).relay
    assert made is not None
    return made(True, {})


def passed(out: Sequence[Any]) -> bytes:
    return b"".join(one for one in out if isinstance(one, bytes))


def joined(out: list[Any]) -> list[Any]:
    """What leaves, as one run. The LF of a last CRLF is not waited for: the CR has ended the event."""
    return [one.rstrip(b"\r\n") if isinstance(one, bytes) else one for one in stages.joined(out)]


@pytest.mark.parametrize("wire", STREAMS)
def test_a_whole_stream_passes_byte_for_byte_however_it_is_cut(wire: str) -> None:
    body = STREAMS[wire]
    make = stages.reads(lambda: relay(wire))
    out = stages.every_split(make, body, normal=joined)
    stages.inert_after_close(make, body)
    assert passed(out) == body
    assert isinstance(out[-1], Finish)
    one = relay(wire)
    stages.run(one, [[body]])
    reply = fold(stages.run(wire_named(wire).decoder(), [[body]]))
    assert one.usage == reply.usage
    assert one.content_events > 0


@pytest.mark.parametrize("wire", STREAMS)
def test_only_whole_events_leave_and_an_end_without_its_end_is_a_failure(wire: str) -> None:
    body = STREAMS[wire]
    blank = b"\r\n\r\n" if wire == "gemini" else b"\n\n"
    for cut in range(1, len(body) - 1, 7):
        out = stages.run(relay(wire), [[body[:cut]]])
        told = passed(out)
        assert body.startswith(told) or told.endswith(b"data: [DONE]\n\n")
        assert not told or told.endswith(blank)
        terminal = stages.run(wire_named(wire).decoder(), [[body[:cut]]])[-1]
        assert out[-1] == terminal


@pytest.mark.parametrize("wire", ["anthropic", "openai_completions"])
def test_garbage_anywhere_is_judged_the_same_however_it_is_cut(wire: str) -> None:
    make = stages.reads(lambda: relay(wire))
    stages.garbage_everywhere(make, STREAMS[wire], [b"\xff\xfe", b"\r", b"{]}\n\n"], normal=joined)


@pytest.mark.parametrize("wire", STREAMS)
def test_an_error_event_does_not_leave(wire: str) -> None:
    front = wire_named(wire).front
    assert front is not None
    failure = Failure.of(Unavailable("gone"))
    error = relay(wire).failed(failure)
    blank = b"\r\n\r\n" if wire == "gemini" else b"\n\n"
    first = STREAMS[wire].partition(blank)[0] + blank
    out = stages.run(relay(wire), [[first + error + first]])
    assert passed(out) == first
    assert [type(one) in TERMINALS for one in out].count(True) == 1
    assert (out[-1].kind, out[-1].message.endswith("gone")) == ("unavailable", True)


def test_a_failed_responses_stream_goes_on_counting() -> None:
    one = relay("openai_responses")
    events = HELLO.split(b"\n\n")[:3]
    one.feed([b"\n\n".join(events) + b"\n\n"])
    error = json.loads(one.failed(Failure.of(Unavailable("gone"))).partition(b"data: ")[2])
    assert error["sequence_number"] == 3


@pytest.mark.parametrize("wire", STREAMS)
def test_events_before_a_broken_one_leave_though_their_lines_end_otherwise(wire: str) -> None:
    sent = STREAMS[wire].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    first = sent.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    out = stages.run(relay(wire), [[first + b"data: {]\n\n"]])
    assert passed(out) == first
    assert out[-1].kind == "wire"


def test_of_geminis_events_only_the_data_leaves() -> None:
    """Its official client takes every line that is neither empty nor data for an answer of its own."""
    first, *rest = GEMINI
    lone, named = b": a comment\n", b": another\r\nevent: x\r\nid: 1\r\n"
    make = stages.reads(lambda: relay("gemini"))
    out = stages.every_split(make, lone + named + first + lone + lone + b"".join(rest))
    assert passed(out) == b"".join(GEMINI)


@pytest.mark.parametrize(("wire", "sent"), [("openai_completions", COMPLETIONS), ("cohere", COHERE)])
def test_a_forgotten_terminator_is_written(wire: str, sent: Sequence[bytes]) -> None:
    *events, done = sent
    assert done == b"data: [DONE]\n\n"
    out = stages.run(relay(wire), [[b"".join(events)]])
    assert passed(out) == b"".join(sent)
    assert out[-1].clean is (wire == "cohere")  # its message-end has said all


@pytest.mark.recordings
@pytest.mark.parametrize("wire", STREAMS)
def test_every_recording_passes_as_it_came(wire: str) -> None:
    streams = recordings.streams(wire)
    if not streams:
        pytest.skip(recordings.ABSENT)
    for _, body in streams:
        chunks = stages.run(wire_named(wire).decoder(), [[body]])
        out = stages.run(relay(wire), [[body]])
        assert out[-1] == chunks[-1]
        if isinstance(chunks[-1], Finish):
            assert passed(out) == body


def test_what_is_only_reasoning_is_told_apart() -> None:
    one = relay("anthropic")
    stages.run(one, [[b"".join(TOOLS)]])
    chunks = stages.run(wire_named("anthropic").decoder(), [[b"".join(TOOLS)]])
    thoughts = sum(type(chunk) is ReasoningDelta for chunk in chunks)
    assert 0 < thoughts == one.reasoning_events < one.content_events
