"""Recorded streams, framed as Bedrock frames them and as the lines that they are kept as."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.bedrock.events import decode
from tests.wire.bedrock.judge import JUDGE, client_answer, client_events
from tests.wire.recordings import RECORDINGS

from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.bedrock import ConverseEncoder, converse_body

pytestmark = pytest.mark.recordings


def test_its_lines_are_the_same_answer(recording: Any) -> None:
    assert decode((RECORDINGS / recording.name).read_bytes()) == decode(recording.body)


def test_encoded_again_the_official_client_sees_the_same_events(recording: Any) -> None:
    chunks = decode(recording.body)
    encoded = b"".join(stages.run(ConverseEncoder(), [chunks]))
    assert fold(decode(encoded)) == fold(chunks)
    read = client_events(encoded)
    sent = [one.raw for one in JUDGE.separated.split(recording.body) if b'"start": {}' not in one.data]
    missing = [one for one in client_events(b"".join(sent)) if one not in read]
    empty = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": ""}}}
    assert missing in ([], [{"contentBlockDelta": empty}])


def test_the_whole_answer_says_the_same(recording: Any) -> None:
    answer = client_answer(converse_body(fold(decode(recording.body))))
    content = [_of_answer(block) for block in answer["output"]["message"]["content"]]
    wanted = JUDGE.official(recording, recording.body)
    assert (content, answer["stopReason"]) == (wanted["content"], wanted["stop"])
    assert answer["usage"]["outputTokens"] == (wanted["usage"] or [0, 0])[1]


def _of_answer(block: dict[str, Any]) -> dict[str, Any]:
    ((name, body),) = block.items()
    if name == "toolUse":
        return {"call": {"toolUseId": body["toolUseId"], "name": body["name"]}, "input": body["input"]}
    if name == "reasoningContent":
        text = body["reasoningText"]
        return {"thought": text["text"], "signature": text["signature"]}
    return block
