"""The vendor's request body -> Request, with errors that name the field."""

from __future__ import annotations

from typing import Any

from headrace.core.excerpt import excerpt
from headrace.core.message import user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request
from headrace.errors import RequestError
from headrace.wire.base import ParsedRequest
from headrace.wire.kept import only_here, warn_each
from headrace.wire.openai_completions.schema import KNOWN, WIRE_NAME, RequestBody
from headrace.wire.reading import check_ranges, in_range, read_body

MAX_STOPS = 4
MAX_LOGPROBS = 20  # OpenAI takes 5; compatible servers take more
_RANGED = (
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "n",
)


def parse_request(body: bytes) -> ParsedRequest:
    """Read a client's body. The prompt becomes one user message; `echo` is done by our encoder.

    Raises RequestError that names the field. One prompt a request, and as text: several prompts are several
    requests, and token ids mean something to the model's own tokenizer only.
    """
    parsed, data = read_body(body, RequestBody)
    if not parsed.model:
        raise RequestError("model: must not be empty", field="model", value=parsed.model)
    prompt = _prompt(parsed.prompt)
    _check(parsed)
    warnings: list[str] = []
    request = Request(
        model=parsed.model,
        messages=(user(prompt),),
        settings=_settings(parsed),
        user=parsed.user or "",
        vendor=_vendor(parsed, data, warnings),
    )
    if parsed.echo and parsed.logprobs is not None:
        warnings.append("logprobs are told for the answer only: the echoed prompt has none")
    options = parsed.stream_options
    return ParsedRequest(
        request=request,
        stream=bool(parsed.stream),
        include_usage=bool(options and options.include_usage),
        warnings=tuple(warnings),
        wanted={"echo": prompt} if parsed.echo else {},
        told=frozenset({"suffix", "best_of"}),
    )


def _prompt(prompt: str | list[Any] | None) -> str:
    if isinstance(prompt, str):
        return prompt
    if not prompt:
        raise RequestError("prompt: is missing", field="prompt", value=prompt)
    if isinstance(prompt[0], int | list):
        raise RequestError(
            "prompt: token ids cannot be read here, give the text", field="prompt", value=prompt[:8]
        )
    if len(prompt) > 1:
        said = f"prompt: one prompt a request (there are {len(prompt)})"
        raise RequestError(said, field="prompt", value=len(prompt))
    if not isinstance(prompt[0], str):
        raise RequestError("prompt.0: expected text", field="prompt.0", value=prompt[0])
    return prompt[0]


def _check(body: RequestBody) -> None:
    check_ranges({name: getattr(body, name) for name in _RANGED})
    in_range("logprobs", body.logprobs, 0, MAX_LOGPROBS)
    for token, bias in (body.logit_bias or {}).items():
        in_range(f"logit_bias.{excerpt(token)}", bias, -100, 100)
    if body.stream_options is not None and not body.stream:
        raise RequestError("stream_options: needs stream to be true", field="stream_options")
    if body.best_of is not None and body.best_of < (body.n or 1):
        raise RequestError("best_of: must not be less than n", field="best_of", value=body.best_of)
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stops) > MAX_STOPS:
        said = f"stop: at most {MAX_STOPS} texts (there are {len(stops)})"
        raise RequestError(said, field="stop", value=body.stop)
    if "" in stops:
        raise RequestError("stop: a text that ends the answer must not be empty", field="stop")


def _settings(body: RequestBody) -> GenerationSettings:
    return GenerationSettings(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        min_p=body.min_p,
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        seed=body.seed,
        stop=(body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
        logprobs=body.logprobs is not None,
        top_logprobs=body.logprobs,
        n=body.n or 1,
        logit_bias=body.logit_bias,
    )


def _vendor(body: RequestBody, data: dict[str, Any], warnings: list[str]) -> Opaque | None:
    extra = {name: value for name, value in data.items() if name not in KNOWN and value is not None}
    if body.best_of is not None and body.best_of == (body.n or 1):
        del extra["best_of"]  # the best n of n: nothing is asked
    if body.suffix == "":
        del extra["suffix"]
    warn_each(warnings, (only_here(name) for name in ("suffix", "best_of") if name in extra))
    return Opaque(WIRE_NAME, extra) if extra else None
