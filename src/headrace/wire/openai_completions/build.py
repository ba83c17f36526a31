"""Request -> the vendor's body. What a provider row may say of it: quirks.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.request import GenerationSettings, Request
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.kept import add_own
from headrace.wire.openai_completions.schema import WIRE_NAME
from headrace.wire.prompt import prompt_of
from headrace.wire.quirk import drop_refused

Fields = dict[str, Any]
PATH = "/completions"
MAX_TOP_LOGPROBS = 5
EXTRA_SETTINGS = ("top_k", "min_p")
_PLAIN_SETTINGS = (
    "max_tokens",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "logit_bias",
)
_LEFT_OUT = "{} was left out: this protocol has no field for it"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings)
    body: Fields = {
        "model": request.model,
        "prompt": prompt_of(request.messages, quirks, warnings),
        "stream": True,
    }
    if not quirks.get("no_stream_options"):
        body["stream_options"] = {"include_usage": True}
    _settings(request.settings, quirks, body, warnings)
    if request.user:
        body["user"] = request.user
    for name, given in (
        ("tools", request.tools),
        ("tool_choice", request.tool_choice),
        ("response_format", request.response_format and request.response_format.kind != "text"),
        ("reasoning_effort", request.settings.effort),
    ):
        if given:
            warnings.append(_LEFT_OUT.format(name))
    add_own(body, request.vendor, WIRE_NAME, warnings)
    drop_refused(body, quirks.get("drop", ()), warnings)
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))


def _settings(
    settings: GenerationSettings, quirks: Mapping[str, Any], body: Fields, warnings: list[str]
) -> None:
    for name in _PLAIN_SETTINGS:
        value = getattr(settings, name)
        if value is not None:
            body[name] = value
    for name in EXTRA_SETTINGS:
        value = getattr(settings, name)
        if value is None:
            continue
        if name in quirks.get("extra", ()):
            body[name] = value
        else:
            warnings.append(_LEFT_OUT.format(name))
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.n != 1:
        body["n"] = settings.n
    if settings.logprobs:
        wanted = settings.top_logprobs or 0
        body["logprobs"] = min(wanted, MAX_TOP_LOGPROBS)
        if wanted > MAX_TOP_LOGPROBS:
            warnings.append(f"top_logprobs was cut to {MAX_TOP_LOGPROBS}: this protocol gives no more")
