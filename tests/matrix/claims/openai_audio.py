"""OpenAI's transcription and speech."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap, Gaps

_ASKED = "openai.types.audio.transcription_create_params:TranscriptionCreateParamsNonStreaming"
_TOLD = "openai.types.audio:TranscriptionStreamEvent"
_FORM = "a transcription is asked for with sound and a few settings"
_TEXT = "a transcription is text alone"
_BESIDE = "what stands beside the sound was left out"
_REQUEST: Gaps = {
    ("text", ("question",)): Gap(
        "the question is sound (only speech takes a text, to be spoken)",
        _ASKED,
        ("messages", "input"),
        _BESIDE,
    ),
    ("tools", ("offer",)): Gap(_FORM, _ASKED, ("tools", "functions"), "tools was left out"),
    ("structured output", ("schema",)): Gap(
        _FORM, _ASKED, ("schema", "json_schema"), "response_format was left out"
    ),
    ("images in", ("bytes",)): Gap(_FORM, _ASKED, ("image", "images"), _BESIDE),
    ("documents in", ("bytes", "name")): Gap(_FORM, _ASKED, ("document", "documents"), _BESIDE),
    ("system prompt", ("text", "role")): Gap(
        _FORM, _ASKED, ("system", "instructions"), "messages before the last was left out"
    ),
    ("effort", ("effort",)): Gap(
        _FORM, _ASKED, ("reasoning_effort", "effort"), "reasoning_effort was left out"
    ),
    ("settings", ("max tokens", "top p", "stop", "seed")): Gap(
        "of the settings there is `temperature` alone",
        _ASKED,
        ("max_tokens", "top_p", "stop", "seed"),
        "was left out",
    ),
}
_ANSWER: Gaps = {
    ("reasoning", ("text",)): Gap(_TEXT, _TOLD, ("reasoning",)),
    ("reasoning back", ("text", "signature")): Gap(_FORM, _ASKED, ("messages", "reasoning")),
    ("tools", ("call",)): Gap(_TEXT, _TOLD, ("tool_calls", "function_call")),
    ("parallel tools", ("first", "second")): Gap(_TEXT, _TOLD, ("tool_calls", "function_call")),
    ("tool results", ("answers", "ids")): Gap(_FORM, _ASKED, ("messages", "tools")),
    ("images out", ("bytes",)): Gap(_TEXT, _TOLD, ("image", "images")),
    ("citations", ("url", "title", "quote", "place")): Gap(_TEXT, _TOLD, ("annotations", "citations")),
    ("usage", ("cached", "cache writes", "reasoning")): Gap(
        "tokens are counted by text and sound, not by these parts",
        _TOLD,
        ("cached_tokens", "reasoning_tokens"),
    ),
    ("logprobs", ("alternatives", "ids")): Gap(
        "tokens have text and one logarithm", _TOLD, ("top_logprobs", "token_id"), "top_logprobs was left out"
    ),
    ("sound out", ("transcript",)): Gap(
        "speech is sound alone",
        "openai.types.audio.speech_create_params:SpeechCreateParams",
        ("transcript", "include"),
    ),
}
_ENDS = "a transcription ends, and does not say why"
CLAIMS = Claims(
    "openai_audio",
    "S",
    client={
        **_REQUEST,
        **_ANSWER,
        ("end", ("stop", "length", "tool calls", "filtered")): Gap(_ENDS, _TOLD, ("finish_reason", "status")),
    },
    provider={
        **_REQUEST,
        **_ANSWER,
        ("end", ("length", "tool calls", "filtered")): Gap(_ENDS, _TOLD, ("finish_reason", "status")),
        ("structured output", ("answer",)): Gap(_FORM, _ASKED, ("schema", "json_schema")),
        ("refusal", ("words", "mark")): Gap(_TEXT, _TOLD, ("refusal",)),
    },
    only_sound=True,
)
