"""The UI message stream (version 1) of the npm package `ai`: how web front ends read an answer.

Only what a server writes: `UiEncoder` and `error_event`. `HEADERS` go with every streamed answer.
"""

from __future__ import annotations

from headrace.wire.ui_messages.encode import UiEncoder, error_body, error_event
from headrace.wire.ui_messages.parts import WIRE_NAME

__all__ = ["HEADERS", "WIRE_NAME", "UiEncoder", "error_body", "error_event"]

HEADERS = {"x-vercel-ai-ui-message-stream": "v1", "x-accel-buffering": "no"}
