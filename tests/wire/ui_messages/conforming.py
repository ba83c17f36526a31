"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.ui_messages.events import RICH, TEXT, TOOLS

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.ui_messages import WIRE

ASK: dict[str, Any] = {
    "id": "chat_1",
    "trigger": "submit-message",
    "model": "m",
    "messages": [{"id": "u1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}],
}

CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said("Hello é🙂"), enough=len(TEXT) - 1),
        Sample("tools", b"".join(TOOLS),
               Said(reasoning="Hm.",
                    tool_calls=(("a", "weather", '{"city": "Oslo"}'), ("b", "time", "{}")),
                    finish_reason="tool_calls",
                    usage=Usage(11, 7, cached_input_tokens=4, reasoning_tokens=2)),
               enough=len(TOOLS) - 1),
        Sample("rich", b"".join(RICH),
               Said("abagain",
                    tool_calls=(("d", "dyn", '{"x":1}'), ("e", "whole", "[1.5,null]"), ("f", "bad", "{cut"),
                                ("g", "bad", '{"a":1}'), ("h", "mended", '{"a":1')),
                    images=(b"x", b"x"), sound=b"x", usage=Usage(3)),
               enough=len(RICH) - 1),
    ),
    asked=(asked(ASK),),
    unknown_event={"type": "weather", "sky": "blue"},
    free_form=("input",),
    keeps=(b"tool-input-delta", b"text-delta"),  # the text: its end may tell places in it
    carries=True,
)  # fmt: skip
