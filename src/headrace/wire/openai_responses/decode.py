"""Bytes of a streamed answer -> chunks: framing, JSON, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from headrace.core.chunk import Cancelled, Chunk, Failure, Start, TextDelta, VendorPart
from headrace.errors import Truncated
from headrace.wire.base import NO_QUIRKS
from headrace.wire.event_decoder import MAX_EVENT_BYTES, EventDecoder
from headrace.wire.failing import broken
from headrace.wire.openai_responses.ending import Ending
from headrace.wire.openai_responses.failure import failure_from_event, failure_from_response
from headrace.wire.openai_responses.pieces import Fields, Pieces, TooManyPieces
from headrace.wire.openai_responses.read_delta import read_delta, read_odd_delta
from headrace.wire.openai_responses.read_item import item_added, item_done, partial_image
from headrace.wire.openai_responses.read_part import (
    WHOLE,
    annotation_added,
    part_added,
    part_done,
    text_done,
)
from headrace.wire.openai_responses.read_sound import SOUND, read_sound
from headrace.wire.openai_responses.schema import AnyDelta, TextDeltaBody
from headrace.wire.openai_responses.template import template
from headrace.wire.plain import may_be_deep, read_plain
from headrace.wire.reading import UNREADABLE

_read = msgspec.json.Decoder(AnyDelta).decode

# False: the event is nothing that we model, and is kept whole.
Reader: TypeAlias = Callable[[Fields, Pieces, list[Chunk]], bool]
_READERS: dict[str, Reader] = {
    "response.output_item.added": item_added,
    "response.output_item.done": item_done,
    "response.content_part.added": part_added,
    "response.content_part.done": part_done,
    "response.reasoning_summary_part.added": part_added,
    "response.reasoning_summary_part.done": part_done,
    "response.output_text.annotation.added": annotation_added,
    "response.image_generation_call.partial_image": partial_image,
    **dict.fromkeys(WHOLE, text_done),
    **dict.fromkeys(SOUND, read_sound),
}
_COMPLETE = frozenset({"response.completed", "response.incomplete"})
_CANCELLED = frozenset({"response.cancelled", "response.canceled"})


class ResponsesDecoder(EventDecoder):
    """A stage: bytes in any split -> chunks. Eager, linear, never raises; inert after its terminal.

    The end is `response.completed` or `response.incomplete` (a Finish), `response.failed` or `error` (a
    Failure: the first of the two, where both come). End of input before it is a Failure `truncated`. Each
    event that is not a delta is kept whole in one chunk's `vendor` (see `template`), or as a `VendorPart`.
    """

    __slots__ = ("_beside", "_pieces", "_started")

    def __init__(
        self, quirks: Mapping[str, Any] = NO_QUIRKS, *, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        super().__init__(failure_from_response, max_event_bytes)
        self._beside = bool(quirks.get("reasoning_beside_output"))
        self._pieces = Pieces()
        self._started = False

    def _closed(self, out: list[Chunk]) -> None:
        said = f"the stream ended after {self._events} events without response.completed"
        self._end(Failure.of(Truncated(said)), out)

    def _event(self, data: bytes, name: bytes, out: list[Chunk]) -> None:
        if data == b"[DONE]":
            return  # some proxies end every stream so; the end of an answer is an event of its own
        self._events += 1
        try:
            if may_be_deep(data):
                raise msgspec.ValidationError
            body = _read(data)
        except UNREADABLE:
            self._whole_event(data, name == b"error", out)
            return
        if type(body) is TextDeltaBody and not body.logprobs:
            block = self._pieces.blocks.get((body.output_index, "content", body.content_index))
            if block is not None and block.kind == "text" and block.item_id == body.item_id:
                block.chars += len(body.delta)
                block.tail = body.delta
                out.append(TextDelta(block.number, body.delta))
                return
        self._begin(out)
        try:
            read_delta(body, None, self._pieces, out)
        except (ValueError, TooManyPieces) as error:
            self._end(broken(data, self._events, str(error)), out)

    def _begin(self, out: list[Chunk]) -> None:
        """Every answer starts, also one whose `response.created` is missing."""
        if not self._started:
            self._started = True
            out.append(Start())

    def _whole_event(self, data: bytes, named_error: bool, out: list[Chunk]) -> None:
        try:
            event = read_plain(data.decode("utf-8", "replace"))
        except UNREADABLE as error:
            text = data[:4096].decode("utf-8", "replace")
            bad = broken(data, self._events, f"not valid JSON ({error})")
            self._end(failure_from_event(text) if named_error else bad, out)
            return
        if not isinstance(event, dict):
            self._end(broken(data, self._events, "not a JSON object"), out)
            return
        kind = event.get("type")
        if kind == "error" or named_error or (event.get("error") and "response" not in event):
            self._end(failure_from_event(event), out)
        elif not isinstance(kind, str):
            self._end(broken(data, self._events, "no type"), out)
        else:
            try:
                if not self._lifecycle(kind, event, out):
                    self._piece(kind, event, out)
            except (ValueError, TooManyPieces) as error:
                self._end(broken(data, self._events, str(error)), out)

    def _lifecycle(self, kind: str, event: Fields, out: list[Chunk]) -> bool:
        """Whether the event is about the response as a whole and was read."""
        response = event.get("response")
        if kind in _CANCELLED:
            self._end(Cancelled("the provider says that the response was cancelled"), out)
            return True
        if kind == "response.failed":
            error = response.get("error") if isinstance(response, dict) else None
            self._end(failure_from_event(error or "the response failed, and no reason was given"), out)
            return True
        if kind in _COMPLETE:
            if not isinstance(response, dict):
                raise ValueError("response is missing")
            self._begin(out)
            out += Ending(self._pieces, self._beside).chunks(event, response)
            self._done = True
            return True
        if not self._started and isinstance(response, dict):
            self._started = True
            out.append(_start(event, response))
            return True
        return False

    def _piece(self, kind: str, event: Fields, out: list[Chunk]) -> None:
        self._begin(out)
        if kind.endswith(".delta") and read_odd_delta(event, self._pieces, out):
            return
        reader = _READERS.get(kind)
        if reader is None or not reader(event, self._pieces, out):
            out.append(VendorPart(template(event)))


def _start(event: Fields, response: Fields) -> Start:
    created = response.get("created_at")
    return Start(
        _text(response.get("id")),
        _text(response.get("model")),
        int(created) if isinstance(created, int | float) else 0,
        template(event),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
