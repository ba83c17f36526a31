"""Images, sound, films and documents of a request: our parts and the vendor's blocks, both ways."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable

from headrace.core.excerpt import excerpt
from headrace.core.message import AudioPart, FilePart, ImagePart
from headrace.wire.bedrock.schema import Fields
from headrace.wire.kept import warn
from headrace.wire.media_type import media_type_of

Media = ImagePart | AudioPart | FilePart

S3 = "s3://"
IMAGES = ("png", "jpeg", "gif", "webp")
SOUNDS = (
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm",
    "webm",
)  # fmt: skip
FILMS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "flv": "video/x-flv",
    "mpeg": "video/mpeg",
    "mpg": "video/mpg",
    "wmv": "video/x-ms-wmv",
    "three_gp": "video/3gpp",
}
DOCUMENTS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
}
_FORMATS = {kind: word for words in (FILMS, DOCUMENTS) for word, kind in words.items()}
_NO_ADDRESS = "{} at an address was left out: this protocol takes bytes and s3:// addresses"
_NAMELESS = "document"
_MAX_NAME_CHARS = 200
_ODD = re.compile(r"[^0-9A-Za-z\s\-()\[\]]+")
_BLANKS = re.compile(r"\s+")


class MediaWriter:
    """Writes the media of one request. Its documents have names, each another, of the letters that the vendor
    allows; what it does not take is a warning.
    """

    __slots__ = ("_names", "_warnings")

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings
        self._names: set[str] = set()

    def block(self, part: Media) -> Fields | None:
        """The vendor's block for `part`; None, with a warning, for what it does not take."""
        match part:
            case ImagePart():
                return self._image(part)
            case AudioPart():
                return self._sound(part)
            case FilePart():
                return self._file(part)

    def _image(self, part: ImagePart) -> Fields | None:
        if part.detail:
            warn(self._warnings, "the detail of images was left out: this protocol has no field for it")
        kind = part.media_type or media_type_of(part.data) or "image/png"
        word = kind.removeprefix("image/")
        if word not in IMAGES:
            self._refuse(f"an image of type {excerpt(kind)}", IMAGES)
            return None
        return self._with_source("image", {"format": word}, part, "an image")

    def _sound(self, part: AudioPart) -> Fields | None:
        word = {"pcm16": "pcm", "": "wav"}.get(part.format, part.format)
        if word not in SOUNDS:
            self._refuse(f"sound of format {excerpt(part.format)}", SOUNDS)
            return None
        return self._with_source("audio", {"format": word}, part, "sound")

    def _file(self, part: FilePart) -> Fields | None:
        if part.file_id:
            warn(self._warnings, "a file by its id was left out: this protocol has none")
            return None
        kind = (part.media_type or media_type_of(part.data) or "text/plain").partition(";")[0].strip()
        word = _FORMATS.get(kind)
        if word is None:
            self._refuse(f"a file of {excerpt(kind)}", DOCUMENTS)
            return None
        if word in FILMS:
            return self._with_source("video", {"format": word}, part, "a film")
        body = self._with_source("document", {"format": word}, part, "a file")
        if body is not None:
            body["document"]["name"] = self._name(part.name)
        return body

    def _with_source(self, name: str, body: Fields, part: Media, what: str) -> Fields | None:
        if part.url.startswith(S3):
            source: Fields = {"s3Location": {"uri": part.url}}
        elif part.url:
            warn(self._warnings, _NO_ADDRESS.format(what))
            return None
        else:
            source = {"bytes": b64encode(part.data).decode()}
        return {name: {**body, "source": source}}

    def _name(self, told: str) -> str:
        """A document's name as it may be."""
        name = _BLANKS.sub(" ", _ODD.sub("-", told)).strip()[:_MAX_NAME_CHARS] or _NAMELESS
        if told and name != told:
            allowed = "this protocol allows letters, digits and -()[]"
            warn(self._warnings, f"the document {excerpt(told)} is called {name}: {allowed}")
        unique, count = name, 1
        while unique in self._names:
            count += 1
            unique = f"{name[: _MAX_NAME_CHARS - 8]} ({count})"
        self._names.add(unique)
        return unique

    def _refuse(self, what: str, taken: Iterable[str]) -> None:
        warn(self._warnings, f"{what} was left out: this protocol takes {', '.join(taken)}")
