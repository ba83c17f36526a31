from __future__ import annotations

import json
from typing import Any

import pytest
from huggingface_hub.errors import GenerationError, IncompleteGenerationError, OverloadedError
from huggingface_hub.errors import ValidationError as InvalidInput
from tests.wire import scripted
from tests.wire.tgi.events import TEXT, decode

from headrace.core.chunk import BlockStart, Cancelled, Failure, RefusalDelta, Start, TextDelta, Token
from headrace.core.fold import fold
from headrace.errors import RateLimited, RequestError, StreamGenerationException, Truncated, Unavailable
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.tgi import GENERATE_FRONT, ROOT_FRONT, TgiEncoder, parse_request

SAYS = Says("x", "m", 1)


def encode(chunks: Any, **wanted: Any) -> bytes:
    return b"".join(stages.run(TgiEncoder({"details": True, **wanted}), [list(chunks)]))


def generate(client: Any) -> list[Any]:
    return list(client.text_generation("p", stream=True, details=True))


def test_an_answer_of_another_wire_reaches_the_official_client(answering: Any) -> None:
    body = encode(scripted.EVERYTHING)
    events = generate(answering(body))
    assert "".join(one.token.text for one in events) == "Hello é🙂"
    assert [one.index for one in events] == [1, 2, 3]
    assert [one.generated_text for one in events] == [None, None, "Hello é🙂"]
    details = events[-1].details
    assert (details.finish_reason, details.generated_tokens, details.input_length) == ("eos_token", 7, 11)
    assert "".join(answering(body).text_generation("p", stream=True)) == "Hello é🙂"


def test_any_grouping_of_chunks_gives_the_same_bytes() -> None:
    stages.check(lambda: TgiEncoder({"details": True}), list(scripted.EVERYTHING), normal=stages.joined)


def test_tokens_of_another_wire_are_an_event_each(answering: Any) -> None:
    tokens = (Token("Hel", 4, -0.5, top=(Token("Hi", 5, -2.0),)), Token("lo", None, float("-inf")))
    chunks = [Start(), BlockStart(0, "text"), TextDelta(0, "Hello", tokens), TextDelta(0, "!", tokens)]
    events = generate(answering(encode([*chunks, *scripted.text_reply()[-3:]])))
    assert [(one.token.id, one.token.text, one.token.logprob) for one in events[:3]] == [
        (4, "Hel", -0.5),
        (0, "lo", None),
        (0, "!", None),
    ]
    assert events[0].top_tokens[0].text == "Hi"
    assert events[-1].details.generated_tokens == 3
    assert events[-1].generated_text == "Hello!"


def test_what_was_not_asked_is_not_told(answering: Any) -> None:
    events = generate(answering(encode(scripted.text_reply("x", usage=scripted.USAGE), details=False)))
    assert events[-1].details is None
    assert events[-1].generated_text == "x"
    events = generate(answering(encode(scripted.text_reply("x"), full_text="Say ")))
    assert events[-1].generated_text == "Say x"


def test_a_whole_reply_reaches_the_official_client(answering: Any) -> None:
    reply = fold(scripted.text_reply("Hel", "lo", reason="length", usage=scripted.USAGE))
    parsed = parse_request(b'{"inputs":"p","parameters":{"details":true}}', {}, "root")
    client = answering(ROOT_FRONT.body(reply, SAYS, parsed), content_type="application/json")
    whole = client.text_generation("p", details=True)
    assert whole.generated_text == "Hello"
    assert (whole.details.finish_reason, whole.details.generated_tokens) == ("length", 7)
    assert client.text_generation("p") == "Hello"
    plain = parse_request(b'{"inputs":"p","parameters":{"return_full_text":true}}', {}, "generate")
    assert GENERATE_FRONT.body(reply, SAYS, plain) == b'{"generated_text":"pHello"}'


def test_a_whole_reply_of_the_same_wire_keeps_its_tokens_and_seed(answering: Any) -> None:
    parsed = parse_request(b'{"inputs":"p","parameters":{"details":true}}', {}, "root")
    body = ROOT_FRONT.body(fold(decode(*TEXT)), SAYS, parsed)
    details = answering(body, content_type="application/json").text_generation("p", details=True).details
    assert details.seed == 42
    assert [(one.text, one.special) for one in details.tokens] == [
        ("Hel", False),
        ("lo", False),
        (" é", False),
        ("</s>", True),
    ]


def test_a_refusal_is_text_and_other_candidates_are_left_out(answering: Any) -> None:
    chunks = [Start(), BlockStart(0, "refusal"), RefusalDelta(0, "No."), TextDelta(1, "other", (), 1)]
    events = generate(answering(encode([*chunks, *scripted.text_reply()[-2:]])))
    assert [one.token.text for one in events] == ["No.", ""]


@pytest.mark.parametrize(
    ("terminal", "error"),
    [
        (Failure.of(RateLimited("slow down")), OverloadedError),
        (Failure.of(RequestError("bad")), InvalidInput),
        (Failure.of(StreamGenerationException("bug")), GenerationError),
        (Failure.of(Unavailable("the vendor's own word", code="generation")), GenerationError),
        (Failure.of(Truncated("cut")), IncompleteGenerationError),
        (Cancelled("stopped"), GenerationError),
        (None, IncompleteGenerationError),
    ],
    ids=["overloaded", "validation", "generation", "own word", "truncated", "cancelled", "no terminal"],
)
def test_a_bad_end_makes_the_official_client_raise(answering: Any, terminal: Any, error: Any) -> None:
    chunks = scripted.text_reply("Hel")[:3] + ([terminal] if terminal is not None else [])
    with pytest.raises(error):
        generate(answering(encode(chunks)))


def test_a_failure_behind_the_last_token_loses_no_text() -> None:
    body = encode([*decode(*TEXT)[:-1], Failure.of(Truncated("cut"))])
    events = [json.loads(one[6:]) for one in body.split(b"\n\n") if one]
    assert [one["token"]["text"] for one in events[:-1]] == ["Hel", "lo", " é", "</s>"]
    assert events[-2]["generated_text"] is None
    assert events[-1]["error_type"] == "incomplete_generation"


def test_an_error_status_raises_the_clients_own_class(answering: Any) -> None:
    body = ROOT_FRONT.error_body(Failure.of(RateLimited("slow down")))
    with pytest.raises(OverloadedError, match="slow down"):
        answering(body, status=429, content_type="application/json").text_generation("p")
