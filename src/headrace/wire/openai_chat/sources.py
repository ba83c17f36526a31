"""Sources that a provider names beside the choices, for the answer as a whole.

Perplexity and xAI send `citations`, a list of addresses, and Perplexity `search_results` with their titles
(docs.perplexity.ai, "Chat Completions", and recorded streams, read 2026-11-25). The fields themselves are
kept as they came; these are the same as citations, for clients of other wires.
"""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import Chunk, Citation
from headrace.core.opaque import Opaque
from headrace.wire.openai_chat.candidate import Candidate
from headrace.wire.openai_chat.schema import WIRE_NAME

Fields = dict[str, Any]
MAX_SOURCES = 256
# Made here of a field that goes back to this wire's clients as it came: not written a second time.
DERIVED = Opaque(WIRE_NAME, {"derived": True})


def sources_in(fields: Fields) -> list[tuple[str, str, str]]:
    """(address, title, quotation) of each source that a chunk's own fields name."""
    found: list[tuple[str, str, str]] = []
    for one in _list(fields.get("search_results")) or _list(fields.get("citations")):
        if isinstance(one, str):
            found.append((one, "", ""))
        elif isinstance(one, dict) and isinstance(one.get("url"), str):
            found.append((one["url"], _text(one.get("title")), _text(one.get("snippet"))))
    return [one for one in found if one[0]][:MAX_SOURCES]


def cite(sources: list[tuple[str, str, str]], to: Candidate, out: list[Chunk]) -> None:
    """The sources of a candidate's answer, while its text is open."""
    if to.kind == "text":
        out.extend(
            Citation(to.block, url, title, quote, candidate=to.index, vendor=DERIVED)
            for url, title, quote in sources
        )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
