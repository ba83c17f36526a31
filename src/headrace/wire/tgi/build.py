"""Request -> the vendor's body.

The protocol takes one text. A single user message is that text; a conversation needs the model's template,
which a provider row can tell (see quirks.py) and which is a plain joining, with a warning, where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.core.message import ImagePart
from headrace.core.request import GenerationSettings, Request, ResponseFormat
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.data_url import data_url
from headrace.wire.kept import own_fields, warn
from headrace.wire.prompt import prompt_of
from headrace.wire.tgi.schema import WIRE_NAME

Fields = dict[str, Any]
PATH = "/generate_stream"
ROOT_PATH = "/"
_LEFT_OUT = "{} was left out: this protocol has no field for it"


def build(request: Request, quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a provider for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings)
    own = own_fields(request.vendor, WIRE_NAME, warnings)
    parameters = _parameters(request.settings, warnings)
    grammar = _grammar(request.response_format, warnings)
    if grammar is not None:
        parameters["grammar"] = grammar
    parameters.update({"details": True, "return_full_text": False})
    given = own.get("parameters")
    if isinstance(given, dict):
        parameters.update({name: value for name, value in given.items() if name not in parameters})
    body: Fields = {
        "inputs": prompt_of(request.messages, quirks, warnings, image=_image),
        "parameters": parameters,
    }
    for name, given in (
        ("tools", request.tools),
        ("tool_choice", request.tool_choice),
        ("user", request.user),
        ("reasoning_effort", request.settings.effort),
    ):
        if given:
            warnings.append(_LEFT_OUT.format(name))
    body.update({name: value for name, value in own.items() if name not in body})
    root = bool(quirks.get("root_path"))
    if root:
        body["stream"] = True
    return WireRequest(ROOT_PATH if root else PATH, msgspec.json.encode(body), tuple(warnings))


def _image(part: ImagePart) -> str:
    """An image as the vendor's vision models read it from the prompt."""
    url = part.url or data_url(part.data, part.media_type or "image/png")
    return f"![]({url})"


def _parameters(settings: GenerationSettings, warnings: list[str]) -> Fields:
    parameters: Fields = _sampling(settings)
    if settings.max_tokens is not None:
        parameters["max_new_tokens"] = settings.max_tokens
    if settings.seed is not None:
        parameters["seed"] = settings.seed
    if settings.frequency_penalty is not None:
        parameters["frequency_penalty"] = settings.frequency_penalty
    if settings.stop:
        parameters["stop"] = list(settings.stop)
    if settings.logprobs and settings.top_logprobs:
        parameters["top_n_tokens"] = settings.top_logprobs
    for name in ("min_p", "presence_penalty", "logit_bias"):
        if getattr(settings, name):
            warn(warnings, _LEFT_OUT.format(name))
    if settings.n != 1:
        warn(warnings, _LEFT_OUT.format("n"))
    return parameters


def _sampling(settings: GenerationSettings) -> Fields:
    """The vendor wants a temperature above 0 and a top_p below 1: what lies at the end is not to sample."""
    if settings.temperature == 0:
        return {"do_sample": False}
    parameters: Fields = {}
    if settings.temperature is not None:
        parameters.update({"do_sample": True, "temperature": settings.temperature})
    if settings.top_p is not None and 0 < settings.top_p < 1:
        parameters["top_p"] = settings.top_p
    if settings.top_k:
        parameters["top_k"] = settings.top_k
    return parameters


def _grammar(wanted: ResponseFormat | None, warnings: list[str]) -> Fields | None:
    if wanted is None or wanted.kind == "text":
        return None
    if wanted.kind == "json_object" or not wanted.schema:
        warn(warnings, "response_format was left out: this protocol takes a schema, not any JSON object")
        return None
    return {"type": "json", "value": wanted.schema}
