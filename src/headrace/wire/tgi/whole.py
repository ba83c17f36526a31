"""A whole reply as the JSON body of an answer that is not streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.chunk import Token
from headrace.core.reply import Candidate, Reply
from headrace.wire.tgi.finish import reason_word
from headrace.wire.tgi.token import token_body
from headrace.wire.tgi.usage import seed_of

Fields = dict[str, Any]


def reply_body(reply: Reply, wanted: Mapping[str, Any], *, listed: bool) -> bytes:
    """The body for a reply that ended well; a failed one has `error_body` instead.

    wanted: `details`, `full_text` (the prompt the text begins with). listed: in a list of one, as the
    vendor's `POST /` answers. `prefill` is empty: the prompt's tokens are not told.
    """
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    text = candidate.text + candidate.transcript + candidate.refusal
    body: Fields = {"generated_text": (wanted.get("full_text") or "") + text}
    if wanted.get("details"):
        tokens = candidate.tokens or ((Token(text),) if text else ())
        body["details"] = {
            "finish_reason": reason_word(candidate.finish_reason or "stop"),
            "generated_tokens": reply.usage.output_tokens if reply.usage is not None else len(tokens),
            "seed": seed_of(reply.usage),
            "prefill": [],
            "tokens": [token_body(token) for token in candidate.tokens],
        }
        if any(token.top for token in candidate.tokens):
            tops = [[token_body(top) for top in token.top] for token in candidate.tokens]
            body["details"]["top_tokens"] = tops
    return msgspec.json.encode([body] if listed else body)
