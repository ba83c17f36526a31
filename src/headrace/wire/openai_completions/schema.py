"""The vendor's JSON for legacy completions, as Structs.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/completion*.py`) carries
it, read 2026-11-21; a streamed event and a whole answer have the same shape. Every field may be missing or
null. The Structs of the answer forbid unknown fields on purpose: such an event is read again as plain data,
so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of

WIRE_NAME = "openai_completions"

# As many as OpenAI takes for `n`; candidates' indices lie below it.
MAX_CANDIDATES = 128


def own(vendor: Opaque | None) -> dict[str, Any]:
    """The data of what came over this wire; empty for any other's."""
    return own_of(vendor, WIRE_NAME)


class LogProbs(msgspec.Struct, gc=False):
    """Log probabilities as four lists of one length; the first token of an echoed prompt has none.

    text_offset: where each token begins, in characters, in the prompt and answer together.
    """

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None


class Choice(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A candidate's piece."""

    text: str | None = None
    index: int = 0
    logprobs: LogProbs | None = None
    finish_reason: str | None = None


class CompletionBody(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One `text_completion`. obfuscation is random padding against traffic analysis: not kept."""

    choices: list[Choice] | None = None
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    obfuscation: Any = None


class PromptDetails(msgspec.Struct, gc=False):
    """Parts of prompt_tokens."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct, gc=False):
    """Parts of completion_tokens."""

    reasoning_tokens: int | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """Token counts."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


class StreamOptions(msgspec.Struct):
    """include_obfuscation is random padding: taken, and none is sent."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class RequestBody(msgspec.Struct):
    """The fields of a request. top_k and min_p are compatible servers'."""

    model: str
    prompt: str | list[Any] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: int | None = None
    n: int | None = None
    best_of: int | None = None
    echo: bool | None = None
    suffix: str | None = None
    logit_bias: dict[str, float] | None = None
    user: str | None = None


# These have a place in `Request`; suffix and best_of reach a provider that speaks this protocol.
KNOWN = frozenset(RequestBody.__struct_fields__) - {"suffix", "best_of"}
