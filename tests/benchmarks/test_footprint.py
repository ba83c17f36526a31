"""What a soak takes for a leak, and for a promise that was not kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from benchmarks.rig.footprint import RSS_GROWTH_LIMIT_BYTES, Footprint, footprints
from benchmarks.rig.lives import Broken, Heard, error_of, text_of

IDLE = Footprint(files=15, threads=2, tasks=3, rss_bytes=50_000_000, live=0, streams=0, log_bytes=0)


def failed(after: Footprint) -> list[str]:
    return [check.name for check in footprints(IDLE, after, IDLE) if not check.passed]


def test_a_server_that_is_as_it_was_passes() -> None:
    assert failed(IDLE) == []
    assert failed(replace(IDLE, rss_bytes=IDLE.rss_bytes + RSS_GROWTH_LIMIT_BYTES, log_bytes=None)) == []


@pytest.mark.parametrize(
    "left",
    [
        {"files": 16},
        {"threads": 3},
        {"tasks": 4},
        {"live": 1},
        {"streams": 1},
        {"log_bytes": 1},
        {"rss_bytes": IDLE.rss_bytes + RSS_GROWTH_LIMIT_BYTES + 1},
    ],
    ids=lambda left: next(iter(left)),
)
def test_whatever_is_left_fails_one_check(left: dict[str, Any]) -> None:
    assert len(failed(replace(IDLE, **left))) == 1


def test_text_and_errors_of_three_protocols() -> None:
    assert text_of({"choices": [{"delta": {"content": "a"}}]}) == "a"
    assert text_of({"choices": [{"delta": {"role": "assistant"}}]}) == ""
    assert text_of({"type": "response.output_text.delta", "delta": "b"}) == "b"
    assert text_of({"type": "text-delta", "id": "0", "delta": "c"}) == "c"
    assert text_of({"type": "response.function_call_arguments.delta", "delta": "{"}) == ""
    assert error_of({"error": {"code": "cancelled", "message": "m"}}) == "cancelled"
    assert error_of({"error": None, "choices": []}) == ""


def test_a_text_with_a_piece_too_few_or_too_many_is_broken() -> None:
    for pieces, kept in ((2, True), (1, False), (3, False)):
        heard = Heard(texts=["the ", "stream "])
        if kept:
            heard.require_whole(pieces)
        else:
            with pytest.raises(Broken):
                heard.require_whole(pieces)
