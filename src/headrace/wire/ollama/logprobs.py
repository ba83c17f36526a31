"""Log probabilities: the vendor's objects and our tokens."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from headrace.core.chunk import Token
from headrace.wire.ollama.schema import LogProb, TokenLogProb

# JSON has no infinity.
FLOOR = -9999.0


def tokens_from(entries: Iterable[LogProb] | None) -> tuple[Token, ...]:
    """The vendor's token objects as ours."""
    if not entries:
        return ()
    return tuple(
        Token(
            entry.token,
            logprob=entry.logprob,
            raw=_raw(entry),
            top=tuple(
                Token(top.token, logprob=top.logprob, raw=_raw(top)) for top in entry.top_logprobs or ()
            ),
        )
        for entry in entries
    )


def _raw(entry: TokenLogProb) -> bytes | None:
    """The token's bytes, where they are not simply its text."""
    try:
        raw = bytes(entry.bytes or ())
    except ValueError:  # a number that is no byte: the text is what we have
        return None
    return None if not raw or raw == entry.token.encode("utf-8", "replace") else raw


def token_bodies(tokens: Iterable[Token], *, top: bool = True) -> list[dict[str, Any]]:
    """Ours as the vendor's token objects; alternatives have none of their own."""
    bodies: list[dict[str, Any]] = []
    for token in tokens:
        raw = token.raw if token.raw is not None else token.text.encode("utf-8", "replace")
        logprob = token.logprob
        body: dict[str, Any] = {
            "token": token.text,
            "logprob": logprob if logprob is not None and isfinite(logprob) else FLOOR,
        }
        if raw:
            body["bytes"] = list(raw)
        if top and token.top:
            body["top_logprobs"] = token_bodies(token.top, top=False)
        bodies.append(body)
    return bodies
