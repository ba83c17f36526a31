"""One JSON line an answer: figures, and nothing that anybody said."""

from __future__ import annotations

import json
import logging

import msgspec
import pytest
from tests.metrics.answers import KEY, PROMPT, call, ended, tally

from headrace.core.chunk import Failure
from headrace.errors import BadRequest
from headrace.metrics.stream_log import line_of, log_stream


def test_the_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "headrace.streams"):
        log_stream(ended())
    line = json.loads(caplog.messages[0])
    assert "\n" not in caplog.messages[0]
    assert {name: line[name] for name in ("id", "request_id", "model", "protocol", "outcome")} == {
        "id": "chatcmpl-1",
        "request_id": "req_1",
        "model": "sim/echo",
        "protocol": "openai_chat",
        "outcome": "finished",
    }
    assert (line["ttft_s"], line["gap_most_s"], line["pieces"], line["output_tokens"]) == (0.5, 0.25, 4, 5)
    assert line["finish_reason"] == "stop"
    assert "ttfb_s" not in line  # nobody was sent anything


def test_a_failures_words_are_not_in_it() -> None:
    failure = Failure.of(BadRequest(f"cannot read {PROMPT!r} with {KEY}", status=400))
    line = line_of(ended(tally(terminal=failure), call(traceparent=KEY)))
    assert line["error"] == failure.kind
    assert PROMPT not in json.dumps(line)
    assert KEY not in json.dumps(line)


def test_a_whole_answer_has_its_duration_and_no_figures() -> None:
    line = line_of(ended(msgspec.structs.replace(tally(pushes=None), duration_s=3.0000000006)))
    assert (line["duration_s"], line["streamed"]) == (3.0, False)
    assert "pieces" not in line
