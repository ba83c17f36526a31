"""Anthropic Messages."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap

_ASKED = "anthropic.types.message_create_params:MessageCreateParamsNonStreaming"
_DELTA = "anthropic.types:RawContentBlockDelta"
_SETTINGS = Gap(
    "the request has no such setting since version 2026-10-21 of the API (rows of older models may say "
    "`sampling`)",
    _ASKED,
    ("temperature", "top_p", "seed"),
    "was left out",
)
_SOUND_IN = Gap("no block holds sound", "anthropic.types:ContentBlockParam", ("audio",), "sound was left out")
_MODALITIES = Gap(
    "the request does not say what an answer is to hold",
    _ASKED,
    ("modalities", "voice"),
    "modalities: audio left out",
)
_LOGPROBS = Gap("the answer has text and no tokens", "anthropic.types:Message", ("logprobs", "logprob"))
CLAIMS = Claims(
    "anthropic",
    "A",
    client={
        ("settings", ("temperature", "top p", "seed")): _SETTINGS,
        ("sound in", ("bytes",)): _SOUND_IN,
        ("sound out", ("asked",)): _MODALITIES,
        ("images out", ("bytes",)): Gap("no block of an answer holds an image", _DELTA, ("image",)),
        ("sound out", ("bytes",)): Gap(
            "no block of an answer holds sound: what it says goes out as text", _DELTA, ("audio",)
        ),
        ("logprobs", ("asked",)): Gap("the request cannot ask", _ASKED, ("logprobs", "top_logprobs")),
        ("logprobs", ("logprobs", "alternatives", "ids")): _LOGPROBS,
        ("citations", ("place",)): Gap(
            "a source stands at a whole block of text, and text that was sent is not divided any more: a "
            "place within it is left out",
            "anthropic.types:CitationsWebSearchResultLocation",
            ("start_index", "end_index", "start_char_index"),
        ),
    },
    provider={
        ("settings", ("temperature", "top p", "seed")): _SETTINGS,
        ("sound in", ("bytes",)): _SOUND_IN,
        ("sound out", ("asked",)): _MODALITIES,
        ("images out", ("bytes",)): Gap("no block of an answer holds an image", _DELTA, ("image",)),
        ("sound out", ("bytes", "transcript")): Gap("no block of an answer holds sound", _DELTA, ("audio",)),
        ("logprobs", ("asked",)): Gap(
            "the request cannot ask", _ASKED, ("logprobs", "top_logprobs"), "logprobs was left out"
        ),
        ("logprobs", ("logprobs", "alternatives", "ids")): _LOGPROBS,
    },
    # It checks the signature against the text: without it the text is refused.
    needs={("reasoning back", "text"): ("reasoning back", "signature")},
)
