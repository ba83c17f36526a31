"""A strict reader of UI message streams, written by hand from the package's own schema and reader.

Source: the npm package `ai` 7.0.173, `ui-message-stream/ui-message-chunks.ts` and
`ui/process-ui-message-stream.ts`, read 2026-11-25. It refuses more than the package does: unknown fields,
blocks left open, parts out of their step. The package itself judges in `test_page.py`, where Node is.
"""

from __future__ import annotations

import json
from typing import Any

TEXT = str
MAP = dict

# type -> (required fields, optional fields), each with its type; None is any value.
META = {"providerMetadata": MAP}
PARTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "start": ({}, {"messageId": TEXT, "messageMetadata": None}),
    "start-step": ({}, {}),
    "finish-step": ({}, {}),
    "text-start": ({"id": TEXT}, META),
    "text-delta": ({"id": TEXT, "delta": TEXT}, META),
    "text-end": ({"id": TEXT}, META),
    "reasoning-start": ({"id": TEXT}, META),
    "reasoning-delta": ({"id": TEXT, "delta": TEXT}, META),
    "reasoning-end": ({"id": TEXT}, META),
    "tool-input-start": ({"toolCallId": TEXT, "toolName": TEXT}, META),
    "tool-input-delta": ({"toolCallId": TEXT, "inputTextDelta": TEXT}, {}),
    "tool-input-available": ({"toolCallId": TEXT, "toolName": TEXT, "input": None}, META),
    "tool-output-available": ({"toolCallId": TEXT, "output": None}, {}),
    "tool-output-error": ({"toolCallId": TEXT, "errorText": TEXT}, {}),
    "tool-input-error": ({"toolCallId": TEXT, "toolName": TEXT, "input": None, "errorText": TEXT}, META),
    "source-url": ({"sourceId": TEXT, "url": TEXT}, {"title": TEXT, **META}),
    "file": ({"url": TEXT, "mediaType": TEXT}, META),
    "finish": ({}, {"finishReason": TEXT, "messageMetadata": None}),
    "message-metadata": ({"messageMetadata": MAP}, {}),
    "error": ({"errorText": TEXT}, {}),
    "abort": ({}, {"reason": TEXT}),
}
REASONS = {"stop", "length", "content-filter", "tool-calls", "error", "other"}
LAST = {"finish", "error", "abort"}
BEFORE_LAST = {"data-failure", "message-metadata"}  # of an answer that failed, in no step


class Refused(AssertionError):
    """The stream breaks the protocol."""


class Reader:
    """Reads a whole stream into `message`: its parts as the package keeps them."""

    def __init__(self, body: bytes) -> None:
        self.id: str | None = None
        self.message: list[dict[str, Any]] = []
        self.metadata: Any = None
        self.reason: str | None = None
        self.error: str | None = None
        self.ended = ""
        self.told: list[dict[str, Any]] = []  # before an end that is none
        self._stepping = False
        self._started = False
        self._open: dict[tuple[str, str], dict[str, Any]] = {}
        events = body.split(b"\n\n")
        if events[-2:] != [b"data: [DONE]", b""]:
            raise Refused(f"the stream ends in {events[-2:]}")
        for event in events[:-2]:
            if not event.startswith(b"data: ") or b"\n" in event:
                raise Refused(f"not one data line: {event!r}")
            self._take(json.loads(event[6:]))
        if not self.ended:
            raise Refused("no finish, error or abort")

    def _take(self, part: dict[str, Any]) -> None:
        if self.ended:
            raise Refused(f"{part} after {self.ended}")
        kind = part["type"]
        self._fields(part, kind)
        if not self._started and kind not in ("start", *LAST, *BEFORE_LAST):
            raise Refused(f"{kind} before start")
        if kind in LAST:
            self._end(part)
        elif kind in BEFORE_LAST:
            self.told.append(part)
        elif kind in ("start", "start-step", "finish-step"):
            self._step(part)
        elif not self._stepping:
            raise Refused(f"{kind} outside a step")
        elif kind.startswith(("text-", "reasoning-")):
            self._block(part, kind)
        elif kind.startswith("tool-"):
            self._tool(part, kind)
        elif not part.get("transient"):
            self.message.append(part)

    def _fields(self, part: dict[str, Any], kind: str) -> None:
        if kind.startswith("data-"):
            required, optional = {"data": None}, {"id": TEXT, "transient": bool}
        elif kind in PARTS:
            required, optional = PARTS[kind]
        else:
            raise Refused(f"unknown type {kind}")
        known = {**required, **optional, "type": TEXT}
        for name, value in part.items():
            if name not in known or (known[name] is not None and not isinstance(value, known[name])):
                raise Refused(f"{kind}.{name}: {value!r}")
        missing = required.keys() - part.keys()
        if missing:
            raise Refused(f"{kind} without {missing}")
        if not all(isinstance(one, dict) for one in part.get("providerMetadata", {}).values()):
            raise Refused(f"{kind}.providerMetadata is no map of maps")

    def _step(self, part: dict[str, Any]) -> None:
        kind = part["type"]
        if kind == "start":
            if self._started:
                raise Refused("a second start")
            self._started = True
            self.id = part.get("messageId")
            self.metadata = part.get("messageMetadata", {})
        elif self._stepping == (kind == "start-step") or self._open:
            raise Refused(f"{kind} with open blocks {list(self._open)}, or out of turn")
        else:
            self._stepping = kind == "start-step"
            if self._stepping:
                self.message.append({"type": "step-start"})

    def _block(self, part: dict[str, Any], kind: str) -> None:
        name, _, act = kind.partition("-")
        key = (name, part["id"])
        if act == "start":
            if key in self._open:
                raise Refused(f"{key} is open")
            self._open[key] = {"type": name, "text": ""}
            self.message.append(self._open[key])
        if key not in self._open:
            raise Refused(f"{kind} of {key}, which is not open")
        if act == "delta":
            self._open[key]["text"] += part["delta"]
        if "providerMetadata" in part:  # what is said last stands
            self._open[key]["providerMetadata"] = part["providerMetadata"]
        if act == "end":
            del self._open[key]

    def _tool(self, part: dict[str, Any], kind: str) -> None:
        key = ("tool", part["toolCallId"])
        if kind == "tool-input-start":
            if any(one.get("toolCallId") == key[1] for one in self.message):
                raise Refused(f"{key} twice")
            tool = {"type": f"tool-{part['toolName']}", "toolCallId": key[1], "raw": ""}
            self._open[key] = tool
            self.message.append(tool)
            return
        if kind.startswith("tool-output-"):
            tool = next((one for one in self.message if one.get("toolCallId") == key[1]), {})
            if "input" not in tool or "output" in tool:
                raise Refused(f"{kind} of {key}, which is not waiting for one")
            tool.update({name: part[name] for name in ("output", "errorText") if name in part})
            return
        if key not in self._open:
            raise Refused(f"{kind} of {key}, which is not open")
        if kind == "tool-input-delta":
            self._open[key]["raw"] += part["inputTextDelta"]
            return
        tool = self._open.pop(key)
        tool["input"] = part["input"]
        if "errorText" in part:
            tool["errorText"] = part["errorText"]
        elif json.loads(tool["raw"] or "{}") != part["input"]:
            raise Refused(f"{tool['raw']} is not {part['input']}")

    def _end(self, part: dict[str, Any]) -> None:
        self.ended = part["type"]
        self.error = part.get("errorText")
        if self.ended == "finish":
            if self._stepping or part["finishReason"] not in REASONS:
                raise Refused(f"{part} in a step, or with a reason of its own")
            self.reason = part["finishReason"]
            self.metadata = {**self.metadata, **part.get("messageMetadata", {})}
