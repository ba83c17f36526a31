"""Images and documents: our parts and the vendor's sources, both ways."""

from __future__ import annotations

from base64 import b64encode

from headrace.core.excerpt import excerpt
from headrace.core.message import FilePart, ImagePart
from headrace.wire.anthropic.block_bodies import Fields
from headrace.wire.kept import warn
from headrace.wire.media_type import media_type_of

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def image(part: ImagePart, extra: Fields, warnings: list[str]) -> Fields | None:
    """The `image` block; None, with a warning, for a kind the vendor does not take."""
    if part.detail not in ("", "auto"):
        warn(warnings, "the detail of images was left out: this protocol has no field for it")
    if "source" in extra:
        return {"type": "image", **extra}
    if part.url:
        return {"type": "image", "source": {"type": "url", "url": part.url}, **extra}
    kind = part.media_type or media_type_of(part.data) or "image/png"
    if kind not in _IMAGES:
        warn(
            warnings,
            f"an image of type {excerpt(kind)} was left out: this protocol takes {', '.join(_IMAGES)}",
        )
        return None
    source = {"type": "base64", "media_type": kind, "data": b64encode(part.data).decode()}
    return {"type": "image", "source": source, **extra}


def document(part: FilePart, extra: Fields, warnings: list[str]) -> Fields | None:
    """The `document` block (or the other block that the file came in); None, with a warning, for another."""
    if "type" in extra:
        return extra
    source = _source(part)
    if source is None:
        kind = part.media_type or "unknown type"
        warn(warnings, f"a file of {excerpt(kind)} was left out: this protocol takes PDF and plain text")
        return None
    title = {"title": part.name} if part.name else {}
    return {"type": "document", "source": source, **title, **extra}


def _source(part: FilePart) -> Fields | None:
    if part.file_id:
        return {"type": "file", "file_id": part.file_id}
    if part.url:
        return {"type": "url", "url": part.url}
    kind = (part.media_type or media_type_of(part.data) or "text/plain").partition(";")[0]
    if kind == "application/pdf":
        return {"type": "base64", "media_type": kind, "data": b64encode(part.data).decode()}
    if not kind.startswith("text/") and kind != "application/json":
        return None
    try:
        return {"type": "text", "media_type": "text/plain", "data": part.data.decode()}
    except UnicodeDecodeError:
        return None
