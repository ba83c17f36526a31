"""Log probabilities as OpenAI's newer protocols write them, token by token, and our tokens.

A token's bytes are kept (`Token.raw`) only where they are not simply its text in UTF-8: a character split
over several tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec

from headrace.core.chunk import Token

# What the vendor itself writes for "very unlikely"; JSON has no infinity.
FLOOR = -9999.0


class LogProb(msgspec.Struct, gc=False, omit_defaults=True):
    """One token. bytes: its UTF-8, null where it has none. id: llama.cpp and ours, not OpenAI's."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[LogProb] | None = None
    id: int | None = None


def tokens_from(entries: Iterable[LogProb] | None) -> tuple[Token, ...]:
    """The vendor's token objects as ours."""
    if not entries:
        return ()
    return tuple(
        Token(
            entry.token,
            entry.id,
            entry.logprob,
            _raw(entry),
            tokens_from(entry.top_logprobs),
        )
        for entry in entries
    )


def tokens_in(bodies: Any) -> tuple[Token, ...]:
    """The same from plain data. Raises msgspec.ValidationError for what is no list of them."""
    return tokens_from(msgspec.convert(bodies, list[LogProb]))


def _raw(entry: LogProb) -> bytes | None:
    if entry.bytes is None:
        return None
    try:
        raw = bytes(entry.bytes)
    except ValueError:  # a number that is no byte: the text is what we have
        return None
    return None if raw == entry.token.encode("utf-8", "replace") else raw


def token_bodies(tokens: Iterable[Token], *, top: bool = True, ids: bool = False) -> list[dict[str, Any]]:
    """Ours as the vendor's token objects. top: with alternatives, which have none of their own."""
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
            body["top_logprobs"] = token_bodies(token.top, top=False, ids=ids)
        if ids and token.id is not None:
            body["id"] = token.id
        bodies.append(body)
    return bodies
