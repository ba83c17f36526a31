"""The response object, which stands in the first events and the last."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.usage import Usage
from headrace.wire.openai_responses.usage import usage_body

Fields = dict[str, Any]

# What clients expect to find, where the request said nothing of it.
_QUIET: Fields = {
    "background": False,
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class Snapshot(msgspec.Struct, gc=False):
    """What every response object of one answer says.

    echo: the request's fields, as it is answered to. ours: the names that stand before the source's.
    """

    id: str
    model: str
    created_s: int
    echo: Fields
    ours: Fields

    def response(self, status: str, output: list[Fields], usage: Usage | None = None, **more: Any) -> Fields:
        """The response in a state: in_progress, completed, incomplete or failed."""
        return {
            **_QUIET,
            **self.echo,
            "id": self.id,
            "object": "response",
            "created_at": self.created_s,
            "model": self.model,
            "status": status,
            "output": output,
            "usage": usage_body(usage) if usage is not None else None,
            **more,
        }

    def renamed(self, response: Fields) -> Fields:
        """A response that came over this wire, under our names where we have given some."""
        return {**response, **self.ours}
