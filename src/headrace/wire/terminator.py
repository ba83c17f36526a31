"""`[DONE]`: how streams of OpenAI's older protocols say that they are complete."""

from __future__ import annotations

DONE = b"data: [DONE]\n\n"
BRACKET = ord("[")  # what it begins with: asked of each event first, because it costs nothing


def is_done(data: bytes) -> bool:
    """Whether an event's data is the terminator, and not merely begins like it; blanks may follow."""
    return data.rstrip() == b"[DONE]"
