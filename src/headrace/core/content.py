"""Which chunks are a part of the answer itself: what clocks, counters and relays take for a sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from headrace.core.chunk import (
    AudioDelta,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)

Delta: TypeAlias = (
    TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | AudioDelta | ImageDelta | TranscriptDelta
)
DELTAS = (TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, AudioDelta, ImageDelta, TranscriptDelta)
CONTENT = frozenset(DELTAS)


def holds_content(batch: Sequence[Any]) -> bool:
    """Whether a batch holds a delta.

    The last is looked at first: in nearly every batch it is the only one, and a delta.
    """
    return bool(batch) and (type(batch[-1]) in CONTENT or any(type(chunk) in CONTENT for chunk in batch))
