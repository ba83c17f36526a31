"""Images, sound and documents: the protocol's files, which are URLs with a media type, both ways."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from headrace.core.message import AudioPart, FilePart, ImagePart
from headrace.core.opaque import Opaque
from headrace.wire.sound import format_of, media_type_of

Media = ImagePart | AudioPart | FilePart


def data_url(data: bytes, media_type: str) -> str:
    """The bytes as a `data:` URL."""
    return f"data:{media_type};base64,{b64encode(data).decode()}"


def data_of(url: str) -> bytes | None:
    """The bytes of a `data:` URL in base64; None for any other URL. Raises ValueError where it is broken."""
    if not url.startswith("data:"):
        return None
    head, comma, encoded = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ValueError("a data: URL must be in base64")
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"not valid base64 ({error})") from None


def media_from(media_type: str, data: bytes, url: str, name: str, vendor: Opaque | None) -> Media:
    """Our part for bytes, or for what lies at `url`. media_type: may be a family alone (image, image/*)."""
    family, _, subtype = media_type.partition("/")
    if family == "image":
        return ImagePart(url, data, media_type if subtype not in ("", "*") else "", vendor=vendor)
    if family == "audio":
        return AudioPart(data, url, format_of(media_type), vendor)
    return FilePart(data, url, name=name, media_type=media_type, vendor=vendor)


def type_of(part: Media) -> str:
    """The media type of our part."""
    match part:
        case ImagePart():
            return part.media_type or ("image/png" if part.data else "image/*")
        case AudioPart():
            return media_type_of(part.format) if part.format else "audio/*"
        case _:
            return part.media_type or "application/octet-stream"
