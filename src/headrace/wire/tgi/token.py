"""Tokens: the vendor's objects and ours."""

from __future__ import annotations

from math import isfinite
from typing import Any

from headrace.core.chunk import Token
from headrace.wire.tgi.schema import TokenBody

Fields = dict[str, Any]

# The vendor's schema wants a number; where a source does not tell its tokens' ids there is none to give.
UNKNOWN_ID = 0


def token_from(token: TokenBody, top: list[TokenBody] | None) -> Token:
    """The vendor's token as ours."""
    return Token(
        token.text,
        token.id,
        token.logprob,
        top=tuple(token_from(one, None) for one in top or ()),
        special=token.special,
    )


def token_body(token: Token) -> Fields:
    """Ours as the vendor's token; a log probability that is not known is null."""
    logprob = token.logprob
    return {
        "id": UNKNOWN_ID if token.id is None else token.id,
        "text": token.text,
        "logprob": logprob if logprob is not None and isfinite(logprob) else None,
        "special": token.special,
    }


def top_bodies(token: Token, own: Fields) -> list[Fields]:
    """A token's alternatives as the vendor's, with what of them is not modelled."""
    extras = own.get("top_tokens") or [{}] * len(token.top)
    return [{**extra, **token_body(one)} for extra, one in zip(extras, token.top, strict=False)]
