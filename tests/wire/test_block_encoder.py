"""What the protocols of blocks share: a text with tokens is an ordinary piece where they have no place."""

from __future__ import annotations

import pytest

from headrace.core.chunk import BlockEnd, BlockStart, CandidateEnd, Chunk, Finish, Start, TextDelta, Token
from headrace.testing.stages import run
from headrace.wire.anthropic import MessagesEncoder
from headrace.wire.bedrock.encode import ConverseEncoder
from headrace.wire.block_encoder import BlockEncoder
from headrace.wire.cohere.encode import ChatEncoder

TOKENS = (Token("Hel", 7, -0.5), Token("lo", 8, -0.25))


def said(encoder: BlockEncoder, tokens: tuple[Token, ...]) -> bytes:
    chunks: list[Chunk] = [
        Start("id", "m", 1),
        BlockStart(0, "text"),
        TextDelta(0, "Hello", tokens),
        BlockEnd(0),
        CandidateEnd("stop"),
        Finish("stop"),
    ]
    return b"".join(run(encoder, [chunks]))


@pytest.mark.parametrize("make", [MessagesEncoder, ConverseEncoder])
def test_tokens_without_a_place_change_nothing(make: type[BlockEncoder]) -> None:
    assert said(make(), TOKENS) == said(make(), ())


def test_tokens_with_a_place_are_told() -> None:
    assert said(ChatEncoder(), TOKENS) != said(ChatEncoder(), ())
