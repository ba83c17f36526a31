"""Sources and files of a message being decoded: they come whole."""

from __future__ import annotations

from headrace.core.chunk import AudioDelta, Chunk, Citation, ImageDelta
from headrace.core.opaque import Opaque
from headrace.wire.sound import format_of, samples_in
from headrace.wire.ui_messages.blocks import IMPLIED, OpenPart, OpenParts, text_of
from headrace.wire.ui_messages.citations import CITATIONS, are_known, citations_in
from headrace.wire.ui_messages.media import data_of, data_url
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, own, read_beside
from headrace.wire.ui_messages.parts import source_id

_SOURCE = frozenset({"type", "url", "title"})
_FILE = frozenset({"type", "url", "mediaType"})


def source(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """A source of the last text."""
    parts.sources += 1
    known = _SOURCE
    if event.get("sourceId") == source_id(parts.sources):
        known |= {"sourceId"}
    vendor, marks = read_beside(event, known)
    title = text_of(event, "title") if event.get("title") is not None else ""
    quote, start, end = marks.get("quote"), marks.get("start"), marks.get("end")
    if not isinstance(start, int) or not isinstance(end, int):
        start = end = -1
    said = quote if isinstance(quote, str) else ""
    if marks:
        parts.marked.add(text_of(event, "sourceId"))
    out.append(Citation(parts.answer, text_of(event, "url"), title, said, start, end, vendor=vendor))


def text_end(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """A text is complete; what supports it is told here, and kept as it came with the end."""
    part, told = parts.at("text", text_of(event, "id")), event.get(CITATIONS)
    if isinstance(told, list) and are_known(told, parts.marked):
        event = {name: value for name, value in event.items() if name != CITATIONS}
    else:
        out.extend(citations_in(told, part.block, part.text))
    parts.text_end("text", event, out)


def document(event: Part, parts: OpenParts, out: list[Chunk]) -> None:
    """A source that is a document: it has no address."""
    out.append(Citation(parts.answer, "", text_of(event, "title"), vendor=Opaque(WIRE_NAME, event)))


def file(event: Part, parts: OpenParts, out: list[Chunk]) -> bool:
    """Whether the file is an image or sound, and is here and not elsewhere."""
    url, told = text_of(event, "url"), text_of(event, "mediaType")
    family = told.partition("/")[0]
    data = data_of(url) if family in ("image", "audio") else None
    if data is None:
        return False
    media_type = url[len("data:") : url.index(";base64")]
    if data_url(data, media_type) != url:
        return False
    vendor, _ = read_beside(event, _FILE if media_type == told else _FILE - {"mediaType"})
    if family == "audio":
        part = parts.add(None, "audio", IMPLIED, out)
        mark = Opaque(WIRE_NAME, {**own(vendor), "mediaType": told})
        out.append(AudioDelta(part.block, data, format_of(told), *samples_in(told), vendor=mark))
    else:
        part = _image(parts, out)
        out.append(ImageDelta(part.block, data, media_type, vendor=vendor))
    if part.vendor is IMPLIED:
        parts.end(part, None, out)
    return True


def _image(parts: OpenParts, out: list[Chunk]) -> OpenPart:
    """The open image, where an event has begun one; else a new one."""
    waiting = next((part for part in parts.by_block.values() if part.kind == "image"), None)
    return waiting or parts.add(None, "image", IMPLIED, out)
