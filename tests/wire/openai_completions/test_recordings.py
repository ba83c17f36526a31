"""Recorded streams, judged by the official client."""

from __future__ import annotations

import json
from typing import Any

from headrace.core.chunk import Failure, Finish
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.openai_completions import CompletionsDecoder, CompletionsEncoder


def sdk_said(client: Any) -> tuple[Any, ...]:
    """What the events that the official client gives add up to."""
    text, reason, usage, ids = "", None, None, set()
    for completion in client.completions.create(model="m", prompt="p", stream=True):
        ids.add((completion.id, completion.model, completion.created))
        usage = completion.usage or usage
        for choice in completion.choices:
            text += choice.text
            reason = choice.finish_reason or reason
    return text, reason, usage and (usage.prompt_tokens, usage.completion_tokens), ids


def test_a_recording_adds_up_to_what_the_official_client_makes_of_it(recording: Any, answering: Any) -> None:
    whole = fold(stages.run(CompletionsDecoder(), [[recording.body]]))
    assert isinstance(whole.terminal, Finish)
    assert whole.terminal.clean
    assert whole.usage is not None
    ours = (
        whole.text,
        whole.candidates[0].raw_reason,
        (whole.usage.input_tokens, whole.usage.output_tokens),
        {(whole.id, whole.model, whole.created_s)},
    )
    assert ours == sdk_said(answering(recording.body))


def test_a_recording_encoded_again_holds_the_same_events(recording: Any, answering: Any) -> None:
    chunks = stages.run(CompletionsDecoder(), [[recording.body]])
    encoded = b"".join(stages.run(CompletionsEncoder(Says("", "", 0), include_usage=True), [chunks]))
    assert sdk_said(answering(encoded)) == sdk_said(answering(recording.body))
    assert parsed(encoded) == parsed(recording.body)


def parsed(body: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]


def test_a_recording_cut_after_any_event_before_its_reason_is_truncated(recording: Any) -> None:
    events = [one + b"\n\n" for one in recording.body.split(b"\n\n") if one]
    ended = next(at for at, one in enumerate(events) if b'"finish_reason":"' in one)
    for count in range(ended + 1):
        last = stages.run(CompletionsDecoder(), [[b"".join(events[:count])]])[-1]
        assert isinstance(last, Failure)
        assert last.kind == "truncated"


def test_a_recording_decodes_the_same_for_any_cuts(recording: Any) -> None:
    stages.every_split(stages.reads(CompletionsDecoder), recording.body)
