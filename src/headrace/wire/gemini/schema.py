"""The vendor's streamed answer, as Structs.

Source: Google's published Gemini API schema (GenerateContentResponse) as the official Python client
(google-genai 3.4, `types.py`, `models.py`) carries it, and recorded streams of the Gemini API and Vertex AI,
read 2026-11-21. `partialArgs` and `willContinue` are Vertex AI's. Unknown fields are kept by who reads these.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of

WIRE_NAME = "gemini"
MAX_CANDIDATES = 1024
MORE = (
    "more"  # in `vendor`: the next chunk of this answer came in the same event, and goes out in the same one
)

Fields = dict[str, Any]


def own(vendor: Opaque | None) -> Fields:
    """What was kept of this wire, empty for another's."""
    return own_of(vendor, WIRE_NAME)


def kept(fields: Fields, more: bool = False) -> Opaque | None:
    """`fields` for the same wire, None where there is nothing to keep."""
    if more:
        fields = {**fields, MORE: True}
    return Opaque(WIRE_NAME, fields) if fields else None


class PlainPart(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of the answer's text, or of the thoughts."""

    text: str
    thought: bool = False


class PlainContent(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One part of text and nothing else."""

    parts: tuple[PlainPart]
    role: str | None = None


class PlainCandidate(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A candidate that goes on."""

    content: PlainContent
    index: int = 0


class PlainEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """The ordinary event: a piece of text of one candidate. What does not fit is read as an `Event`."""

    candidates: tuple[PlainCandidate]
    usage_metadata: msgspec.Raw = msgspec.Raw()
    model_version: str = ""
    response_id: str = ""
    create_time: str = ""


class Blob(msgspec.Struct, gc=False, rename="camel"):
    """Bytes in base64."""

    mime_type: str = ""
    data: str = ""


class PartialArg(msgspec.Struct, gc=False, rename="camel"):
    """A piece of one argument. json_path: RFC 9535, such as "$.steps[0].name"."""

    json_path: str
    string_value: str | None = None
    number_value: int | float | None = None
    bool_value: bool | None = None
    null_value: Any = msgspec.UNSET
    will_continue: bool = False


class FunctionCall(msgspec.Struct, gc=False, rename="camel"):
    """A call, whole (`args`) or a piece of one (`partial_args`, `will_continue`)."""

    id: str | None = None
    name: str | None = None
    args: dict[str, Any] | None = None
    partial_args: list[PartialArg] | None = None
    will_continue: bool = False


class Heard(msgspec.Struct, gc=False, rename="camel"):
    """What is said in the sound of an answer."""

    text: str | None = None
    language_code: str | None = None


class Part(msgspec.Struct, gc=False, rename="camel"):
    """A part; which of its fields is set tells its kind."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    inline_data: Blob | None = None
    function_call: FunctionCall | None = None
    audio_transcription: Heard | None = None


class Content(msgspec.Struct, gc=False):
    """A piece of a message."""

    parts: list[Part] | None = None


class LogProb(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """A token and the logarithm of its probability."""

    token: str = ""
    token_id: int | None = None
    log_probability: float | None = None


class TopLogProbs(msgspec.Struct, gc=False):
    """The likeliest tokens at one place."""

    candidates: list[LogProb] | None = None


class LogProbs(msgspec.Struct, gc=False, rename="camel"):
    """The tokens of a piece of the answer."""

    chosen_candidates: list[LogProb] | None = None
    top_candidates: list[TopLogProbs] | None = None


class CandidateBody(msgspec.Struct, gc=False, rename="camel"):
    """A candidate's piece."""

    content: Content | None = None
    finish_reason: str | None = None
    index: int = 0
    logprobs_result: LogProbs | None = None


class PromptFeedback(msgspec.Struct, gc=False, rename="camel"):
    """What the vendor thinks of the prompt; with a reason it is not answered."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class UsageCounts(msgspec.Struct, gc=False, rename="camel"):
    """Token counts. Thoughts are not part of candidates; tool use is not part of the prompt."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None


class Event(msgspec.Struct, gc=False, rename="camel"):
    """One event of an answer: a whole object each."""

    candidates: list[CandidateBody] | None = None
    prompt_feedback: PromptFeedback | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
