"""A whole reply -> the vendor's answer that is not streamed."""

from __future__ import annotations

import msgspec

from headrace.core.reply import Candidate, Reply
from headrace.wire.base import Says
from headrace.wire.cohere.citations import BESIDE, citation_body
from headrace.wire.cohere.content import spoken
from headrace.wire.cohere.finish import reason_word
from headrace.wire.cohere.schema import EVENT, Fields, own
from headrace.wire.cohere.tokens import item_from
from headrace.wire.cohere.usage import usage_body
from headrace.wire.kept import put_back


def chat_body(reply: Reply, says: Says) -> bytes:
    """The JSON body of an answer. says: what is empty there is the source's own."""
    candidate = reply.candidates[0] if reply.candidates else Candidate()
    raw = candidate.raw_reason or getattr(reply.terminal, "raw_reason", "")
    message = {"role": "assistant", **spoken(candidate.parts)}
    citations = _citations(candidate, message.get("content", []))
    if citations:
        message["citations"] = citations
    body: Fields = {
        "id": says.id or reply.id,
        "finish_reason": reason_word(reply.finish_reason or "stop", raw),
        "message": message,
    }
    if reply.usage is not None:
        body["usage"] = usage_body(reply.usage)
    items = [item for token in candidate.tokens if (item := item_from((token,)))]
    if items:
        body["logprobs"] = items
    for vendor in candidate.vendor:
        body = put_back(body, {name: one for name, one in own(vendor).items() if name != "delta"})
    return msgspec.json.encode(body)


def _citations(candidate: Candidate, content: list[Fields]) -> list[Fields]:
    """Every source: also those that came when their text was done, and another wire's at the last text."""
    at = max((place for place, one in enumerate(content) if one.get("type") == "text"), default=0)
    found: list[Fields] = []
    for source in candidate.citations:
        if source.vendor == BESIDE:
            continue
        kept = {name: one for name, one in own(source.vendor).items() if name != EVENT}
        body = kept or citation_body(source, at)
        found += [body] if body else []
    return found
