"""Pieces of a reply -> the vendor's parts and metadata, for streamed and for whole answers alike."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from headrace.core.chunk import Citation
from headrace.core.excerpt import excerpt
from headrace.wire.answer_text import AnswerText
from headrace.wire.gemini.schema import MORE, Fields, own
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

# What `vendor` says of a call and the vendor does not: never sent.
_MAX_ARGUMENTS_CHARS = 200  # of what cannot be said, as the failure quotes it
_NOTES = frozenset({MORE, "no_id", "no_args", "partial", "started", "functionCall"})


def extras(kept: Fields) -> Fields:
    """The part's own fields among what was kept of it."""
    return {name: value for name, value in kept.items() if name not in _NOTES}


def call_part(id: str, name: str, arguments: str, kept: Fields) -> Fields | None:
    """A whole call; None where its arguments are no JSON object, which this protocol cannot say.

    kept: what came with the call over this wire.
    """
    call: Fields = {**kept.get("functionCall", {}), "name": name}
    if id and not kept.get("no_id"):
        call["id"] = id
    if arguments.strip() not in ("", "{}") or not kept.get("no_args"):
        try:
            call["args"] = read_plain(arguments) if arguments.strip() else {}
        except UNREADABLE:
            return None
        if not isinstance(call["args"], dict):
            return None
    return {"functionCall": call, **extras(kept)}


def malformed(name: str, arguments: str) -> str:
    """What is said of a call that cannot be written."""
    told = excerpt(arguments, _MAX_ARGUMENTS_CHARS)
    return f"the arguments of the call of {excerpt(name)!r} are no JSON object: {told}"


def data_part(data: bytes, media_type: str, kept: Fields) -> Fields:
    """Bytes as a part. kept: what came beside them over this wire."""
    beside = {name: value for name, value in kept.items() if name not in (MORE, "mimeType", "inlineData")}
    blob = {**kept.get("inlineData", {}), "mimeType": media_type, "data": b64encode(data).decode()}
    return {"inlineData": blob, **beside}


def grounding_body(citations: Iterable[Citation], answer: AnswerText) -> Fields | None:
    """Other wires' citations, placed in the answer, as `groundingMetadata`; None where there are none."""
    chunks: list[Fields] = []
    supports: list[Fields] = []
    for place, one in enumerate(_foreign(citations)):
        chunks.append({"web": {"uri": one.url, **({"title": one.title} if one.title else {})}})
        start, end = answer.units_at(one.start), answer.units_at(one.end)
        if end > start >= 0:
            segment = {"startIndex": start, "endIndex": end}
            supports.append({"segment": segment, "groundingChunkIndices": [place]})
    if not chunks:
        return None
    return {"groundingChunks": chunks, **({"groundingSupports": supports} if supports else {})}


def _foreign(citations: Iterable[Citation]) -> list[Citation]:
    """Those whose metadata does not go back beside them."""
    return [one for one in citations if not own(one.vendor).get("derived")]


def merge(into: Fields, fields: Fields) -> None:
    """Put `fields` into a candidate being written: its parts behind those it has, others where they are."""
    for name, value in fields.items():
        if name == "content" and isinstance(value, dict):
            content = into.setdefault("content", {"parts": [], "role": "model"})
            content["parts"] += _list(value.get("parts"))
            content.update({key: value[key] for key in value if key not in ("parts", "role")})
        elif name != "index":
            into[name] = value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
