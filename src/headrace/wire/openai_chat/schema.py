"""The vendor's JSON for chat completions, as Structs.

Source: OpenAI's published schema as the official Python client (openai 3.52, `types/chat/`) carries it, read
2026-11-21, and the fields seen in recorded streams of OpenAI-compatible providers (Alibaba, Azure, Cerebras,
DeepSeek, Groq, Mistral, Moonshot, OpenRouter, Perplexity, xAI). Every field may be missing or null: providers
differ. The Structs forbid unknown fields on purpose: `extras.py` catches what they do not know, so that it is
kept and not lost.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of
from headrace.wire.logprobs import LogProb

WIRE_NAME = "openai_chat"
REASONING_FIELDS = ("reasoning_content", "reasoning")  # of a message: either, by who serves it
CONTENT = b'"content":"'  # what stands before the text of an ordinary event

# As many as OpenAI takes for `n`; candidates' indices lie below it.
MAX_CANDIDATES = 128

# What reading JSON may raise, whatever the bytes: bad JSON or types, bad UTF-8, nesting beyond the stack.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def own(vendor: Opaque | None) -> dict[str, Any]:
    """The data of what came over this wire; empty for any other's."""
    return own_of(vendor, WIRE_NAME)


class Function(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A function's name and a piece of its arguments; some providers send arguments as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CustomCall(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A call of a custom tool: its input is free text."""

    name: str | None = None
    input: str | None = None


class ToolCall(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: Function | None = None
    custom: CustomCall | None = None


class Audio(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of sound; data is base64."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class Delta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of a message. content is a list of parts at Mistral; three names are in use for reasoning."""

    content: str | list[Any] | None = None
    role: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    audio: Audio | None = None
    annotations: list[Any] | None = None
    images: list[Any] | None = None


class LogProbs(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Log probabilities of an answer's tokens, or of a refusal's."""

    content: list[LogProb] | None = None
    refusal: list[LogProb] | None = None


class Choice(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A candidate's piece. native_finish_reason is OpenRouter's: the upstream's own word."""

    delta: Delta | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: LogProbs | None = None
    native_finish_reason: str | None = None


class PromptDetails(msgspec.Struct, gc=False):
    """Parts of prompt_tokens."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct, gc=False):
    """Parts of completion_tokens."""

    reasoning_tokens: int | None = None


class UsageCounts(msgspec.Struct, gc=False):
    """Token counts; the last three fields are Moonshot's, DeepSeek's and SGLang's places for the details."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    cached_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    reasoning_tokens: int | None = None


class ChunkBody(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One `chat.completion.chunk`. obfuscation is random padding against traffic analysis: not kept."""

    choices: list[Choice] | None = None
    id: str | None = None
    object: str | None = None
    created: int | float | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    provider: str | None = None
    usage: dict[str, Any] | None = None
    x_groq: dict[str, Any] | None = None
    error: Any = None
    obfuscation: Any = None
