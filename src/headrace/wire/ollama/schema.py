"""The vendor's JSON for chat and generate, as Structs.

Source: Ollama's `docs/api.md`, `api/types.go` and `server/routes.go` at fb3076099 (August 2026), and the
official Python client (ollama 0.6.3, `_types.py`), read 2026-11-21. One Struct reads a line of both endpoints
(`message` is chat's; `response`, `thinking`, `context` and `image` are generate's), streamed or whole. Every
field may be missing. The Structs of the answer forbid unknown fields on purpose: such a line is read again as
plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of

WIRE_NAME = "ollama"

# Counts and durations (in nanoseconds) of the last line.
METRICS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


def own(vendor: Opaque | None) -> dict[str, Any]:
    """The data of what came over this wire; empty for any other's."""
    return own_of(vendor, WIRE_NAME)


class TokenLogProb(msgspec.Struct, gc=False, omit_defaults=True):
    """One token; bytes: its UTF-8."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class LogProb(TokenLogProb, gc=False, omit_defaults=True):
    """One token of the answer, and the likeliest in its place."""

    top_logprobs: list[TokenLogProb] | None = None


class CallFunction(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A called function; arguments are an object, whole."""

    name: str = ""
    index: int | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class ToolCall(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A tool call, whole. Newer servers give it an id."""

    function: CallFunction
    id: str = ""


class Message(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A piece of the answer; images are base64."""

    role: str = ""
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[ToolCall] | None = None


class Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One line. remote_model and remote_host say where a cloud model ran."""

    model: str = ""
    created_at: str = ""
    message: Message | None = None
    response: str | None = None
    thinking: str | None = None
    tool_calls: list[ToolCall] | None = None
    image: str | None = None
    done: bool = False
    done_reason: str | None = None
    context: list[int] | None = None
    logprobs: list[LogProb] | None = None
    total_duration: int | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None
    remote_model: str | None = None
    remote_host: str | None = None
    error: Any = None


class AskedFunction(msgspec.Struct):
    """A function called in an earlier turn; some clients send the arguments as JSON text."""

    name: str
    arguments: dict[str, Any] | str | None = None


class AskedCall(msgspec.Struct):
    """A tool call of an earlier turn."""

    function: AskedFunction
    id: str | None = None


class AskedMessage(msgspec.Struct):
    """One turn of a request."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[AskedCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class ToolFunction(msgspec.Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolBody(msgspec.Struct):
    """A tool."""

    function: ToolFunction


class Options(msgspec.Struct):
    """The options that have a place in `GenerationSettings`; num_predict below 0 is no limit."""

    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None


class AskedBase(msgspec.Struct, kw_only=True):
    """What both endpoints take. format: "", "json" or a JSON schema."""

    model: str
    stream: bool | None = None
    format: str | dict[str, Any] | None = None
    options: Options | None = None
    think: bool | Literal["low", "medium", "high", "max"] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class ChatBody(AskedBase, kw_only=True):
    """A request to /api/chat."""

    messages: list[AskedMessage] | None = None
    tools: list[ToolBody] | None = None


class GenerateBody(AskedBase, kw_only=True):
    """A request to /api/generate."""

    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None
