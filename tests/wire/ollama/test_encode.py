from __future__ import annotations

import json
from typing import Any

import ollama
import pytest
from tests.wire import scripted
from tests.wire.ollama.lines import CHAT as CHAT_LINES
from tests.wire.ollama.lines import GENERATE as GENERATE_LINES
from tests.wire.ollama.lines import decode

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    Cancelled,
    Failure,
    ImageDelta,
    RefusalDelta,
    Start,
    TextDelta,
    ToolCallDelta,
)
from headrace.core.fold import fold
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ollama import CHAT_FRONT, GENERATE_FRONT, OllamaEncoder, parse_chat
from headrace.wire.ollama.shape import CHAT, GENERATE

SAYS = Says("x", "front", 1700000001)
PARSED = parse_chat(b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
MESSAGES = [{"role": "user", "content": "x"}]


def encode(chunks: Any, shape: Any = CHAT) -> bytes:
    return b"".join(stages.run(OllamaEncoder(SAYS, shape), [list(chunks)]))


def test_an_answer_of_another_wire_reaches_the_official_chat_client(answering: Any) -> None:
    events = list(answering(encode(scripted.EVERYTHING)).chat("m", MESSAGES, stream=True))
    assert "".join(one.message.thinking or "" for one in events) == "Let me think."
    assert "".join(one.message.content or "" for one in events) == "Hello é🙂"
    calls = [call for one in events for call in one.message.tool_calls or ()]
    assert [(one.function.name, one.function.arguments) for one in calls] == [
        ("weather", {"city": "Oslo"}),
        ("time", {}),
    ]
    last = events[-1]
    assert [one.done for one in events] == [False] * (len(events) - 1) + [True]
    assert (last.done_reason, last.prompt_eval_count, last.eval_count) == ("stop", 11, 7)
    assert {(one.model, one.created_at) for one in events} == {("front", "2023-11-14T22:13:21Z")}
    raw = [json.loads(one) for one in encode(scripted.EVERYTHING).splitlines()]
    ids = [call["id"] for one in raw for call in one["message"].get("tool_calls", ())]
    assert ids == ["call_a", "call_b"]


def test_an_answer_of_another_wire_reaches_the_official_generate_client(answering: Any) -> None:
    events = list(answering(encode(scripted.EVERYTHING, GENERATE)).generate("m", "x", stream=True))
    assert "".join(one.thinking or "" for one in events) == "Let me think."
    assert "".join(one.response for one in events) == "Hello é🙂"
    assert events[-1].done
    assert events[-1].eval_count == 7


@pytest.mark.parametrize("shape", [CHAT, GENERATE])
def test_any_grouping_of_chunks_gives_the_same_bytes(shape: Any) -> None:
    stages.check(lambda: OllamaEncoder(SAYS, shape), list(scripted.EVERYTHING), normal=stages.joined)


def test_a_whole_reply_reaches_the_official_client(answering: Any) -> None:
    reply = fold(scripted.EVERYTHING)
    whole = answering(CHAT_FRONT.body(reply, SAYS, PARSED)).chat("m", MESSAGES)
    assert (whole.message.content, whole.message.thinking) == ("Hello é🙂", "Let me think.")
    assert [one.function.name for one in whole.message.tool_calls] == ["weather", "time"]
    assert (whole.done, whole.done_reason, whole.prompt_eval_count) == (True, "stop", 11)
    text = answering(GENERATE_FRONT.body(reply, SAYS, PARSED)).generate("m", "x")
    assert (text.response, text.thinking, text.eval_count) == ("Hello é🙂", "Let me think.", 7)


def test_a_whole_reply_of_the_same_wire_keeps_its_metrics_and_context(answering: Any) -> None:
    body = GENERATE_FRONT.body(fold(decode(*GENERATE_LINES)), SAYS, PARSED)
    whole = answering(body).generate("m", "x")
    assert whole.context == [1, 2, 3]
    assert whole.total_duration == 4883583458
    assert whole.done_reason == "length"
    chat = answering(CHAT_FRONT.body(fold(decode(*CHAT_LINES)), SAYS, PARSED)).chat("m", MESSAGES)
    assert chat.logprobs[0].token == "Hel"
    assert chat.logprobs[0].top_logprobs[0].logprob == -2.5


@pytest.mark.parametrize("arguments", ["{cut", "[1]", '"x"', "{}x"])
def test_arguments_that_are_no_object_are_kept_whole_under_a_key_of_their_own(
    answering: Any, arguments: str
) -> None:
    chunks = [Start(), BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, arguments), BlockEnd(0)]
    chunks += scripted.text_reply()[-2:]
    events = list(answering(encode(chunks)).chat("m", MESSAGES, stream=True))
    assert events[0].message.tool_calls[0].function.arguments == {"_invalid_json": arguments}


def test_arguments_on_several_lines_do_not_end_the_line(answering: Any) -> None:
    chunks = [Start(), BlockStart(0, "tool-call", "c", "f"), ToolCallDelta(0, '{\r\n "a":\n 1}'), BlockEnd(0)]
    body = encode([*chunks, *scripted.text_reply()[-2:]])
    assert body.count(b"\n") == 2
    events = list(answering(body).chat("m", MESSAGES, stream=True))
    assert events[0].message.tool_calls[0].function.arguments == {"a": 1}


def test_no_arguments_are_an_empty_object_and_forgotten_ends_are_made_good(answering: Any) -> None:
    chunks = [Start(), BlockStart(0, "tool-call", "c", "f"), *scripted.text_reply()[-2:]]
    events = list(answering(encode(chunks)).chat("m", MESSAGES, stream=True))
    assert events[0].message.tool_calls[0].function.arguments == {}


def test_a_refusal_is_text_and_other_candidates_are_left_out(answering: Any) -> None:
    chunks = [Start(), BlockStart(0, "refusal"), RefusalDelta(0, "No."), TextDelta(1, "other", (), 1)]
    events = list(answering(encode([*chunks, *scripted.text_reply()[-2:]])).chat("m", MESSAGES, stream=True))
    assert [one.message.content for one in events] == ["No.", ""]


def test_an_image_goes_out_where_the_endpoint_has_a_place_for_it(answering: Any) -> None:
    chunks = [
        Start(),
        BlockStart(0, "image"),
        ImageDelta(0, b"png"),
        BlockEnd(0),
        *scripted.text_reply()[-2:],
    ]
    events = list(answering(encode(chunks, GENERATE)).generate("m", "x", stream=True))
    assert events[0].image == "cG5n"
    assert len(list(answering(encode(chunks)).chat("m", MESSAGES, stream=True))) == 1
    whole = answering(GENERATE_FRONT.body(fold(chunks), SAYS, PARSED)).generate("m", "x")
    assert whole.image == "cG5n"


@pytest.mark.parametrize(
    "terminal",
    [Failure.of(RateLimited("slow down")), Cancelled("slow down"), None],
    ids=["failure", "cancelled", "no terminal"],
)
def test_a_bad_end_makes_the_official_client_raise(answering: Any, terminal: Any) -> None:
    chunks = scripted.text_reply("Hel")[:3] + ([terminal] if terminal is not None else [])
    with pytest.raises(ollama.ResponseError, match=r"slow down|without a terminal"):
        list(answering(encode(chunks)).chat("m", MESSAGES, stream=True))


def test_an_error_status_raises_in_the_official_client(answering: Any) -> None:
    body = CHAT_FRONT.error_body(Failure.of(RateLimited("slow down")))
    with pytest.raises(ollama.ResponseError, match="slow down") as raised:
        answering(body, status=429).chat("m", MESSAGES)
    assert raised.value.status_code == 429
