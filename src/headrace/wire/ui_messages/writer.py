"""The parts being written: which are open, in which step, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from headrace.core.chunk import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    ImageDelta,
    Start,
    ToolCallDelta,
    ToolResult,
)
from headrace.core.opaque import Opaque
from headrace.wire.answer_text import AnswerText
from headrace.wire.base import Says
from headrace.wire.ui_messages.citations import CITATIONS, MAX_CITATIONS, citation_body, says_where
from headrace.wire.ui_messages.data import OPAQUE, DataChunk, data_part, opaque_part, opaque_start
from headrace.wire.ui_messages.metadata import (
    FIELD,
    NO_MARKS,
    Part,
    is_own,
    own,
    says,
    with_metadata,
)
from headrace.wire.ui_messages.parts import (
    PART_ID,
    about,
    call_part,
    citation_part,
    event_of,
    file_part,
    result_part,
)

D = TypeVar("D", bound=DataChunk)
_json = msgspec.json.encode
# Our kinds that a message keeps as parts; of the others only what they hold is shown.
_FAMILIES: dict[BlockKind, str] = {
    "text": "text",
    "refusal": "text",
    "reasoning": "reasoning",
    "tool-call": "tool-call",
    "opaque": "opaque",  # not shown, but kept with the message
}
_TEXTS = frozenset({"text", "reasoning"})
_TEXT_DELTA = b'data: {"type":"%b-delta","id":%b,"delta":'
_CALL_DELTA = b'data: {"type":"tool-input-delta","toolCallId":%b,"inputTextDelta":'
REFUSAL: Mapping[str, Any] = {"refusal": True}
START_STEP: Part = {"type": "start-step"}
FINISH_STEP: Part = {"type": "finish-step"}


class OpenPart:
    """A block that has begun. number: its place in the stream. sent: the metadata that a reader has last."""

    __slots__ = (
        "arguments",
        "before",
        "citations",
        "family",
        "id",
        "marks",
        "name",
        "number",
        "sent",
        "text",
        "vendor",
        "whole",
    )

    def __init__(self, number: int, family: str, start: BlockStart) -> None:
        self.number = number
        self.family = family
        self.id = start.id
        self.name = start.name
        self.vendor = start.vendor
        self.sent: Opaque | None = start.vendor if says(start.vendor) else None
        self.marks = REFUSAL if start.kind == "refusal" else NO_MARKS
        self.arguments: list[str] = []
        self.text = AnswerText("utf-16-le")
        self.citations: list[tuple[Citation, str]] = []  # with the ids of their sources
        self.before = b""  # what stands before the text of an ordinary delta
        self.whole = bool(own(start.vendor).get("whole"))  # a call that no event announced


class Writer:
    """Writes events to `out`. A part begins the message and a step where none is open.

    number: blocks so far. Ids are unique where a reader needs them to be: parts of a kind while they are
    open, tool calls in the whole message.
    """

    __slots__ = (
        "_calls",
        "_cited",
        "_ids",
        "_message_id",
        "_named",
        "_says",
        "_start",
        "_step",
        "_waiting",
        "number",
        "out",
        "parts",
    )

    def __init__(self, says: Says, message_id: str) -> None:
        self._says = says
        self._message_id = message_id
        self._start = Start()
        self._step = 0  # 0: nothing was sent, 1: a step is open, 2: none is, and another may begin
        self._ids: set[tuple[str, str]] = set()
        self._calls: dict[str, int] = {}  # by id, how many asked for it
        self._waiting: dict[str, list[str]] = {}  # by id, what its calls without a result are called here
        self._named = 0
        self._cited = 0
        self.number = 0
        self.out: list[bytes] = []
        self.parts: dict[int, OpenPart] = {}  # by the source's number

    def message(self, start: Start) -> None:
        """What is known of the message. One after the first begins a further step."""
        if self._step == 0:
            self._start = start
        elif self._step == 1:
            self.end_step()

    def send(self, part: Part) -> None:
        """Write a part inside a step."""
        if self._step != 1:
            self.begin_step()
        self.out.append(event_of(part))

    def begin_step(self, event: Part = START_STEP) -> None:
        """Write that the message and a step begin. event: what says so."""
        if self._step == 0:
            self.out.append(event_of(self._message_start()))
        self._step = 1
        self.out.append(event_of(event))

    def end_step(self, event: Part = FINISH_STEP) -> None:
        """Close what is open, and the step."""
        for block in list(self.parts):
            self.close(BlockEnd(block))
        self._step = 2
        self.out.append(event_of(event))

    def finish(self) -> None:
        """Close all; an answer of nothing is a message all the same."""
        if self._step == 0:
            self.begin_step()
        if self._step == 1:
            self.end_step()

    def kept(self, event: Any) -> None:
        """Write an event that came over this wire, where it stood."""
        kind = event.get("type") if isinstance(event, dict) else None
        if kind == "start-step" and self._step != 1:
            self.begin_step(event)
        elif kind == "finish-step" and self._step == 1:
            self.end_step(event)
        elif isinstance(kind, str):
            self.out.append(event_of(event))

    def data(self, chunk: DataChunk, block: int = -1) -> None:
        """Write a chunk that the protocol has no part for. block: the source's number of its block."""
        self.send(data_part(self.numbered(chunk, block)))

    def numbered(self, chunk: D, block: int) -> D:
        """The chunk with its block's number in this stream."""
        opened = self.parts.get(block)
        return chunk if opened is None else msgspec.structs.replace(chunk, block=opened.number)

    def cite(self, citation: Citation) -> None:
        """Write a source. What of an open text it supports is told at that text's end."""
        self._cited += 1
        part = citation_part(self.numbered(citation, citation.block), self._cited)
        self.send(part)
        to = self.parts.get(citation.block)
        takes = to is not None and to.family == "text" and len(to.citations) < MAX_CITATIONS
        if to is not None and takes and says_where(citation):
            to.citations.append((citation, part["sourceId"]))

    def open(self, start: BlockStart) -> OpenPart:
        """Begin a block."""
        if start.block in self.parts:
            self.close(BlockEnd(start.block))
        family = _FAMILIES.get(start.kind, "")
        opened = OpenPart(self.number, family, start)
        self.number += 1
        self.parts[start.block] = opened
        if family == "tool-call":
            self._open_call(opened, start)
        elif family in _TEXTS:
            self._open_text(opened)
        elif family == "opaque":
            opened.id = f"{self._id or OPAQUE}:{opened.number}"
            self.send(opaque_start(self.numbered(start, start.block), opened.id))
        elif not is_own(start.vendor):  # else what it holds came alone
            self.data(start, start.block)
        return opened

    def opened(self, block: int, kind: BlockKind) -> OpenPart:
        """The open block of that number and kind; one that the source forgot to open is made good."""
        found = self.parts.get(block)
        if found is None or found.family != _FAMILIES.get(kind, ""):
            return self.open(BlockStart(block, kind))
        return found

    def said(self, block: int, kind: BlockKind, text: str, vendor: Opaque | None) -> None:
        """Write a piece of text."""
        to = self.opened(block, kind)
        to.text.add(text)
        if not says(vendor):
            if text:
                self.out.append(b"%b%b}\n\n" % (to.before, _json(text)))
            return
        to.sent = vendor
        part: Part = {"type": f"{to.family}-delta", "id": to.id, "delta": text}
        self.out.append(event_of(with_metadata(part, vendor, to.marks)))

    def arguments(self, delta: ToolCallDelta) -> None:
        """Write a piece of a call's arguments."""
        to = self.opened(delta.block, "tool-call")
        to.arguments.append(delta.arguments)
        beside = own(delta.vendor)
        if beside.get("whole") or not (delta.arguments or beside):
            return
        if beside:
            part = {"type": "tool-input-delta", "toolCallId": to.id, "inputTextDelta": delta.arguments}
            self.out.append(event_of({**part, **beside}))
        else:
            self.out.append(b"%b%b}\n\n" % (to.before, _json(delta.arguments)))

    def image(self, image: ImageDelta) -> None:
        """Write an image: a whole one as a file, a preview as data."""
        self.opened(image.block, "image")
        if image.partial:
            self.data(image, image.block)
        else:
            self.send(file_part(image.data, image.media_type or "image/png", image.vendor))

    def result(self, result: ToolResult) -> None:
        """Write what a tool answered: with the call that waits for it, as data where none does."""
        waiting = self._waiting.get(result.id)
        if waiting:
            self.send(result_part(result, waiting.pop(0)))
        else:
            self.data(result)

    def close(self, end: BlockEnd) -> None:
        """End a block; nothing where it is not open."""
        opened = self.parts.get(end.block)
        if opened is None:
            return
        if opened.family == "tool-call":
            self._close_call(opened, end)
        elif opened.family in _TEXTS:
            self._close_text(opened, end.vendor)
        elif opened.family == "opaque":
            if end.vendor is not None:
                self.send(opaque_part(end.vendor, opened.number, opened.id))
        elif not is_own(opened.vendor):
            self.data(end, end.block)
        del self.parts[end.block]
        self._ids.discard((opened.family, opened.id))

    @property
    def _id(self) -> str:
        """The answer's own: what is named after it is unique in a message that it goes on with."""
        return self._says.id or self._start.id

    def _message_start(self) -> Part:
        says, start = self._says, self._start
        part: Part = {"type": "start"}
        id = self._message_id or self._id
        if id:
            part["messageId"] = id
        beside = dict(own(start.vendor))
        metadata = beside.pop("messageMetadata", None)
        if metadata is None:
            metadata = about(says.model or start.model, says.created_s or start.created_s)
        if metadata:
            part["messageMetadata"] = metadata
        return {**part, **beside}

    def _open_text(self, opened: OpenPart) -> None:
        name, self._named = f"{PART_ID}{self._named}", self._named + 1
        if not opened.id or (opened.family, opened.id) in self._ids:
            opened.id = name
        self._ids.add((opened.family, opened.id))
        kind = opened.family
        opened.before = _TEXT_DELTA % (kind.encode(), _json(opened.id))
        self.send(with_metadata({"type": f"{kind}-start", "id": opened.id}, opened.vendor, opened.marks))

    def _open_call(self, opened: OpenPart, start: BlockStart) -> None:
        given = opened.id = start.id or f"{self._id or 'call'}_{start.block}"
        while opened.id in self._calls:  # a reader takes a second call of the same id for the first
            self._calls[given] += 1
            opened.id = f"{given}-{self._calls[given]}"
        self._calls[opened.id] = 1
        self._waiting.setdefault(given, []).append(opened.id)
        opened.before = _CALL_DELTA % _json(opened.id)
        if not opened.whole:
            part: Part = {"type": "tool-input-start", "toolCallId": opened.id, "toolName": start.name}
            self.send(with_metadata(part, opened.vendor))
        elif self._step != 1:
            self.begin_step()

    def _close_text(self, opened: OpenPart, vendor: Opaque | None) -> None:
        """The end says what a reader must keep, where that is not what it has."""
        last = vendor if says(vendor) else opened.vendor if says(opened.vendor) else None
        part: Part = {"type": f"{opened.family}-end", "id": opened.id}
        if last != opened.sent:
            with_metadata(part, last, opened.marks)
            if last is None:
                part.setdefault(FIELD, {})
        if opened.citations:
            told = [citation_body(one, id, opened.text) for one, id in opened.citations]
            part.setdefault(CITATIONS, told)
        self.out.append(event_of(part))

    def _close_call(self, opened: OpenPart, end: BlockEnd) -> None:
        own_end = is_own(end.vendor)
        if says(end.vendor) and not own_end:
            self.data(end, end.block)  # a reader keeps what the call began with
        vendor = end.vendor if own_end else opened.vendor
        part = call_part(opened.id, opened.name, "".join(opened.arguments), vendor)
        part.pop("whole", None)
        self.out.append(event_of(part))
