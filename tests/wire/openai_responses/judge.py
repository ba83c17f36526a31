"""The official client's own accumulator as the judge of answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from openai import omit
from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from tests.wire.judge import Judge, spoken
from tests.wire.recordings import Recording

from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.wire.openai_responses import ResponsesDecoder, ResponsesEncoder

# Ids were replaced in these, or rotate (Copilot): the accumulator refuses, so the judge is the final
# response as the client reads it.
NO_IDENTITY = (
    "json_lines/openai/responses_github-copilot-id-rotation.1.jsonl",
    "json_lines/openai/responses_openai-client-tool-search.1.jsonl",
    "json_lines/xai/responses_xai-x-search-tool.jsonl",
)
# Deltas were taken out of this one and its texts changed: what was streamed counts, not what is said last.
SHORTENED = "json_lines/openai/responses_openai-shell-container.1.jsonl"
ERROR = "json_lines/openai/responses_openai-error.1.jsonl"  # quota exceeded, inside a 200
# Hand-made, and two of its lines are cut in the middle: no stream.
NOT_JSON = "json_lines/openai/responses_parallel-tool-call-wrapper.1.jsonl"
ENDS = (b'"response.completed"', b'"response.incomplete"', b'"response.failed"', b'"type":"error"')


class Said(NamedTuple):
    """What a stream adds up to, as far as all sides can tell it."""

    text: str
    refusal: str
    reasoning: str
    tool_calls: list[tuple[str, str, str]]
    status: str
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None


def sdk_events(body: bytes) -> Iterator[Any]:
    """The events as the official client makes them of the bytes of an answer."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        yield construct_type(type_=ResponseStreamEvent, value=event.json())


def sdk_last(body: bytes) -> Response:
    """The response of the last event, as the official client reads it, without its accumulator."""
    *_, last = sdk_events(body)
    response: Response = last.response
    return response


def sdk_final(body: bytes) -> Response:
    """What the official client's accumulator makes of an answer's bytes; asserts that it accepts them all."""
    with warnings.catch_warnings():
        # pydantic's word about tools of xAI's that the client has no class for
        warnings.filterwarnings("ignore", "Pydantic serializer warnings")
        return _accumulated(body)


def _accumulated(body: bytes) -> Response:
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    final: Response | None = None
    for event in sdk_events(body):
        for made in state.handle_event(event):
            if made.type in ("response.completed", "response.incomplete", "response.failed"):
                final = made.response
    assert final is not None
    return final


def said_by(response: Response) -> Said:
    """A response as the judge's word."""
    text, refusal, reasoning, calls = "", "", "", []
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                text += part.text if part.type == "output_text" else ""
                refusal += part.refusal if part.type == "refusal" else ""
        elif item.type == "reasoning":
            reasoning += "".join(part.text for part in [*item.summary, *(item.content or ())])
        elif item.type == "function_call":
            calls.append((item.call_id, item.name, item.arguments))
        elif item.type == "custom_tool_call":
            calls.append((item.call_id, item.name, item.input))
    usage = response.usage
    return Said(
        text=text,
        refusal=refusal,
        reasoning=reasoning,
        tool_calls=calls,
        status=response.status or "",
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        reasoning_tokens=usage.output_tokens_details.reasoning_tokens if usage else None,
    )


def said(reply: Reply) -> tuple[Any, ...]:
    """The same fields as the judge's `Said`."""
    usage = reply.usage
    return (
        *spoken(reply),
        "completed" if reply.candidates[0].raw_reason == "completed" else "incomplete",
        usage and usage.input_tokens,
        usage and usage.output_tokens,
        usage and usage.reasoning_tokens,
    )


def official(recording: Recording, body: bytes) -> Said:
    """What the client makes of a recording, or of what we made of it."""
    judge = sdk_last if recording.name in NO_IDENTITY else sdk_final
    return said_by(judge(body))


def told(recording: Recording, theirs: Said) -> tuple[Any, ...]:
    """The client's word, as a tuple."""
    if recording.name == SHORTENED:
        theirs = theirs._replace(text="The command ran successfully.")
    return tuple(theirs)


JUDGE = Judge(
    wire="openai_responses",
    by="the accumulator of the official client (openai)",
    decoder=ResponsesDecoder,
    encoder=ResponsesEncoder,
    official=official,
    told=told,
    said=lambda _recording, chunks: said(fold(chunks)),
    ends=lambda event: any(word in event for word in ENDS),
    fails={ERROR: ("rate_limited", "insufficient_quota"), NOT_JSON: ("wire", "wire")},
    changed={SHORTENED: "what was streamed goes out, not the other text that its last event says"},
)
