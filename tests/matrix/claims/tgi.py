"""Hugging Face Text Generation Inference."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap, Gaps

_ASKED = "huggingface_hub:TextGenerationInput"
_TOLD = "huggingface_hub:TextGenerationStreamOutput"
_PROMPT = "the request is one text"
_TOKENS = "the answer is tokens of text"
_REQUEST: Gaps = {
    ("sound out", ("asked",)): Gap(_PROMPT, _ASKED, ("modalities", "voice"), "modalities: audio left out"),
    ("tools", ("offer",)): Gap(_PROMPT, _ASKED, ("tools", "functions"), "tools was left out"),
    ("sound in", ("bytes",)): Gap(_PROMPT, _ASKED, ("audio",), "kind audio was left out"),
    ("documents in", ("bytes", "name")): Gap(_PROMPT, _ASKED, ("file", "document"), "kind file was left out"),
    ("effort", ("effort",)): Gap(
        _PROMPT, _ASKED, ("reasoning_effort", "effort", "think"), "reasoning_effort was left out"
    ),
}
_ANSWER: Gaps = {
    ("reasoning", ("text",)): Gap(_TOKENS, _TOLD, ("reasoning", "thinking")),
    ("reasoning back", ("text", "signature")): Gap(_TOKENS, _TOLD, ("reasoning", "thinking", "signature")),
    ("tools", ("call",)): Gap(_TOKENS, _TOLD, ("tool_calls",)),
    ("parallel tools", ("first", "second")): Gap(_TOKENS, _TOLD, ("tool_calls",)),
    ("tool results", ("answers", "ids")): Gap(_PROMPT, _ASKED, ("messages", "tools")),
    ("end", ("tool calls", "filtered")): Gap(
        "an answer ends by length, the end token or a stop text", _TOLD, ("tool_calls", "content_filter")
    ),
    ("images out", ("bytes",)): Gap(_TOKENS, _TOLD, ("image", "images")),
    ("sound out", ("bytes",)): Gap(_TOKENS + ": what sound says goes out as text", _TOLD, ("audio",)),
    ("citations", ("url", "title", "quote", "place")): Gap(_TOKENS, _TOLD, ("annotations", "citations")),
    ("usage", ("cached", "cache writes", "reasoning")): Gap(
        "the details count the prompt's and the answer's tokens, not their parts",
        _TOLD,
        ("cached_tokens", "reasoning_tokens"),
    ),
}
CLAIMS = Claims(
    "tgi",
    "T",
    client={
        **_REQUEST,
        **_ANSWER,
        ("system prompt", ("text", "role")): Gap(_PROMPT, _ASKED, ("system", "messages")),
        ("refusal", ("mark",)): Gap("a refusal goes out as text like any other", _TOLD, ("refusal",)),
    },
    provider={
        **_REQUEST,
        **_ANSWER,
        ("system prompt", ("role",)): Gap(
            "instructions go into the prompt as text, by the row's template where one is set",
            _ASKED,
            ("system", "messages"),
            "joined into one plain prompt",
        ),
        ("refusal", ("words", "mark")): Gap("a refusal is text like any other", _TOLD, ("refusal",)),
        ("sound out", ("transcript",)): Gap(_TOKENS, _TOLD, ("audio", "transcript")),
    },
    whole={
        ("usage", ("input",)): Gap(
            "the details of an answer that is not streamed do not count the prompt",
            "huggingface_hub:TextGenerationOutput",
            ("input_length", "prompt_tokens"),
        )
    },
)
