"""Images, sound and documents of a request: the vendor's `inlineData` and `fileData`, both ways."""

from __future__ import annotations

from headrace.core.message import AudioPart, FilePart, ImagePart
from headrace.core.opaque import Opaque
from headrace.wire.gemini.bodies import data_part
from headrace.wire.gemini.schema import Fields, own
from headrace.wire.kept import warn
from headrace.wire.sound import format_of, media_type_of

Media = ImagePart | AudioPart | FilePart
# By the end of a name: the types that the vendor takes. No page was read for them.
_BY_SUFFIX = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "mov": "video/mov",
    "webm": "video/webm",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "xml": "text/xml",
    "json": "application/json",
}


def media_part(part: Media, warnings: list[str]) -> Fields:
    """The vendor's part for `part`."""
    kept = own(part.vendor)
    _say_lost(part, warnings)
    if part.data:
        return data_part(part.data, kept.get("mimeType") or _media_type(part), kept)
    uri = part.url or (part.file_id if isinstance(part, FilePart) else "")
    file: Fields = {**kept.get("fileData", {}), "fileUri": uri}
    kind = kept.get("mimeType") or _told_type(part) or _type_of(uri.partition("?")[0])
    if kind:
        file["mimeType"] = kind
    beside = {
        name: value for name, value in kept.items() if name not in ("mimeType", "fileData", "inlineData")
    }
    return {"fileData": file, **beside}


def _say_lost(part: Media, warnings: list[str]) -> None:
    lost = ""
    if isinstance(part, ImagePart) and part.detail not in ("", "auto"):
        lost = "an image's detail was left out: this protocol sets the resolution for the whole request"
    if isinstance(part, FilePart) and part.name:
        lost = "a file's name was left out: this protocol has no field for it"
    if lost:
        warn(warnings, lost)


def _media_type(part: Media) -> str:
    if isinstance(part, AudioPart):
        return media_type_of(part.format)
    guessed = _type_of(part.name) if isinstance(part, FilePart) else "image/png"
    return part.media_type or guessed or "application/octet-stream"


def _type_of(name: str) -> str:
    return _BY_SUFFIX.get(name.rpartition(".")[2].lower(), "")


def _told_type(part: Media) -> str:
    if isinstance(part, AudioPart):
        return media_type_of(part.format) if part.format else ""
    return part.media_type


def part_from(media_type: str, data: bytes, uri: str, vendor: Opaque | None) -> Media:
    """Our part for bytes, or for what lies at `uri`, of this type."""
    kind = media_type.partition("/")[0]
    if kind == "image":
        return ImagePart(uri, data, media_type, vendor=vendor)
    if kind == "audio":
        return AudioPart(data, uri, format_of(media_type), vendor)
    return FilePart(data, uri, media_type=media_type, vendor=vendor)
