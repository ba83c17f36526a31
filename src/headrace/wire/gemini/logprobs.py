"""Log probabilities: the vendor's `logprobsResult` and our tokens."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.core.chunk import Token
from headrace.wire.gemini.schema import Fields, LogProb, LogProbs


def tokens_from(result: LogProbs | None) -> tuple[Token, ...]:
    """The vendor's tokens as ours, each with its alternatives."""
    if result is None or not result.chosen_candidates:
        return ()
    tops = result.top_candidates or []
    return tuple(
        Token(
            one.token,
            one.token_id,
            one.log_probability,
            top=tuple(map(_token, tops[at].candidates or ())) if at < len(tops) else (),
        )
        for at, one in enumerate(result.chosen_candidates)
    )


def _token(one: LogProb) -> Token:
    return Token(one.token, one.token_id, one.log_probability)


def logprobs_body(tokens: Iterable[Token]) -> Fields:
    """Ours as the vendor's `logprobsResult`."""
    chosen = list(tokens)
    body: Fields = {"chosenCandidates": [_body(one) for one in chosen]}
    if any(one.top for one in chosen):
        body["topCandidates"] = [{"candidates": [_body(top) for top in one.top]} for one in chosen]
    return body


def _body(token: Token) -> LogProb:
    return LogProb(token.text, token.id, token.logprob)
