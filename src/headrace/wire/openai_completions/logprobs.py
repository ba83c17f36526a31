"""Log probabilities: the vendor's four lists and our tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from headrace.core.chunk import Token
from headrace.wire.openai_completions.schema import LogProbs

# What the vendor itself writes for "very unlikely"; JSON has no infinity.
FLOOR = -9999.0


def tokens_from(logprobs: LogProbs | None) -> tuple[Token, ...]:
    """The vendor's lists as tokens."""
    if logprobs is None or not logprobs.tokens:
        return ()
    own = logprobs.token_logprobs or []
    tops = logprobs.top_logprobs or []
    return tuple(
        Token(
            text,
            logprob=own[at] if at < len(own) else None,
            top=_top(tops[at]) if at < len(tops) else (),
        )
        for at, text in enumerate(logprobs.tokens)
    )


def _top(top: dict[str, float] | None) -> tuple[Token, ...]:
    return tuple(Token(text, logprob=logprob) for text, logprob in (top or {}).items())


def logprobs_body(tokens: Sequence[Token], offsets: Iterable[int]) -> dict[str, Any]:
    """Tokens as the vendor's lists; offsets: where each token begins."""
    return {
        "text_offset": list(offsets),
        "token_logprobs": [_finite(token.logprob) for token in tokens],
        "tokens": [token.text for token in tokens],
        "top_logprobs": [{top.text: _finite(top.logprob) for top in token.top} for token in tokens],
    }


def _finite(logprob: float | None) -> float:
    return logprob if logprob is not None and isfinite(logprob) else FLOOR
