"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from headrace.core.message import ImagePart, Message, Part, TextPart
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request, ResponseFormat
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.plain import read_plain
from headrace.wire.reading import at_least, check_ranges, in_range, read_body
from headrace.wire.tgi.schema import OWN_PARAMETERS, WIRE_NAME, Grammar, Parameters, RequestBody

Endpoint = Literal["root", "generate", "generate_stream"]
Fields = dict[str, Any]

MAX_STOPS = 4
_KNOWN = frozenset(RequestBody.__struct_fields__)
_KNOWN_PARAMETERS = frozenset(Parameters.__struct_fields__) - set(OWN_PARAMETERS)
_HARMLESS: Fields = {
    "best_of": 1,
    "watermark": False,
    "decoder_input_details": False,
    "repetition_penalty": 1,
}
_IMAGE = re.compile(r"!\[\]\(([^()\s]*)\)")


def parse_request(body: bytes, path: Mapping[str, str], endpoint: Endpoint) -> ParsedRequest:
    """Read a client's body: the text becomes one user message, `![](url)` in it an image.

    path: {"model": ...}, since the vendor's requests name no model (a `model` field is read where there is
    one). endpoint: the root streams where the body says so, generate never, generate_stream always.
    Raises RequestError that names the field.
    """
    parsed, data = read_body(body, RequestBody)
    if not parsed.inputs:
        raise RequestError("inputs: must not be empty", field="inputs", value=parsed.inputs)
    parameters = parsed.parameters or Parameters()
    _check(parameters)
    warnings: list[str] = []
    format, own = _grammar(parameters.grammar, warnings)
    request = Request(
        model=path.get("model") or parsed.model or "",
        messages=(Message("user", tuple(_parts(parsed.inputs))),),
        settings=_settings(parameters),
        response_format=format,
        vendor=_vendor(data, own, warnings),
    )
    wanted: Fields = {"details": bool(parameters.details or parameters.decoder_input_details)}
    if parameters.return_full_text:
        wanted["full_text"] = parsed.inputs
    stream = bool(parsed.stream) if endpoint == "root" else endpoint == "generate_stream"
    return ParsedRequest(
        request, stream, wanted["details"], tuple(warnings), wanted, told=frozenset({"parameters"})
    )


def _parts(inputs: str) -> list[Part]:
    """The text, and the images written into it."""
    parts: list[Part] = []
    at = 0
    for found in _IMAGE.finditer(inputs):
        image = _image(found[1])
        if image is None:
            continue
        if found.start() > at:
            parts.append(TextPart(inputs[at : found.start()]))
        parts.append(image)
        at = found.end()
    if at < len(inputs):
        parts.append(TextPart(inputs[at:]))
    return parts


def _image(url: str) -> ImagePart | None:
    """The image at a URL; None for what is none, which stays text."""
    if url.startswith(("http://", "https://")):
        return ImagePart(url=url)
    head, comma, data = url.partition(";base64,")
    if not comma or not head.startswith("data:image/"):
        return None
    try:
        return ImagePart(data=b64decode(data, validate=True), media_type=head[len("data:") :])
    except (BadBase64, ValueError):
        return None


def _check(parameters: Parameters) -> None:
    ranged = {
        name: getattr(parameters, name) for name in ("temperature", "top_p", "top_k", "frequency_penalty")
    }
    check_ranges(ranged, "parameters.")
    at_least("parameters.max_new_tokens", parameters.max_new_tokens, 1)
    in_range("parameters.top_n_tokens", parameters.top_n_tokens, 0, 20)
    stops = parameters.stop or []
    if len(stops) > MAX_STOPS or "" in stops:
        field = "parameters.stop"
        raise RequestError(f"{field}: at most {MAX_STOPS} texts, none empty", field=field, value=stops)


def _settings(parameters: Parameters) -> GenerationSettings:
    temperature = parameters.temperature
    if temperature is None and parameters.do_sample is False:
        temperature = 0.0  # the vendor's way to ask for the likeliest token
    return GenerationSettings(
        max_tokens=parameters.max_new_tokens,
        temperature=temperature,
        top_p=parameters.top_p,
        top_k=parameters.top_k,
        frequency_penalty=parameters.frequency_penalty,
        seed=parameters.seed,
        stop=tuple(parameters.stop or ()),
        logprobs=bool(parameters.top_n_tokens),
        top_logprobs=parameters.top_n_tokens,
    )


def _grammar(grammar: Grammar | None, warnings: list[str]) -> tuple[ResponseFormat | None, Fields]:
    """The form of the answer, and the parameters that only this protocol knows."""
    if grammar is None:
        return None, {}
    value = grammar.value
    if grammar.type == "json_schema" and isinstance(value, dict) and isinstance(value.get("schema"), dict):
        return ResponseFormat("json_schema", str(value.get("name") or ""), value["schema"]), {}
    if grammar.type == "json" and isinstance(value, str):
        value = _schema_text(value)
    if grammar.type == "json" and isinstance(value, dict):
        return ResponseFormat("json_schema", schema=value), {}
    if grammar.type == "regex" and isinstance(value, str):
        warnings.append(only_here("parameters.grammar"))
        return None, {"grammar": {"type": "regex", "value": value}}
    field = "parameters.grammar"
    raise RequestError(f"{field}: must be a JSON schema or a regex", field=field, value=grammar.type)


def _schema_text(text: str) -> Any:
    try:
        return read_plain(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _vendor(data: Fields, own: Fields, warnings: list[str]) -> Opaque | None:
    given = data.get("parameters") or {}
    extra = {name: value for name, value in data.items() if name not in _KNOWN and value is not None}
    parameters = {
        name: value
        for name, value in given.items()
        if name not in _KNOWN_PARAMETERS and value is not None and value != _HARMLESS.get(name)
    }
    warn_each(warnings, (only_here(f"parameters.{name}") for name in parameters))
    if parameters or own:
        extra["parameters"] = {**parameters, **own}
    return Opaque(WIRE_NAME, extra) if extra else None
