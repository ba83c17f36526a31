"""What every protocol does with the words of sound, and with tokens that are no text."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire import scripted

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    Start,
    TextDelta,
    Token,
    TranscriptDelta,
)
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.testing import stages
from headrace.wire import wire_named
from headrace.wire.base import Front, ParsedRequest, Says

ASKED = ParsedRequest(Request("m"), stream=True, include_usage=True, wanted={"details": True})
SAYS = Says("id", "m", 7)
SPEECH: list[Chunk] = [
    Start("r"),
    BlockStart(0, "audio"),
    AudioDelta(0, b"\0\1", "pcm16", 24000, 1),
    BlockStart(1, "transcript"),
    TranscriptDelta(1, "Bonj"),
    TranscriptDelta(1, "maybe", committed=False),
    TranscriptDelta(1, "our 🎙"),
    BlockEnd(0),
    BlockEnd(1),
    CandidateEnd("stop"),
    Finish(),
]
SOUNDLESS = ("openai_completions", "anthropic", "ollama", "tgi")
LISTING = ("openai_chat", "openai_completions", "openai_responses", "gemini", "ollama")
TOKENS = (
    Token("Hi", 5, -0.5, top=(Token("Hi", 5, -0.5), Token("</s>", 2, -1.0, special=True))),
    Token("</s>", 2, -0.1, special=True),
)
LIKELY = [Start("r"), BlockStart(0, "text"), TextDelta(0, "Hi", TOKENS), *scripted.text_reply()[2:]]


def front_of(name: str) -> Front:
    front = wire_named(name).front
    assert front is not None
    return front


def through(name: str, chunks: list[Chunk]) -> Reply:
    """The answer as its stream's reader has it."""
    body = b"".join(stages.run(front_of(name).encoder(SAYS, ASKED), [chunks]))
    return fold(stages.run(wire_named(name).decoder({}), [[body]]))


@pytest.mark.parametrize("name", SOUNDLESS)
def test_where_sound_has_no_place_what_it_says_is_text(name: str) -> None:
    assert through(name, SPEECH).text == "Bonjour 🎙"
    assert "Bonjour 🎙" in front_of(name).body(fold(SPEECH), SAYS, ASKED).decode()


@pytest.mark.parametrize("name", LISTING)
def test_a_token_that_is_no_text_is_not_told_where_tokens_are_text(name: str) -> None:
    (token,) = through(name, LIKELY).tokens
    assert (token.text, token.logprob, token.special) == ("Hi", -0.5, False)
    assert [one.text for one in token.top] == ["Hi", "</s>"]  # it might have been: that is told
    body: Any = front_of(name).body(fold(LIKELY), SAYS, ASKED)
    assert body.count(b"</s>") == 1


def test_tgi_tells_both() -> None:
    tokens = through("tgi", LIKELY).tokens
    assert [(one.text, one.special) for one in tokens][:2] == [("Hi", False), ("</s>", True)]
