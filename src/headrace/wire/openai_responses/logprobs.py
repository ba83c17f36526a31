"""Log probabilities: the vendor's objects and our tokens.

A token's bytes are kept (`Token.raw`) only where they are not simply its text in UTF-8: a character split
over several tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec

from headrace.core.chunk import Token
from headrace.wire.openai_responses.schema import LogProb

# What the vendor itself writes for "very unlikely"; JSON has no infinity.
FLOOR = -9999.0


def tokens_from(bodies: list[Any]) -> tuple[Token, ...]:
    """The vendor's token objects as ours. Raises msgspec.ValidationError for what is none."""
    return _tokens(msgspec.convert(bodies, list[LogProb]))


def _tokens(entries: Iterable[LogProb] | None) -> tuple[Token, ...]:
    if not entries:
        return ()
    return tuple(Token(one.token, None, one.logprob, _raw(one), _tokens(one.top_logprobs)) for one in entries)


def _raw(entry: LogProb) -> bytes | None:
    if entry.bytes is None:
        return None
    try:
        raw = bytes(entry.bytes)
    except ValueError:  # a number that is no byte: the text is what we have
        return None
    return None if raw == entry.token.encode("utf-8", "replace") else raw


def token_bodies(tokens: Iterable[Token], *, top: bool = True) -> list[dict[str, Any]]:
    """Ours as the vendor's token objects; alternatives have none of their own."""
    bodies: list[dict[str, Any]] = []
    for token in tokens:
        raw = token.raw if token.raw is not None else token.text.encode("utf-8", "replace")
        logprob = token.logprob
        body: dict[str, Any] = {
            "token": token.text,
            "logprob": logprob if logprob is not None and isfinite(logprob) else FLOOR,
            "bytes": list(raw),
        }
        if top:
            body["top_logprobs"] = token_bodies(token.top, top=False)
        bodies.append(body)
    return bodies
