"""Sources of the answer, out of the metadata beside it, which is itself kept whole elsewhere."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import Chunk, Citation
from headrace.core.opaque import Opaque
from headrace.wire.gemini.candidate import Candidate
from headrace.wire.gemini.schema import WIRE_NAME, Fields

_DERIVED = Opaque(WIRE_NAME, {"derived": True})  # the metadata that says the same goes back beside it


def read_citations(extra: Fields, to: Candidate, out: list[Chunk]) -> None:
    """Append the citations in a candidate's `groundingMetadata` and `citationMetadata`."""
    grounding, quoted = extra.get("groundingMetadata"), extra.get("citationMetadata")
    if isinstance(grounding, dict):
        sources = [_source(one) for one in _dicts(grounding.get("groundingChunks"))]
        for support in _dicts(grounding.get("groundingSupports")):
            _supported(support, sources, to, out)
    if isinstance(quoted, dict):
        for one in _dicts(quoted.get("citationSources")) or _dicts(quoted.get("citations")):
            _cite(one, _text(one.get("uri")), _text(one.get("title")), to, out)


def _supported(support: Fields, sources: list[tuple[str, str]], to: Candidate, out: list[Chunk]) -> None:
    segment = support.get("segment")
    places = support.get("groundingChunkIndices")
    if not isinstance(segment, dict) or not isinstance(places, list):
        return
    for place in places:
        if isinstance(place, int) and 0 <= place < len(sources):
            url, title = sources[place]
            _cite(segment, url, title, to, out)


def _cite(where: Fields, url: str, title: str, to: Candidate, out: list[Chunk]) -> None:
    start, end = _offset(where.get("startIndex", 0)), _offset(where.get("endIndex"))
    seen = (url, start, end)
    if seen in to.cited:  # the metadata may come again with each event
        return
    to.cited.add(seen)
    if to.answer_block < 0:
        to.turn_to("text", out)
    block, first, last = to.place(start, end)
    out.append(Citation(block, url, title, "", first, last, to.index, _DERIVED))


def _source(chunk: Fields) -> tuple[str, str]:
    for kind in ("web", "retrievedContext", "maps", "image"):
        found = chunk.get(kind)
        if isinstance(found, dict):
            return _text(found.get("uri") or found.get("sourceUri")), _text(found.get("title"))
    return "", ""


def _dicts(value: Any) -> list[Fields]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _offset(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else -1
