"""The final response -> usage, the candidate's end, the terminal."""

from __future__ import annotations

from typing import Any

from headrace.core.chunk import Cancelled, CandidateEnd, Chunk, Finish, UsageReport
from headrace.wire.openai_responses.failure import failure_from_event
from headrace.wire.openai_responses.finish import reason_from
from headrace.wire.openai_responses.pieces import Fields, Pieces
from headrace.wire.openai_responses.read_item import final_output
from headrace.wire.openai_responses.template import template
from headrace.wire.openai_responses.usage import usage_from


class Ending:
    """Reads a final response. beside: whether this place counts reasoning beside its output."""

    __slots__ = ("_beside", "_pieces")

    def __init__(self, pieces: Pieces, beside: bool) -> None:
        self._pieces = pieces
        self._beside = beside

    def chunks(self, event: Fields, response: Fields) -> list[Chunk]:
        """All that is left to say. Raises ValueError or msgspec.ValidationError where it breaks the wire."""
        out: list[Chunk] = []
        status = response.get("status")
        if status == "failed" or (response.get("error") and status != "incomplete"):
            return [failure_from_event(response.get("error") or "the response failed")]
        if status in ("cancelled", "canceled"):
            return [Cancelled("the provider says that the response was cancelled")]
        holes = final_output(response, self._pieces, out)
        self._pieces.end_all(out)
        usage = response.get("usage")
        if isinstance(usage, dict):
            out.append(UsageReport(usage_from(usage, reasoning_beside_output=self._beside)))
        why = _why(response) if event["type"] == "response.incomplete" or status == "incomplete" else ""
        reason = reason_from(why, self._calls())
        raw = why or "completed"
        out.append(CandidateEnd(reason, raw))
        out.append(Finish(reason, raw, True, template(event, holes)))
        return out

    def _calls(self) -> bool:
        """Whether the model waits for a tool. A custom call before a message was the provider's own (xAI)."""
        waiting = False
        for index in sorted(self._pieces.items):
            kind = self._pieces.items[index].type
            if kind == "function_call":
                return True
            if kind == "custom_tool_call":
                waiting = True
            elif kind == "message":
                waiting = False
        return waiting


def _why(response: Fields) -> str:
    details: Any = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return reason if isinstance(reason, str) and reason else "incomplete"
