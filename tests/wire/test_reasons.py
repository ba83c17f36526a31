"""Why an answer ended, on its way from any wire to any other: another's word never changes the meaning."""

from __future__ import annotations

from typing import get_args

import pytest
from tests.wire.scripted import read_back

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    FinishReason,
    Start,
    ToolCallDelta,
)
from headrace.wire import WIRES

# Words that several vendors use, some of them for different things.
WORDS = (
    "stop", "length", "tool_calls", "function_call", "content_filter", "end_turn", "max_tokens",
    "stop_sequence", "tool_use", "refusal", "pause_turn", "STOP", "MAX_TOKENS", "SAFETY", "OTHER",
    "completed", "max_output_tokens", "load", "unload", "eos_token", "error",
)  # fmt: skip
WITHOUT_CALLS = ("openai_completions", "openai_audio", "tgi")
REASONS: tuple[FinishReason, ...] = get_args(FinishReason)


def called(reason: FinishReason, raw: str) -> list[Chunk]:
    calls = [BlockStart(0, "tool-call", "id", "f"), ToolCallDelta(0, "{}"), BlockEnd(0)]
    said = calls if reason == "tool_calls" else [BlockStart(0, "text"), BlockEnd(0)]
    return [Start("id", "m", 1), *said, CandidateEnd(reason, raw), Finish(reason, raw)]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("reason", REASONS)
def test_another_vendors_word_does_not_change_what_it_means(wire: str, reason: FinishReason) -> None:
    plain = read_back(called(reason, ""), wire).finish_reason
    heard = {word: read_back(called(reason, word), wire).finish_reason for word in WORDS}
    assert heard == dict.fromkeys(WORDS, plain)


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire not in WITHOUT_CALLS])
def test_calls_are_known_as_calls(wire: str) -> None:
    assert read_back(called("tool_calls", "stop"), wire).finish_reason == "tool_calls"
