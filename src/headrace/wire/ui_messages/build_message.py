"""Our messages -> the messages of a page. An assistant's turns and their results are one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.core.excerpt import excerpt
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.kept import warn
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE
from headrace.wire.ui_messages.data import opaque_part
from headrace.wire.ui_messages.media import data_url, type_of
from headrace.wire.ui_messages.metadata import Part, own, with_metadata
from headrace.wire.ui_messages.parse_message import TOOL
from headrace.wire.ui_messages.parts import input_of
from headrace.wire.ui_messages.writer import REFUSAL

_STEP: Part = {"type": "step-start"}


class Conversation:
    """The messages as they are put together. warnings: what has no place in them, once."""

    def __init__(self, warnings: list[str]) -> None:
        self.bodies: list[Part] = []
        self._warnings = warnings
        self._calls: dict[str, Part] = {}  # of the last assistant's message, by id
        self._answered = False  # whether results have come since its last turn

    def add(self, messages: Iterable[Message]) -> None:
        """Append the turns."""
        for message in messages:
            if message.name:
                warn(self._warnings, "names of speakers were left out: this protocol has no field for them")
            if message.role == "tool":
                self._results(message)
            elif message.role == "assistant":
                self._assistant(message)
            else:
                role = "user" if message.role == "user" else "system"
                self._begin(role, message)["parts"] += self._parts(message)

    def _begin(self, role: str, message: Message) -> Part:
        kept = own(message.vendor)
        body: Part = {"id": kept.get("id") or f"message-{len(self.bodies)}", "role": role, "parts": []}
        if "metadata" in kept:
            body["metadata"] = kept["metadata"]
        self.bodies.append(body)
        self._calls = {}
        self._answered = False
        return body

    def _assistant(self, message: Message) -> None:
        """A turn; one behind results goes on with the message that called the tools."""
        goes_on = self._answered and "id" not in own(message.vendor)
        body = self.bodies[-1] if goes_on else self._begin("assistant", message)
        if goes_on:
            body["parts"].append(_STEP)
            self._answered = False
        parts = self._parts(message)
        body["parts"] += parts
        self._calls.update({part["toolCallId"]: part for part in parts if "toolCallId" in part})

    def _results(self, message: Message) -> None:
        for result in message.parts:
            if not isinstance(result, ToolResultPart):
                warn(self._warnings, "what stood beside a tool's result was left out")
                continue
            call = self._calls.get(result.id)
            if call is None:
                warn(
                    self._warnings,
                    f"the result of tool call {excerpt(result.id)} was left out: no call has that id",
                )
                continue
            self._answered = True
            self._answer(call, result)

    def _answer(self, call: Part, result: ToolResultPart) -> None:
        if any(not isinstance(part, TextPart) for part in result.parts):
            warn(
                self._warnings, "images and files in a tool's result were left out: a page keeps text or JSON"
            )
        if result.is_error:
            call.update(state="output-error", errorText=result.text)
            return
        call.pop("errorText", None)  # the input is no JSON, and the tool took it all the same
        call.update(state="output-available", output=_output(result))
        with_metadata(call, None if own(result.vendor) else result.vendor, field="resultProviderMetadata")

    def _parts(self, message: Message) -> list[Part]:
        found: list[Part] = []
        for part in message.parts:
            match part:
                case TextPart():
                    found.append(with_metadata({"type": "text", "text": part.text}, part.vendor))
                case RefusalPart():
                    found.append(with_metadata({"type": "text", "text": part.text}, part.vendor, REFUSAL))
                case ReasoningPart():
                    found.append(with_metadata({"type": "reasoning", "text": part.text}, part.vendor))
                case ToolCallPart():
                    found.append(_call(part))
                case ImagePart() | AudioPart() | FilePart():
                    self._file(part, found)
                case OpaquePart():
                    found.append(opaque_part(part.vendor))
                case ToolResultPart():
                    warn(self._warnings, "a tool's result outside a tool's turn was left out")
        return found

    def _file(self, part: ImagePart | AudioPart | FilePart, found: list[Part]) -> None:
        if not part.data and not part.url:
            warn(self._warnings, "a file by its id was left out: only its own vendor knows it")
            return
        if isinstance(part, ImagePart) and part.detail not in ("", "auto"):
            warn(self._warnings, "an image's detail was left out: this protocol has no field for it")
        media_type = type_of(part)
        url = data_url(part.data, media_type) if part.data else part.url
        body: Part = {"type": "file", "mediaType": media_type, "url": url}
        if isinstance(part, FilePart) and part.name:
            body["filename"] = part.name
        found.append(with_metadata(body, part.vendor))


def _call(part: ToolCallPart) -> Part:
    """A call as a page keeps it; input that is no JSON is an error of it."""
    told = input_of(part.arguments)
    state = "output-error" if "errorText" in told else "input-available"
    body: Part = {"type": f"{TOOL}{part.name}", "toolCallId": part.id, "state": state, **told}
    with_metadata(body, part.vendor, field="callProviderMetadata")
    body.pop("whole", None)  # that is of the stream it came in
    return body


def _output(result: ToolResultPart) -> Any:
    """The text, or the JSON that it was."""
    if own(result.vendor).get("json"):
        try:
            return read_plain(result.text)
        except UNREADABLE:
            return result.text  # a stage has changed it since
    return result.text
