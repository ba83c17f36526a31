"""The relay: the client gets the very bytes, whole events only, and the verdict is the decoder's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.wire.openai_chat.events import DONE, TEXT, USAGE, call, delta, event

from headrace.core.chunk import Failure, Finish
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatRelay

SPENT = event(choices=[], usage=USAGE)
WHOLE = b"".join((*TEXT, SPENT, DONE))


def relay(*reads: bytes, include_usage: bool = True) -> tuple[bytes, Any, ChatRelay]:
    """The bytes forwarded, the terminal, and the relay."""
    stage = ChatRelay(include_usage)
    out = stages.run(stage, [[one] for one in reads])
    assert [isinstance(one, bytes) for one in out] == [True] * (len(out) - 1) + [False]
    return b"".join(out[:-1]), out[-1], stage


STREAMS = {
    "ordinary": WHOLE,
    "crlf": WHOLE.replace(b"\n", b"\r\n"),
    "comments": b": OPENROUTER PROCESSING\n\n" + TEXT[0] + b": ping\n" + b"".join(TEXT[1:]) + DONE,
    "named": b"event: message\n" + WHOLE,
    "reasoning, calls": delta(reasoning="a") + call(0, "a", "f", "{}") + delta(reason="tool_calls") + DONE,
    "legacy call": delta(function_call={"name": "f"}) + delta(reason="function_call") + DONE,
    "two candidates": delta(0, content="a") + delta(1, content="b") + delta(1, reason="stop") + DONE,
    "no reason": delta(content="a") + DONE,
    "empty answer": delta(role="assistant") + delta(reason="stop") + DONE,
    "without the terminator": b"".join(TEXT),
    "usage on a choice": delta(content="a") + event(
        choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=USAGE) + DONE,
    "x_groq": delta(content="a") + event(
        choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], x_groq={"usage": USAGE}) + DONE,
    "after the end": WHOLE + delta(content="more"),
    "reopened": b"".join(TEXT) + delta(content="more"),
    "cut": b"".join(TEXT[:3]),
    "cut in an event": b"".join(TEXT)[:-20],
    "nothing": b"",
    "only the terminator": DONE,
    "garbage": TEXT[0] + TEXT[1] + b"data: {]\n\n" + TEXT[2],
    "an error": TEXT[0] + TEXT[1] + b'data: {"error": {"message": "slow", "code": 429}}\n\n' + DONE,
    "a flat error": TEXT[0] + b'data: {"object": "error", "message": "no"}\n\n',
    "an error by name": TEXT[0] + b'event: error\ndata: {"code": 503}\n\n',
    "a reason that is an error": TEXT[1] + delta(reason="error") + DONE,
    "wrong types": TEXT[0] + b'data: {"choices": {"a": 1}}\n\n',
    "bad usage": b"".join(TEXT) + event(choices=[], usage={"prompt_tokens": "x"}) + DONE,
    "a page": b"<html><title>Bad Gateway</title></html>",
    "a whole answer": b'{"object": "chat.completion", "choices": []}',
    "odd but readable": event(
        choices=[{"index": "0", "delta": {"content": "a"}, "finish_reason": "stop"}]) + DONE,
}  # fmt: skip


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_the_verdict_is_the_decoders(stream: bytes) -> None:
    _, terminal, _ = relay(stream)
    theirs = stages.run(ChatDecoder(), [[stream]])[-1]
    if isinstance(theirs, Failure) and theirs.kind == "truncated":  # both say so, each in its own words
        assert (terminal.kind, terminal.code) == (theirs.kind, theirs.code)
    else:
        assert terminal == theirs


def same_run(out: list[Any]) -> list[Any]:
    """Outputs as one run, blank lines as one: a CRLF that was cut may leave its LF before the next event."""
    return [
        re.sub(rb"[\r\n]{2,}", b"\n\n", one) if isinstance(one, bytes) else one for one in stages.joined(out)
    ]


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_no_cut_makes_a_difference(stream: bytes) -> None:
    stages.every_split(stages.reads(lambda: ChatRelay(False)), stream, normal=same_run)


def test_garbage_and_truncation_upset_nothing() -> None:
    make = stages.reads(lambda: ChatRelay(True))
    short = TEXT[1] + TEXT[3] + DONE
    stages.every_truncation(make, short, normal=same_run)
    stages.garbage_everywhere(make, short, normal=same_run)
    stages.inert_after_close(make, short)


@pytest.mark.parametrize(
    "name", ["ordinary", "crlf", "comments", "named", "reasoning, calls", "two candidates"]
)
def test_the_bytes_are_the_very_same(name: str) -> None:
    sent, terminal, _ = relay(STREAMS[name])
    assert sent == STREAMS[name]
    assert isinstance(terminal, Finish)


def test_a_read_of_whole_events_is_forwarded_as_the_one_piece_it_came_in() -> None:
    read = TEXT[0] + TEXT[1]
    (out,) = ChatRelay(True).feed([read])
    assert out is read


def test_half_an_event_is_held_back() -> None:
    stage = ChatRelay(True)
    assert stage.feed([TEXT[0][:-1]]) == []
    assert stage.feed([TEXT[0][-1:] + TEXT[1][:9]]) == [TEXT[0]]


def test_a_keep_alive_comment_is_forwarded_at_once() -> None:
    assert ChatRelay(True).feed([b": ping\n"]) == [b": ping\n"]


@pytest.mark.parametrize("reads", [[WHOLE], [*TEXT, SPENT, DONE], [WHOLE[:100], WHOLE[100:]]])
def test_the_event_of_usage_alone_passes_only_where_asked_for(reads: list[bytes]) -> None:
    sent, terminal, stage = relay(*reads, include_usage=False)
    assert sent == b"".join(TEXT) + DONE
    assert isinstance(terminal, Finish)
    assert stage.usage is not None
    assert (stage.usage.input_tokens, stage.usage.output_tokens) == (3, 2)
    assert relay(*reads)[0] == WHOLE


def test_content_is_counted() -> None:
    assert relay(WHOLE)[2].content_events == 2
    assert relay(STREAMS["reasoning, calls"])[2].content_events == 2
    assert relay(STREAMS["empty answer"])[2].content_events == 0


def test_a_bad_event_does_not_leave_and_what_came_before_it_does() -> None:
    for name in ("garbage", "an error"):
        sent, terminal, _ = relay(STREAMS[name])
        assert sent == TEXT[0] + TEXT[1]
        assert isinstance(terminal, Failure)


def test_a_missing_terminator_is_written_for_the_client() -> None:
    sent, terminal, _ = relay(STREAMS["without the terminator"])
    assert sent == b"".join(TEXT) + DONE
    assert terminal == Finish("stop", "stop", clean=False)


def test_nothing_after_the_terminator_is_forwarded() -> None:
    assert relay(STREAMS["after the end"])[0] == WHOLE


def test_what_is_held_is_bounded() -> None:
    stage = ChatRelay(True, max_event_bytes=1000)
    out = stage.feed([b"data: " + b"x" * 2000])
    assert [one.code for one in out if isinstance(one, Failure)] == ["event_too_long"]
    assert stage.feed([b"more"]) == []
    assert stage.close() == []
