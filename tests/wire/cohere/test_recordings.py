"""Recorded streams: encoded again the events are the same, and the whole answer says it too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.cohere.events import DONE, decode
from tests.wire.cohere.judge import client_answer, client_events, theirs

from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.cohere import ChatEncoder, chat_body

pytestmark = pytest.mark.recordings


def events_of(body: bytes) -> list[dict[str, Any]]:
    lines = [one for one in body.splitlines() if one.startswith(b"data: {")]
    return [json.loads(one.removeprefix(b"data: ")) for one in lines]


def test_encoded_again_the_events_are_the_same(recording: Any) -> None:
    encoded = b"".join(stages.run(ChatEncoder(), [decode(recording.body)]))
    assert encoded.endswith(DONE)
    assert events_of(encoded) == events_of(recording.body)


def test_what_is_billed_is_not_what_is_counted(recording: Any) -> None:
    usage = events_of(recording.body)[-1]["delta"]["usage"]
    counted = fold(decode(recording.body)).usage
    assert counted is not None
    assert counted.input_tokens == usage["tokens"]["input_tokens"] > usage["billed_units"]["input_tokens"]


def test_the_whole_answer_says_the_same(recording: Any) -> None:
    answer = client_answer(chat_body(fold(decode(recording.body)), Says("", "", 0)))
    wanted = theirs(client_events(recording.body))
    message = answer["message"]
    assert (answer["id"], message.get("content", [])) == (wanted["id"], wanted["content"])
    calls = [
        [one["id"], one["function"]["name"], json.loads(one["function"]["arguments"])]
        for one in message.get("tool_calls", [])
    ]
    assert (calls, message.get("tool_plan", "")) == (wanted["calls"], wanted["plan"])
    assert {name: answer[name] for name in ("finish_reason", "usage")} == wanted["end"]
