"""Log probabilities: the vendor's item for a piece of text, and our tokens."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Token
from headrace.wire.cohere.schema import Fields, LogProbs


def tokens_from(data: Any) -> tuple[Token, ...]:
    """The token of a piece of text; none where the item tells of several, whose texts nobody knows.

    Raises msgspec.ValidationError where it is no such item.
    """
    item = msgspec.convert(data, LogProbs)
    if len(item.token_ids) != 1:
        return ()
    logprob = item.logprobs[0] if item.logprobs else None
    return (Token(item.text, item.token_ids[0], logprob),)


def item_from(tokens: tuple[Token, ...]) -> Fields:
    """Our tokens as the vendor's item; empty where they have no ids, which it asks for."""
    ids = [token.id for token in tokens if token.id is not None]
    if not tokens or len(ids) != len(tokens):
        return {}
    item: Fields = {"text": "".join(token.text for token in tokens), "token_ids": ids}
    logprobs = [token.logprob for token in tokens if token.logprob is not None]
    return {**item, "logprobs": logprobs} if len(logprobs) == len(tokens) else item
