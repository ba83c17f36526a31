"""The rarer parts of a delta: sound, images, annotations, content in parts, reasoning details."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from headrace.core.chunk import AudioDelta, Chunk, Citation, ImageDelta, TranscriptDelta
from headrace.core.opaque import Opaque
from headrace.wire.openai_chat.candidate import Candidate
from headrace.wire.openai_chat.schema import WIRE_NAME, Audio
from headrace.wire.sound import PCM_RATE_HZ, container_of

Fields = dict[str, Any]


def read_audio(audio: Audio, to: Candidate, out: list[Chunk]) -> None:
    """Sound and its transcript. Base64 that is cut is a ValueError."""
    vendor = Opaque(WIRE_NAME, {"expires_at": audio.expires_at}) if audio.expires_at is not None else None
    if audio.data or audio.id or vendor is not None:
        block = to.beside("audio", out, audio.id or "")
        if audio.data or vendor is not None:
            data = _bytes(audio.data or "")
            out.append(AudioDelta(block, data, *_form(data, to), candidate=to.index, vendor=vendor))
    if audio.transcript:
        block = to.beside("transcript", out)
        out.append(TranscriptDelta(block, audio.transcript, candidate=to.index))


def _form(data: bytes, to: Candidate) -> tuple[str, int, int]:
    """(format, sample rate in Hz, channels) of sound that does not say them.

    Streams give raw samples, Alibaba's also where "wav" was asked for (Model Studio's page on Qwen-Omni,
    read 2026-11-25). What begins like a file is one.
    """
    if not data:
        return "", 0, 0
    asked = "" if to.sound_format == "wav" else to.sound_format
    format = asked or container_of(data) or "pcm16"
    return (format, PCM_RATE_HZ, 1) if format == "pcm16" else (format, 0, 0)


def read_images(images: list[Any], to: Candidate, out: list[Chunk]) -> list[Any]:
    """Images as OpenRouter sends them (data: URLs). Returns those of another form."""
    left: list[Any] = []
    for image in images:
        found = image.get("image_url") if isinstance(image, dict) else None
        link: Fields = found if isinstance(found, dict) else {}
        url = link.get("url")
        if not isinstance(url, str) or not url.startswith("data:") or ";base64," not in url:
            left.append(image)
            continue
        head, _, data = url.partition(";base64,")
        block = to.turn_to("image", out)
        kept = _beside_the_url(image, link)
        vendor = Opaque(WIRE_NAME, {"image": kept}) if kept else None
        out.append(ImageDelta(block, _bytes(data), head[len("data:") :], candidate=to.index, vendor=vendor))
        to.end_turn(out)
    return left


def _beside_the_url(image: Fields, link: Fields) -> Fields:
    """What an image says that is not modelled."""
    kept = {name: value for name, value in image.items() if name not in ("type", "image_url")}
    of_link = {name: value for name, value in link.items() if name != "url"}
    return {**kept, "image_url": of_link} if of_link else kept


def read_annotations(annotations: list[Any], to: Candidate, out: list[Chunk]) -> None:
    """Sources of the answer: `url_citation` as a citation; what else there is rides in `vendor`."""
    block = to.block if to.kind == "text" else to.turn_to("text", out)
    for annotation in annotations:
        found = annotation.get("url_citation") if isinstance(annotation, dict) else None
        cited: Fields = found if isinstance(found, dict) else {}
        out.append(
            Citation(
                block,
                url=_text(cited.get("url")),
                title=_text(cited.get("title")),
                quote=_text(cited.get("content")),
                start=_offset(cited.get("start_index")),
                end=_offset(cited.get("end_index")),
                candidate=to.index,
                vendor=Opaque(WIRE_NAME, {"annotation": annotation}),
            )
        )


def parts_of(content: list[Any]) -> tuple[list[tuple[str, str]], list[Any]]:
    """Content that came in parts (Mistral): (kind, text) in order, and the parts of unknown kinds."""
    pieces: list[tuple[str, str]] = []
    left: list[Any] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            pieces.append(("text", _text(part.get("text"))))
        elif kind == "thinking":
            pieces.append(("reasoning", _thinking(part.get("thinking"))))
        elif isinstance(part, str):
            pieces.append(("text", part))
        else:
            left.append(part)
    return pieces, left


def _thinking(thinking: Any) -> str:
    if isinstance(thinking, list):
        return "".join(_text(piece.get("text")) for piece in thinking if isinstance(piece, dict))
    return _text(thinking)


def reasoning_in(details: list[Any]) -> str:
    """The readable text of OpenRouter's `reasoning_details`."""
    texts = [
        _text(detail.get("text")) or _text(detail.get("summary"))
        for detail in details
        if isinstance(detail, dict)
    ]
    return "".join(texts)


def _bytes(data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"base64 that cannot be read ({error})") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _offset(value: Any) -> int:
    return value if isinstance(value, int) else -1
