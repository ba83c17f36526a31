"""The encoder and the whole-answer body, read back by the official client's own models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from tests.wire.openai_chat.judge import Said

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Step,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    Verdict,
)
from headrace.core.fold import fold
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import RateLimited
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatEncoder, completion_body

START = Start("c-1", "m", 7)
HELLO: list[Chunk] = [
    START,
    BlockStart(0, "text"),
    TextDelta(0, "Hel"),
    TextDelta(0, 'lo "\n\u2028é\U0001f600'),
    BlockEnd(0),
    CandidateEnd("stop", "stop"),
    UsageReport(Usage(3, 2, cached_input_tokens=1, reasoning_tokens=1)),
    Finish("stop", "stop"),
]


def encode(*chunks: Chunk, include_usage: bool = False, **about: Any) -> bytes:
    return b"".join(stages.run(ChatEncoder(include_usage=include_usage, **about), [list(chunks)]))


def bodies(stream: bytes) -> list[Any]:
    events = stream.split(b"\n\n")
    assert events.pop() == b""
    return [json.loads(one[6:]) for one in events if one != b"data: [DONE]"]


def deltas(*chunks: Chunk) -> list[Any]:
    """The delta of each event but the role's and the last one's."""
    end = (CandidateEnd("stop"), Finish())
    return [one["choices"][0]["delta"] for one in bodies(encode(START, *chunks, *end))[1:-1]]


def test_every_event_validates_strictly_against_the_official_models() -> None:
    stream = encode(*HELLO, include_usage=True)
    assert stream.endswith(b"data: [DONE]\n\n")
    for body in bodies(stream):
        ChatCompletionChunk.model_validate(body, strict=True)
        assert (body["id"], body["model"], body["created"]) == ("c-1", "m", 7)


def test_the_role_comes_with_the_first_block_and_nothing_before_it() -> None:
    encoder = ChatEncoder(include_usage=False)
    assert encoder.feed([START]) == []
    first = bodies(b"".join(encoder.feed([BlockStart(0, "text"), TextDelta(0, "a")])))
    assert [one["choices"][0]["delta"] for one in first] == [
        {"role": "assistant", "content": ""},
        {"content": "a"},
    ]


def test_usage_is_null_on_each_event_and_last_only_where_asked_for() -> None:
    without = bodies(encode(*HELLO))
    assert not any("usage" in one for one in without)
    events = bodies(encode(*HELLO, include_usage=True))
    assert [one["usage"] for one in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1]["choices"] == []
    assert events[-1]["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }


def test_given_names_stand_before_the_sources() -> None:
    body = bodies(encode(*HELLO, id="mine", model="alias", created_s=9))[0]
    assert (body["id"], body["model"], body["created"]) == ("mine", "alias", 9)


def test_text_comes_out_as_it_went_in(sdk_said: Callable[[bytes], Said]) -> None:
    assert sdk_said(encode(*HELLO)).text == 'Hello "\n\u2028é\U0001f600'


def test_calls_are_numbered_from_zero_in_their_order(sdk_said: Callable[[bytes], Said]) -> None:
    stream = encode(
        START,
        BlockStart(4, "tool-call", "a", "f"),
        BlockStart(7, "tool-call", "", "g"),
        ToolCallDelta(7, "[1"),
        ToolCallDelta(4, "{}"),
        ToolCallDelta(7, "]"),
        BlockEnd(4),
        BlockEnd(7),
        CandidateEnd("tool_calls", "tool_use"),
        Finish("tool_calls"),
    )
    said = sdk_said(stream)
    assert said.tool_calls == [("a", "f", "{}"), ("call_1", "g", "[1]")]
    assert said.finish_reason == "tool_calls"


def test_reasoning_refusal_and_media_have_their_fields() -> None:
    assert deltas(BlockStart(0, "reasoning"), ReasoningDelta(0, "hm")) == [{"reasoning_content": "hm"}]
    assert deltas(BlockStart(0, "refusal"), RefusalDelta(0, "no")) == [{"refusal": "no"}]
    assert deltas(BlockStart(0, "audio", "au"), AudioDelta(0, b"\0\1"), BlockEnd(0)) == [
        {"audio": {"id": "au"}},
        {"audio": {"data": "AAE="}},
    ]
    assert deltas(TranscriptDelta(0, "hi"), TranscriptDelta(0, "?", committed=False)) == [
        {"audio": {"transcript": "hi"}}
    ]
    (picture,) = deltas(ImageDelta(0, b"\0", "image/png"), ImageDelta(0, b"\1", partial=True))
    assert picture["images"][0]["image_url"]["url"] == "data:image/png;base64,AA=="
    (cited,) = deltas(Citation(0, "u", "t", start=0, end=2))
    assert cited["annotations"][0]["url_citation"] == {
        "url": "u",
        "title": "t",
        "start_index": 0,
        "end_index": 2,
    }


def test_what_the_protocol_has_no_place_for_is_left_out() -> None:
    other = Opaque("another_wire", {"x": 1})
    assert deltas(Step("look"), Verdict("safe"), VendorPart(other)) == []
    assert deltas(TextDelta(0, "a", vendor=other)) == [{"content": "a"}]


def test_log_probabilities_are_those_of_the_tokens(sdk_said: Callable[[bytes], Said]) -> None:
    top = (Token("a", logprob=-0.1), Token("b", logprob=float("-inf")))
    tokens = (Token("a", 5, -0.1, None, top), Token("\\xe6", None, None, b"\xe6"))
    body = bodies(encode(START, TextDelta(0, "a\ufffd", tokens), CandidateEnd("stop"), Finish()))[1]
    chunk = ChatCompletionChunk.model_validate(body)
    logprobs = chunk.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert [(one.token, one.logprob, one.bytes) for one in logprobs.content] == [
        ("a", -0.1, [97]),
        ("\\xe6", -9999.0, [230]),
    ]
    assert [(one.token, one.logprob) for one in logprobs.content[0].top_logprobs] == [
        ("a", -0.1),
        ("b", -9999.0),
    ]
    back = fold(stages.run(ChatDecoder(), [[encode(START, TextDelta(0, "a", tokens[:1]), Finish())]]))
    assert back.tokens[0].id == 5


@pytest.mark.parametrize(
    ("reason", "raw", "word"),
    [
        ("stop", "end_turn", "stop"),
        ("stop_sequence", "", "stop"),
        ("length", "MAX_TOKENS", "length"),
        ("tool_calls", "function_call", "function_call"),
        ("content_filter", "SAFETY", "content_filter"),
    ],
)
def test_reasons_are_words_that_clients_know(reason: Any, raw: str, word: str) -> None:
    last = bodies(encode(START, TextDelta(0, "a"), CandidateEnd(reason, raw), Finish()))[-1]
    assert last["choices"][0]["finish_reason"] == word


def test_an_answer_without_a_block_still_has_its_role() -> None:
    events = bodies(encode(START, CandidateEnd("stop"), Finish()))
    assert [one["choices"][0]["delta"] for one in events] == [{"role": "assistant", "content": ""}, {}]


def test_vendor_parts_of_this_wire_go_back_where_they_were() -> None:
    own = Opaque("openai_chat", {"delta": {"mood": 1}, "filter": {"ok": True}})
    stream = encode(
        Start("c", "m", 1, Opaque("openai_chat", {"system_fingerprint": "fp", "service_tier": "flex"})),
        TextDelta(0, "a", vendor=own),
        VendorPart(Opaque("openai_chat", {"citations": ["u"]})),
        CandidateEnd("stop", "stop", vendor=Opaque("openai_chat", {"native_finish_reason": "STOP"})),
        Finish(),
    )
    events = bodies(stream)
    assert all(one["system_fingerprint"] == "fp" and one["service_tier"] == "flex" for one in events)
    assert events[1]["choices"][0]["delta"] == {"content": "a", "mood": 1}
    assert events[1]["choices"][0]["filter"] == {"ok": True}
    assert events[2]["citations"] == ["u"]
    assert events[3]["choices"][0]["native_finish_reason"] == "STOP"


def test_a_kept_field_never_replaces_what_is_modelled() -> None:
    own = Opaque("openai_chat", {"delta": {"content": "kept", "mood": 1}})
    assert deltas(TextDelta(0, "said", vendor=own)) == [{"content": "said", "mood": 1}]
    part = Opaque("openai_chat", {"id": 3, "choices": [{"index": 0, "filter": {}}]})
    event = bodies(encode(START, VendorPart(part), CandidateEnd("stop"), Finish()))[0]
    assert event["id"] == "c-1"
    assert event["choices"] == [{"index": 0, "delta": {}, "finish_reason": None, "filter": {}}]
    assert part.data["choices"] == [{"index": 0, "filter": {}}]  # nor is what was kept changed


# --- bad ends, seen by the official client over its own transport


def client_for(stream: bytes) -> openai.OpenAI:
    """The official client, reading `stream` as the answer to whatever it asks."""

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(
        api_key="k", base_url="http://test", http_client=httpx2.Client(transport=transport), max_retries=0
    )


def read(stream: bytes) -> list[Any]:
    with client_for(stream) as client:
        return list(client.chat.completions.create(model="m", messages=[], stream=True))


def test_the_official_client_reads_the_stream() -> None:
    assert "".join(one.choices[0].delta.content or "" for one in read(encode(*HELLO))).startswith("Hello")


@pytest.mark.parametrize(
    ("end", "said", "code"),
    [
        (Failure.of(RateLimited("slow down", code="tokens")), "slow down", "tokens"),
        (Cancelled("the server is stopping"), "the server is stopping", "cancelled"),
        (None, "without a terminal", "truncated"),
    ],
    ids=["failure", "cancelled", "nothing"],
)
def test_the_official_client_raises_at_a_bad_end_and_does_not_hang(end: Any, said: str, code: str) -> None:
    stream = encode(*HELLO[:3], *([end] if end is not None else []))
    assert stream.endswith(b"data: [DONE]\n\n")
    with pytest.raises(openai.APIError) as caught:
        read(stream)
    assert said in caught.value.message
    assert caught.value.code == code


# --- the answer that is not streamed


def test_the_whole_answer_validates_strictly_against_the_official_model() -> None:
    tokens = (Token("a", None, -0.5),)
    reply = fold(
        [
            START,
            ReasoningDelta(0, "hm"),
            TextDelta(1, "a", tokens),
            BlockStart(2, "tool-call", "a", "f"),
            ToolCallDelta(2, "{}"),
            CandidateEnd("tool_calls", "tool_calls"),
            UsageReport(Usage(3, 2)),
            Finish("tool_calls"),
        ]
    )
    answer = ChatCompletion.model_validate(json.loads(completion_body(reply)), strict=True)
    choice = answer.choices[0]
    assert (answer.id, answer.model, answer.created, answer.object) == ("c-1", "m", 7, "chat.completion")
    assert (choice.message.content, choice.finish_reason) == ("a", "tool_calls")
    assert choice.message.reasoning_content == "hm"  # type: ignore[attr-defined]
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].function.arguments == "{}"  # type: ignore[union-attr]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert choice.logprobs.content[0].logprob == -0.5
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


def test_an_empty_answer_has_empty_content_and_a_refusal_none() -> None:
    empty = json.loads(completion_body(fold([START, CandidateEnd("length"), Finish("length")])))
    assert empty["choices"][0]["message"]["content"] == ""
    refused = json.loads(
        completion_body(fold([START, RefusalDelta(0, "no"), CandidateEnd("stop"), Finish()]))
    )
    assert refused["choices"][0]["message"]["content"] is None
    assert refused["choices"][0]["message"]["refusal"] == "no"


def test_sound_pictures_sources_and_old_calls_in_a_whole_answer() -> None:
    legacy = Opaque("openai_chat", {"field": "function_call"})
    reply = fold(
        [
            START,
            AudioDelta(0, b"\0\1"),
            TranscriptDelta(1, "hi"),
            ImageDelta(2, b"\0", "image/png"),
            Citation(0, "u", "t", start=0, end=2),
            BlockStart(3, "tool-call", "f", "f", vendor=legacy),
            ToolCallDelta(3, "{}"),
            CandidateEnd("stop"),
            VendorPart(Opaque("openai_chat", {"citations": ["u"], "id": "not this"})),
            Finish(),
        ]
    )
    body = json.loads(completion_body(reply))
    message = body["choices"][0]["message"]
    assert (message["audio"]["data"], message["audio"]["transcript"]) == ("AAE=", "hi")
    assert message["images"][0]["image_url"]["url"] == "data:image/png;base64,AA=="
    assert message["annotations"][0]["url_citation"]["url"] == "u"
    assert message["function_call"] == {"name": "f", "arguments": "{}"}
    assert (body["citations"], body["id"]) == (["u"], "c-1")
