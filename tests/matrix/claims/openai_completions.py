"""Legacy completions: one text in, text out."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap, Gaps

_ASKED = "openai.types.completion_create_params:CompletionCreateParamsNonStreaming"
_TOLD = "openai.types:Completion"
_PROMPT = "the request is one prompt"
_TEXT = "the answer is text alone"
_REQUEST: Gaps = {
    ("sound out", ("asked",)): Gap(_PROMPT, _ASKED, ("modalities", "voice"), "modalities: audio left out"),
    ("tools", ("offer",)): Gap(_PROMPT, _ASKED, ("tools", "functions"), "tools was left out"),
    ("structured output", ("schema",)): Gap(
        _PROMPT, _ASKED, ("response_format", "format"), "response_format was left out"
    ),
    ("images in", ("bytes",)): Gap(_PROMPT, _ASKED, ("image", "images", "image_url"), "image was left out"),
    ("sound in", ("bytes",)): Gap(_PROMPT, _ASKED, ("audio", "input_audio"), "audio was left out"),
    ("documents in", ("bytes", "name")): Gap(_PROMPT, _ASKED, ("file", "document"), "file was left out"),
    ("effort", ("effort",)): Gap(
        _PROMPT, _ASKED, ("reasoning_effort", "effort"), "reasoning_effort was left out"
    ),
}
_ANSWER: Gaps = {
    ("reasoning", ("text",)): Gap(_TEXT, "openai.types:CompletionChoice", ("reasoning", "reasoning_content")),
    ("reasoning back", ("text", "signature")): Gap(_TEXT, "openai.types:CompletionChoice", ("reasoning",)),
    ("tools", ("call",)): Gap(_TEXT, _TOLD, ("tool_calls", "function_call")),
    ("parallel tools", ("first", "second")): Gap(_TEXT, _TOLD, ("tool_calls", "function_call")),
    ("tool results", ("answers", "ids")): Gap(_PROMPT, _ASKED, ("messages", "tools")),
    ("end", ("tool calls",)): Gap("nothing is called", _TOLD, ("tool_calls",)),
    ("images out", ("bytes",)): Gap(_TEXT, _TOLD, ("image", "images")),
    ("sound out", ("bytes",)): Gap(_TEXT + ": what sound says goes out as text", _TOLD, ("audio",)),
    ("citations", ("url", "title", "quote", "place")): Gap(_TEXT, _TOLD, ("annotations", "citations")),
    ("logprobs", ("ids",)): Gap(
        "tokens have text and no numbers", "openai.types.completion_choice:Logprobs", ("id", "token_ids")
    ),
}
CLAIMS = Claims(
    "openai_completions",
    "L",
    client={
        **_REQUEST,
        **_ANSWER,
        ("system prompt", ("text", "role")): Gap(_PROMPT, _ASKED, ("system", "messages", "instructions")),
    },
    provider={
        **_REQUEST,
        **_ANSWER,
        ("system prompt", ("role",)): Gap(
            "instructions go into the prompt as text, by the row's template where one is set",
            _ASKED,
            ("system", "messages", "instructions"),
            "joined into one plain prompt",
        ),
        ("structured output", ("answer",)): Gap(_PROMPT, _ASKED, ("response_format", "format")),
        ("refusal", ("words", "mark")): Gap(
            "a refusal is text like any other (a filter's end, `content_filter`, is kept)",
            _TOLD,
            ("refusal",),
        ),
        ("sound out", ("transcript",)): Gap(_TEXT, _TOLD, ("audio", "transcript")),
    },
)
