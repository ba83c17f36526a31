"""UI message streams, version 1: what web pages read."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap

_PARTS = "npm `ai` 7.0.173, `ui-message-stream/ui-message-chunks.ts`"
_OPTIONS = "npm `ai` 7.0.173, `prompt/language-model-call-options.ts`"
_LOGPROBS = Gap("no part holds tokens", read=_PARTS)
_ASKED = Gap("the options have no log probabilities", read=_OPTIONS, warning="logprobs was left out")
_MODALITIES = Gap(
    "the options do not say what an answer is to hold", read=_OPTIONS, warning="modalities: audio left out"
)
CLAIMS = Claims(
    "ui_messages",
    "U",
    client={
        ("logprobs", ("asked",)): _ASKED,
        ("logprobs", ("logprobs", "alternatives", "ids")): _LOGPROBS,
        ("sound out", ("asked",)): _MODALITIES,
        ("errors", ("wait",)): Gap(
            "`retry-after` is sent, but the transport's error is told by its status and text alone",
            read="npm `ai` 7.0.173, `ui/create-ui-api-call-error.ts`",
        ),
    },
    provider={
        ("logprobs", ("asked",)): _ASKED,
        ("logprobs", ("logprobs", "alternatives", "ids")): _LOGPROBS,
        ("sound out", ("asked",)): _MODALITIES,
        ("sound out", ("transcript",)): Gap(
            "a file is sound alone (a server of ours tells what it says in a data part of its own)",
            read=_PARTS,
        ),
        ("refusal", ("words", "mark")): Gap(
            "a refusal is text like any other (a server of ours marks it in `providerMetadata`; a filter's "
            "end, `content-filter`, is kept)",
            read=_PARTS,
        ),
    },
)
