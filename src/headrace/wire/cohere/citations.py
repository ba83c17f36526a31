"""Sources: the vendor's citations, which may name several, and ours, which name one each."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import Citation
from headrace.core.opaque import Opaque
from headrace.wire.cohere.schema import EVENT, WIRE_NAME, Fields

# Marks a further source of the citation before it, which has it whole.
BESIDE = Opaque(WIRE_NAME, {"beside": True})


def citations_from(block: int, body: Fields, beside: Fields) -> list[Citation]:
    """Ours for a citation of the text in `block`: one for each of its sources.

    beside: unknown fields of the event that brought it.
    """
    start, end = (value if isinstance(value := body.get(name), int) else -1 for name in ("start", "end"))
    sources = body.get("sources")
    found = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    whole = Opaque(WIRE_NAME, {**body, EVENT: beside} if beside else body)
    return [
        Citation(block, *_told(source), start, end, vendor=BESIDE if at else whole)
        for at, source in enumerate(found or [{}])
    ]


def citation_body(source: Citation, content_index: int) -> Fields:
    """Another wire's source as the vendor's citation; empty for one that says nothing."""
    said = {"title": source.title, "url": source.url, "snippet": source.quote}
    document = {name: value for name, value in said.items() if value}
    if not document:
        return {}
    body: Fields = {
        "sources": [{"type": "document", "id": source.url or source.title, "document": document}],
        "content_index": content_index,
        "type": "TEXT_CONTENT",
    }
    if source.start >= 0 and source.end >= source.start:
        body = {"start": source.start, "end": source.end, **body}
    return body


def _told(source: Fields) -> tuple[str, str, str]:
    """(address, title, quote) of a source in the usual words; what a tool gave has none."""
    document = source.get("document")
    told: dict[str, Any] = document if isinstance(document, dict) else {}
    quote = told.get("snippet") or told.get("text")
    url, title, quote = (
        one if isinstance(one, str) else "" for one in (told.get("url"), told.get("title"), quote)
    )
    return url, title, quote
