"""Ollama's /api/chat."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap, Gaps

_ASKED = "ollama._types:ChatRequest"
_TOLD = "ollama:ChatResponse"
_MESSAGE = "a message has text, thinking, images and calls"
_REQUEST: Gaps = {
    ("sound out", ("asked",)): Gap(_MESSAGE, _ASKED, ("modalities", "voice"), "modalities: audio left out"),
    ("sound in", ("bytes",)): Gap(_MESSAGE, _ASKED, ("audio", "sounds"), "kind audio was left out"),
    ("documents in", ("bytes", "name")): Gap(
        _MESSAGE, _ASKED, ("file", "files", "documents"), "kind file was left out"
    ),
}
_ANSWER: Gaps = {
    ("reasoning back", ("signature",)): Gap("thinking is text alone", "ollama:Message", ("signature",)),
    ("end", ("tool calls",)): Gap(
        "`done_reason` is `stop` behind calls too (`api/types.go` at fb3076099)", _TOLD, ("finish_reason",)
    ),
    ("end", ("filtered",)): Gap(
        "`done_reason` knows stop, length, load and unload (`api/types.go` at fb3076099)",
        _TOLD,
        ("finish_reason", "content_filter"),
    ),
    ("sound out", ("bytes",)): Gap(_MESSAGE + ": what sound says goes out as text", _TOLD, ("audio",)),
    ("citations", ("url", "title", "quote", "place")): Gap(_MESSAGE, _TOLD, ("annotations", "citations")),
    ("usage", ("cached", "cache writes", "reasoning")): Gap(
        "`prompt_eval_count` and `eval_count` have no parts", _TOLD, ("cached_tokens", "reasoning_tokens")
    ),
    ("logprobs", ("ids",)): Gap("tokens have text and no numbers", _TOLD, ("id", "token_id")),
}
CLAIMS = Claims(
    "ollama",
    "O",
    client={
        **_REQUEST,
        **_ANSWER,
        ("tool results", ("ids",)): Gap(
            "the client's calls have no id, and its results name the tool: each finds its call by name and "
            "order, under an id made for it",
            "ollama:Message",
            ("id", "tool_call_id"),
        ),
        ("images out", ("bytes",)): Gap(
            "the client reads a message's `images` as what it sends itself, an object with a `value`, and "
            "fails at an answer's (ollama 0.6.3, `Image`)",
        ),
        ("refusal", ("mark",)): Gap(
            "a refusal goes out as text like any other", _TOLD, ("refusal", "content_filter")
        ),
        ("errors", ("wait",)): Gap(
            "`retry-after` is sent, but the client's `ResponseError` keeps no headers (ollama 0.6.3)"
        ),
    },
    provider={
        **_REQUEST,
        **_ANSWER,
        ("refusal", ("words", "mark")): Gap(
            "a refusal is text like any other", _TOLD, ("refusal", "content_filter")
        ),
        ("sound out", ("transcript",)): Gap(_MESSAGE, _TOLD, ("audio", "transcript")),
    },
)
