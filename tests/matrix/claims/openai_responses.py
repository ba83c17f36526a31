"""Responses."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap

_ASKED = "openai.types.responses.response_create_params:ResponseCreateParamsNonStreaming"
_CONTENT = "openai.types.responses:ResponseInputContentParam"
_SETTINGS = Gap("the request has no such setting", _ASKED, ("stop", "stop_sequences", "seed"), "was left out")
_SOUND_IN = Gap("content is text, image or file", _CONTENT, ("audio", "input_audio"), "sound was left out")
_MODALITIES = Gap(
    "the request does not say what an answer is to hold",
    _ASKED,
    ("modalities", "voice"),
    "modalities: audio left out",
)
_QUOTE = Gap(
    "an annotation has address, title and place, and no words of the source",
    "openai.types.responses.response_output_text:AnnotationURLCitation",
    ("text", "quote", "cited_text"),
)
_IDS = Gap(
    "tokens have text and no numbers",
    "openai.types.responses.response_output_text:Logprob",
    ("id", "token_id"),
)
_CALLS = Gap(
    "an answer with calls is `completed` like any other",
    "openai.types.responses:ResponseStatus",
    ("tool_calls", "requires_action"),
)
CLAIMS = Claims(
    "openai_responses",
    "R",
    client={
        ("settings", ("stop", "seed")): _SETTINGS,
        ("sound out", ("asked",)): _MODALITIES,
        ("sound in", ("bytes",)): _SOUND_IN,
        ("citations", ("quote",)): _QUOTE,
        ("logprobs", ("ids",)): _IDS,
        ("end", ("tool calls",)): _CALLS,
    },
    provider={
        ("settings", ("stop", "seed")): _SETTINGS,
        ("sound out", ("asked",)): _MODALITIES,
        ("sound in", ("bytes",)): _SOUND_IN,
        ("citations", ("quote",)): _QUOTE,
        ("logprobs", ("ids",)): _IDS,
        ("end", ("tool calls",)): _CALLS,
    },
    whole={
        ("sound out", ("bytes",)): Gap(
            "the events of a stream bring sound, an answer that is not streamed has no item for it; what it "
            "says is text",
            "openai.types.responses:ResponseOutputMessage",
            ("audio", "output_audio"),
        )
    },
    # What it has not encrypted itself it takes for nobody's.
    needs={("reasoning back", "text"): ("reasoning back", "signature")},
)
