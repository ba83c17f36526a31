"""What supports a text: its end says so, both ways.

Source: the npm package `ai` 7.0.173, `ui-message-stream/ui-message-chunks.ts`, and `@ai-sdk/provider` 4.0.38,
`language-model/v4/language-model-v4-citation.ts`, read 2026-11-25; version 6 passes over it. Places are
counted in units of UTF-16, as JavaScript does. A source is also a part of its own, which both versions know
and which says the same in our marks: what has come in these is not said a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from headrace.core.chunk import Citation
from headrace.wire.answer_text import AnswerText
from headrace.wire.ui_messages.metadata import Part
from headrace.wire.ui_messages.parts import DERIVED

CITATIONS = "citations"
MAX_CITATIONS = 1024  # of one text


def says_where(citation: Citation) -> bool:
    """Whether there is more to tell of it than the source."""
    return bool(citation.url) and (bool(citation.quote) or citation.start >= 0)


def citation_body(citation: Citation, id: str, text: AnswerText) -> Part:
    """A citation for the end of its text. id: its source's. text: the text, in the package's units."""
    source: Part = {"type": "source", "sourceType": "url", "id": id, "url": citation.url}
    if citation.title:
        source["title"] = citation.title
    body: Part = {"source": source}
    start, end = text.units_at(citation.start), text.units_at(citation.end)
    if start >= 0 and end >= 0:
        body.update(startIndex=start, endIndex=end)
    if citation.quote:
        body["citedText"] = citation.quote
    return body


def citations_in(told: Any, block: int, text: AnswerText) -> Iterator[Citation]:
    """The citations that the end of a text tells."""
    for one in told if isinstance(told, list) else ():
        source = one.get("source") if isinstance(one, dict) else None
        if isinstance(source, dict):
            said = (source.get("url"), source.get("title"), one.get("citedText"))
            url, title, quote = (value if isinstance(value, str) else "" for value in said)
            start, end = _place(one, text)
            yield Citation(block, url, title, quote, start, end, vendor=DERIVED)


def are_known(told: Any, ids: Collection[str]) -> bool:
    """Whether all that is told has come by the sources of these ids."""
    found = [one.get("source") if isinstance(one, dict) else None for one in told] if told else []
    said = [one.get("id") if isinstance(one, dict) else None for one in found]
    return bool(said) and all(isinstance(id, str) and id in ids for id in said)


def _place(citation: Part, text: AnswerText) -> tuple[int, int]:
    start, end = citation.get("startIndex"), citation.get("endIndex")
    if not isinstance(start, int) or not isinstance(end, int):
        return -1, -1
    first, last = text.chars_at(start), text.chars_at(end)
    return (first, last) if 0 <= first <= last else (-1, -1)
