"""Tokens: the vendor's objects and ours."""

from __future__ import annotations

from math import isfinite
from typing import Any

from headrace.core.chunk import Token
from headrace.wire.tgi.schema import TokenBody

Fields = dict[str, Any]

# The vendor's schema wants a number; where a source does not tell its tokens' ids there is none to give.
UNKNOWN_ID = 0


def token_from(token: TokenBody, top: list[TokenBody] | None, own: Fields) -> Token:
    """The vendor's token as ours; own: gathers which of the alternatives are special."""
    if not top:
        return Token(token.text, token.id, token.logprob)
    special = [at for at, one in enumerate(top) if one.special]
    if special:
        own["special_top"] = special
    return Token(
        token.text,
        token.id,
        token.logprob,
        top=tuple(Token(one.text, one.id, one.logprob) for one in top),
    )


def token_body(token: Token, *, special: bool = False) -> Fields:
    """Ours as the vendor's token; a log probability that is not known is null."""
    logprob = token.logprob
    return {
        "id": UNKNOWN_ID if token.id is None else token.id,
        "text": token.text,
        "logprob": logprob if logprob is not None and isfinite(logprob) else None,
        "special": special,
    }


def top_bodies(token: Token, own: Fields) -> list[Fields]:
    """A token's alternatives as the vendor's, with what of them is not modelled."""
    special = own.get("special_top", ())
    bodies = [token_body(one, special=at in special) for at, one in enumerate(token.top)]
    extras = own.get("top_tokens") or [{}] * len(bodies)
    return [{**extra, **body} for extra, body in zip(extras, bodies, strict=False)]
