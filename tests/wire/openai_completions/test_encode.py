from __future__ import annotations

from typing import Any

import openai
import pytest
from tests.wire import scripted
from tests.wire.openai_completions.events import decode, piece

from headrace.core.chunk import BlockStart, Cancelled, Failure, RefusalDelta, Start, TextDelta, Token
from headrace.core.fold import fold
from headrace.errors import RateLimited, Truncated
from headrace.testing import stages
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.openai_completions import WIRE, CompletionsEncoder, parse_request

SAYS = Says("cmpl-9", "front", 1700000001)


def encode(chunks: Any, **how: Any) -> bytes:
    return b"".join(stages.run(CompletionsEncoder(SAYS, **how), [list(chunks)]))


def test_an_answer_of_another_wire_reaches_the_official_client(answering: Any) -> None:
    client = answering(encode(scripted.EVERYTHING, include_usage=True))
    events = list(client.completions.create(model="m", prompt="p", stream=True))
    assert "".join(one.choices[0].text for one in events if one.choices) == "Hello é🙂"
    assert {(one.id, one.model, one.created) for one in events} == {("cmpl-9", "front", 1700000001)}
    assert events[-2].choices[0].finish_reason == "stop"
    usage = events[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 7, 18)
    assert usage.prompt_tokens_details.cached_tokens == 4
    assert usage.completion_tokens_details.reasoning_tokens == 2


def test_any_grouping_of_chunks_gives_the_same_bytes() -> None:
    stages.check(
        lambda: CompletionsEncoder(SAYS, include_usage=True, echo="p"),
        list(scripted.EVERYTHING),
        normal=stages.joined,
    )


def test_a_whole_reply_reaches_the_official_client(answering: Any) -> None:
    assert WIRE.front is not None
    reply = fold(scripted.text_reply("Hel", "lo", reason="length", usage=scripted.USAGE))
    parsed = parse_request(b'{"model":"m","prompt":"Say: ","echo":true}')
    body = WIRE.front.body(reply, SAYS, parsed)
    whole = answering(body, content_type="application/json").completions.create(model="m", prompt="p")
    assert whole.choices[0].text == "Say: Hello"
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage.total_tokens == 18
    assert whole.object == "text_completion"


def test_the_prompt_is_echoed_before_each_candidate(answering: Any) -> None:
    assert WIRE.front is not None
    parsed = parse_request(b'{"model":"m","prompt":"Say: ","echo":true,"stream":true}')
    encoder = WIRE.front.encoder(SAYS, parsed)
    body = b"".join(stages.run(encoder, [scripted.text_reply("Hello")]))
    events = list(answering(body).completions.create(model="m", prompt="p", stream=True))
    assert [one.choices[0].text for one in events] == ["Say: ", "Hello", ""]


def test_tokens_of_another_wire_become_log_probabilities(answering: Any) -> None:
    tokens = (Token("Hel", 4, -0.5, top=(Token("Hi", 5, -2.0),)), Token("lo", 6, float("-inf")))
    chunks = [Start(), BlockStart(0, "text"), TextDelta(0, "Hello", tokens), *scripted.text_reply()[-3:]]
    logprobs = (
        next(iter(answering(encode(chunks)).completions.create(model="m", prompt="p", stream=True)))
        .choices[0]
        .logprobs
    )
    assert logprobs.tokens == ["Hel", "lo"]
    assert logprobs.token_logprobs == [-0.5, -9999.0]
    assert logprobs.top_logprobs == [{"Hi": -2.0}, {}]
    assert logprobs.text_offset == [0, 3]


def test_a_refusal_is_text_that_was_filtered(answering: Any) -> None:
    chunks = [Start(), BlockStart(0, "refusal"), RefusalDelta(0, "No."), *scripted.text_reply()[-3:]]
    events = list(answering(encode(chunks)).completions.create(model="m", prompt="p", stream=True))
    assert events[0].choices[0].text == "No."
    assert events[-1].choices[0].finish_reason == "content_filter"
    assert WIRE.front is not None
    whole = WIRE.front.body(
        fold(chunks), SAYS, ParsedRequest(parse_request(b'{"model":"m","prompt":""}').request)
    )
    assert b'"content_filter"' in whole


@pytest.mark.parametrize(
    "terminal",
    [Failure.of(RateLimited("slow down")), Cancelled("stopped"), None],
    ids=["failure", "cancelled", "no terminal"],
)
def test_a_bad_end_makes_the_official_client_raise(answering: Any, terminal: Any) -> None:
    chunks = scripted.text_reply("Hel")[:3] + ([terminal] if terminal is not None else [])
    body = encode(chunks)
    assert body.endswith(b"data: [DONE]\n\n")
    with pytest.raises(openai.APIError):
        list(answering(body).completions.create(model="m", prompt="p", stream=True))


def test_an_error_status_raises_the_clients_own_class(answering: Any) -> None:
    assert WIRE.front is not None
    failure = Failure.of(RateLimited("slow down"))
    client = answering(WIRE.front.error_body(failure), content_type="application/json", status=429)
    with pytest.raises(openai.RateLimitError, match="slow down"):
        client.completions.create(model="m", prompt="p")


def test_a_failure_behind_the_last_piece_loses_no_text() -> None:
    chunks = decode(piece("a"), piece("b", reason="stop"))
    failed = encode([*chunks[:4], Failure.of(Truncated("cut"))])
    assert failed.index(b'"a"') < failed.index(b'"b"') < failed.index(b"error")
