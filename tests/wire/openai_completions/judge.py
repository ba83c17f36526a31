"""The official client as the judge of answers: a fold over the events that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.wire.answering import client_for
from tests.wire.judge import Judge
from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk
from headrace.core.fold import fold
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


def official(_recording: Recording, body: bytes) -> tuple[Any, ...]:
    """What the client makes of an answer."""
    with client_for(body) as client:
        return sdk_said(client)


def said(_recording: Recording, chunks: Sequence[Chunk]) -> tuple[Any, ...]:
    """The same of our chunks."""
    whole = fold(chunks)
    assert whole.usage is not None
    counts = (whole.usage.input_tokens, whole.usage.output_tokens)
    ids = {(whole.id, whole.model, whole.created_s)}
    return whole.text, whole.candidates[0].raw_reason, counts, ids


JUDGE = Judge(
    wire="openai_completions",
    by="a fold over the events of the official client (openai)",
    decoder=CompletionsDecoder,
    encoder=lambda: CompletionsEncoder(Says("", "", 0), include_usage=True),
    official=official,
    told=lambda _recording, told: told,
    said=said,
    ends=lambda event: b'"finish_reason":"' in event,
)
