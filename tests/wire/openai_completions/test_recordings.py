"""Recorded streams, judged by the official client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.openai_completions import CompletionsDecoder, CompletionsEncoder

pytestmark = pytest.mark.recordings


def test_a_recording_encoded_again_holds_the_same_events(recording: Any) -> None:
    chunks = stages.run(CompletionsDecoder(), [[recording.body]])
    encoded = b"".join(stages.run(CompletionsEncoder(Says("", "", 0), include_usage=True), [chunks]))
    assert parsed(encoded) == parsed(recording.body)


def parsed(body: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]
