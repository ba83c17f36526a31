"""Messages: who said what, in parts of several kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from headrace.core.opaque import Opaque

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


class TextPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text"):
    """Plain text."""

    text: str
    vendor: Opaque | None = None


class ImagePart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="image"):
    """An image, by `url` or by `data`; detail is a hint some vendors take (low, high, auto)."""

    url: str = ""
    data: bytes = b""
    media_type: str = ""
    detail: str = ""
    vendor: Opaque | None = None


class AudioPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="audio"):
    """Sound; format: wav, mp3, pcm16, ..."""

    data: bytes = b""
    url: str = ""
    format: str = ""
    vendor: Opaque | None = None


class FilePart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="file"):
    """A document, by `data`, `url` or the vendor's own `file_id`."""

    data: bytes = b""
    url: str = ""
    file_id: str = ""
    name: str = ""
    media_type: str = ""
    vendor: Opaque | None = None


class ReasoningPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="reasoning"):
    """Reasoning of an earlier turn; signatures and encrypted forms ride in `vendor`."""

    text: str = ""
    vendor: Opaque | None = None


class RefusalPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="refusal"):
    """A refusal of an earlier turn."""

    text: str
    vendor: Opaque | None = None


class ToolCallPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool-call"):
    """The model asks for a tool; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str = ""
    vendor: Opaque | None = None


ResultPart: TypeAlias = TextPart | ImagePart | AudioPart | FilePart


class ToolResultPart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="tool-result"):
    """What the tool answered to the call `id`."""

    id: str
    parts: tuple[ResultPart, ...] = ()
    is_error: bool = False
    vendor: Opaque | None = None

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return joined_text(self.parts)


class OpaquePart(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="opaque"):
    """A part that only its own wire understands, whole: a tool that the vendor ran, and what came of it."""

    vendor: Opaque


Part: TypeAlias = (
    TextPart
    | ImagePart
    | AudioPart
    | FilePart
    | ReasoningPart
    | RefusalPart
    | ToolCallPart
    | ToolResultPart
    | OpaquePart
)


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str = ""
    vendor: Opaque | None = None

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return joined_text(self.parts)


def joined_text(parts: Iterable[Part]) -> str:
    """The text of the text parts, joined."""
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def message(role: Role, content: str | list[Part] | tuple[Part, ...] = "", **fields: Any) -> Message:
    """A message from plain text or from parts."""
    parts: tuple[Part, ...] = (TextPart(content),) if isinstance(content, str) else tuple(content)
    return Message(role, parts, **fields)


def system(content: str | list[Part]) -> Message:
    """A system message."""
    return message("system", content)


def user(content: str | list[Part]) -> Message:
    """A user message."""
    return message("user", content)


def assistant(content: str | list[Part]) -> Message:
    """An assistant message."""
    return message("assistant", content)
