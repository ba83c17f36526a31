"""Our messages -> the vendor's input items."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.core.opaque import Opaque
from headrace.wire.data_url import data_url
from headrace.wire.kept import understood, warn
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import own

Fields = dict[str, Any]

_NO_REASONING = "reasoning of earlier turns was left out: this protocol takes back only what it encrypted"


def input_items(messages: Iterable[Message], quirks: Mapping[str, Any], warnings: list[str]) -> list[Fields]:
    """The vendor's items: a message's parts become one message, or items of their own beside it."""
    writer = _Items(quirks, warnings)
    for message in understood(messages, WIRE_NAME, warnings):
        writer.add(message)
    return writer.items


class _Items:
    """Items so far. custom: ids of calls whose answers are custom too."""

    def __init__(self, quirks: Mapping[str, Any], warnings: list[str]) -> None:
        self.items: list[Fields] = []
        self._quirks = quirks
        self._warnings = warnings
        self._custom: set[str] = set()
        self._thoughts: list[str] = []  # reasoning whose item has not come yet
        self._said: list[Fields] = []  # parts of the message being made

    def add(self, message: Message) -> None:
        for part in message.parts:
            self._part(part, message)
        self._end_message(message)
        self._drop_thoughts()

    def _part(self, part: Part, message: Message) -> None:
        if not isinstance(part, ReasoningPart):
            self._drop_thoughts()
        match part:
            case ReasoningPart():
                self._end_message(message)
                self._reasoning(part)
            case ToolCallPart():
                self._end_message(message)
                self.items.append(self._call(part))
            case ToolResultPart():
                self._end_message(message)
                self.items.append(self._result(part))
            case OpaquePart():
                self._end_message(message)
                self.items.append(item_of(part.vendor))
            case _:
                said = self._content(part, message.role == "assistant")
                if said is not None:
                    self._said.append(said)

    def _end_message(self, message: Message) -> None:
        if not self._said:
            return
        said, self._said = self._said, []
        if message.name:
            warn(self._warnings, "a message's name was left out: this protocol has no field for it")
        kept = own(message.vendor).get("item", {})
        item: Fields = {"type": "message", "role": "user" if message.role == "tool" else message.role}
        if message.role == "assistant":
            item.update(self._answer(said, kept))
        else:
            plain = len(said) == 1 and set(said[0]) == {"type", "text"}
            item["content"] = said[0]["text"] if plain else said
        self.items.append({**{name: kept[name] for name in kept if name not in item}, **item})

    def _answer(self, said: list[Fields], kept: Fields) -> Fields:
        """What the model said: as text where that is all, else as the message it gave, which has an id."""
        if "id" not in kept and all(set(part) == {"type", "text"} for part in said):
            return {"content": "".join(part["text"] for part in said)}
        whole = [{"annotations": [], **part} if part["type"] == "output_text" else part for part in said]
        id = kept.get("id") or f"msg_{len(self.items)}"
        return {"id": id, "status": kept.get("status") or "completed", "content": whole}

    def _call(self, part: ToolCallPart) -> Fields:
        kept = item_of(part.vendor)
        beside = {name: value for name, value in kept.items() if name not in ("status", "input")}
        if kept.get("type") == "custom_tool_call":
            self._custom.add(part.id)
            return {**beside, "call_id": part.id, "name": part.name, "input": own_input(part)}
        item = {"type": "function_call", "call_id": part.id, "name": part.name}
        return {**beside, **item, "arguments": part.arguments or "{}"}

    def _result(self, part: ToolResultPart) -> Fields:
        if part.is_error:
            said = "that a tool failed is said in its text only: this protocol has no field for it"
            warn(self._warnings, said)
        kept = own(part.vendor).get("item", {})
        custom = part.id in self._custom or kept.get("type") == "custom_tool_call_output"
        item: Fields = {"type": "custom_tool_call_output" if custom else "function_call_output"}
        item["call_id"] = part.id
        bodies = [body for one in part.parts if (body := self._content(one, False))]
        plain = all(set(body) == {"type", "text"} for body in bodies) and len(bodies) < 2
        item["output"] = "".join(body["text"] for body in bodies) if plain else bodies
        return {**{name: kept[name] for name in kept if name not in item}, **item}

    def _reasoning(self, part: ReasoningPart) -> None:
        item = item_of(part.vendor)
        if part.text:
            self._thoughts.append(part.text)
        if item.get("type") != "reasoning":
            return
        texts, self._thoughts = self._thoughts, []
        if item.get("encrypted_content") or self._quirks.get("reasoning_input"):
            self.items.append(_reasoning_item(item, texts))
        else:
            warn(self._warnings, _NO_REASONING)

    def _content(self, part: Part, spoken: bool) -> Fields | None:
        if isinstance(part, AudioPart) and not (part.data and self._quirks.get("audio_input")):
            warn(self._warnings, "sound was left out: this protocol takes none")
            return None
        return content_part(part, spoken)

    def _drop_thoughts(self) -> None:
        """Reasoning that is no item of this protocol's: sent as text where a place takes that."""
        if not self._thoughts:
            return
        texts, self._thoughts = self._thoughts, []
        if not self._quirks.get("reasoning_input"):
            warn(self._warnings, _NO_REASONING)
            return
        content = [{"type": "reasoning_text", "text": text} for text in texts]
        id = f"rs_{len(self.items)}"
        self.items.append({"type": "reasoning", "id": id, "summary": [], "content": content})


def item_of(vendor: Opaque | None) -> Fields:
    """The vendor's item that a part came in, as far as it was kept."""
    data = own(vendor)
    item = data.get("item", data.get("event", {}).get("item"))
    return item if isinstance(item, dict) else {}


def own_input(part: ToolCallPart) -> str:
    """The free text of a custom call."""
    given = own(part.vendor).get("item", {}).get("input")
    return given if isinstance(given, str) else part.arguments


def _reasoning_item(item: Fields, texts: list[str]) -> Fields:
    """The item with its texts put back: those that were taken out when it was decoded."""
    filled = {name: value for name, value in item.items() if name != "status"}
    left = iter(texts)
    for name in ("summary", "content"):
        parts = item.get(name)
        if isinstance(parts, list) and parts:
            filled[name] = [{**part, "text": next(left, part.get("text", ""))} for part in parts]
    filled.setdefault("summary", [])
    return filled


def content_part(part: Part, spoken: bool) -> Fields | None:
    """A part of a message. spoken: the model said it."""
    data = own(part.vendor)
    # What came with an answer says how it was streamed, which is no field of a request.
    kept = {} if "event" in data or "slot" in data else {name: data[name] for name in data if name != "item"}
    match part:
        case TextPart():
            kind = "output_text" if spoken else "input_text"
            return {**kept, "type": kind, "text": part.text}
        case RefusalPart():
            field = {"type": "refusal", "refusal": part.text}
            return {**kept, **(field if spoken else {"type": "input_text", "text": part.text})}
        case ImagePart():
            image: Fields = {"type": "input_image", "detail": part.detail or "auto"}
            if part.url or part.data:
                image["image_url"] = part.url or data_url(part.data, part.media_type or "image/png")
            return {**kept, **image}
        case AudioPart():
            sound = {"data": b64encode(part.data).decode(), "format": part.format or "wav"}
            return {**kept, "type": "input_audio", "input_audio": sound}
        case FilePart():
            return {**kept, **_file(part)}
    return None


def _file(part: FilePart) -> Fields:
    file: Fields = {"type": "input_file"}
    if part.file_id:
        file["file_id"] = part.file_id
    elif part.url:
        file["file_url"] = part.url
    else:
        file["filename"] = part.name or "document"
        file["file_data"] = data_url(part.data, part.media_type or "application/pdf")
    return file
