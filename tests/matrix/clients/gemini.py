"""The `google-genai` package."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai import types

from tests.matrix.clients.base import Client, Talk, settings_of, trouble
from tests.matrix.said import Ask, Call, Said, Source, Token

_ENDS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "filtered"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    """Ask and read."""
    client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url))

    async def talk(model: str, ask: Ask, streamed: bool) -> Said:
        said = Said(turn=types.Content(role="model", parts=[]))
        request: dict[str, Any] = {"model": model, "contents": _contents(ask), "config": _config(ask)}
        try:
            if streamed:
                async for piece in await client.aio.models.generate_content_stream(**request):
                    _add(piece, said)
            else:
                _add(await client.aio.models.generate_content(**request), said)
        except genai.errors.APIError as error:
            headers = getattr(error.response, "headers", None)
            said.trouble = trouble(error, error.message or "", error.code, headers)
        _places(said)
        return said

    try:
        yield talk
    finally:
        await client.aio.aclose()
        client.close()


def _config(ask: Ask) -> types.GenerateContentConfig:
    config: dict[str, Any] = settings_of(
        ask, "max_output_tokens", "temperature", "top_p", "stop_sequences", "seed"
    )
    if ask.system:
        config["system_instruction"] = ask.system
    if ask.tools:
        functions = [
            types.FunctionDeclaration(
                name=one.name, description=one.description, parameters_json_schema=dict(one.parameters)
            )
            for one in ask.tools
        ]
        config["tools"] = [types.Tool(function_declarations=functions)]
    if ask.form:
        config |= {"response_mime_type": "application/json", "response_json_schema": dict(ask.form)}
    if ask.effort:
        config["thinking_config"] = types.ThinkingConfig(thinking_level=ask.effort, include_thoughts=True)
    if ask.logprobs:
        config |= {"response_logprobs": True, "logprobs": ask.logprobs}
    if ask.wants:
        config["response_modalities"] = ["AUDIO"] if ask.wants == "sound" else ["TEXT", "IMAGE"]
    return types.GenerateContentConfig(**config)


def _contents(ask: Ask) -> list[types.Content]:
    parts = [types.Part(text=ask.text)]
    for data, kind in ((ask.image, "image/png"), (ask.sound, "audio/wav"), (ask.document, "application/pdf")):
        if data:
            parts.append(types.Part.from_bytes(data=data, mime_type=kind))
    contents = [types.Content(role="user", parts=parts)]
    if ask.earlier is not None:
        contents.append(ask.earlier.turn)
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"output": result}
                )
            )
            for call, result in zip(ask.earlier.calls, ask.results, strict=True)
        ]
        if results:
            contents.append(types.Content(role="user", parts=results))
    return contents


def _add(piece: types.GenerateContentResponse, said: Said) -> None:
    if piece.sdk_http_response is not None and piece.sdk_http_response.headers is not None:
        headers = {name.lower(): value for name, value in piece.sdk_http_response.headers.items()}
        said.warnings = headers.get("x-headrace-warnings", said.warnings)
    for candidate in piece.candidates or ():
        for part in (candidate.content.parts if candidate.content else None) or ():
            said.turn.parts.append(part)
            _part(part, said)
        if candidate.finish_reason:
            said.end = _ENDS[candidate.finish_reason.value]
            said.refused = said.end == "filtered"
        if candidate.grounding_metadata is not None:
            _sources(candidate.grounding_metadata, said)
        if candidate.logprobs_result is not None:
            _tokens(candidate.logprobs_result, said)
    if piece.usage_metadata is not None:
        _usage(piece.usage_metadata, said)


def _part(part: types.Part, said: Said) -> None:
    if part.function_call is not None:
        call = part.function_call
        said.calls += (Call(call.id or "", call.name or "", call.args),)
    elif part.inline_data is not None:
        data, kind = part.inline_data.data or b"", part.inline_data.mime_type or ""
        if kind.startswith("image/"):
            said.images += (data,)
        else:
            said.sound += data
    elif part.audio_transcription is not None:
        said.transcript += part.audio_transcription.text or ""
    elif part.thought:
        said.reasoning += part.text or ""
    else:
        said.text += part.text or ""


def _sources(grounding: types.GroundingMetadata, said: Said) -> None:
    chunks = grounding.grounding_chunks or []
    supports = {
        at: one.segment
        for one in grounding.grounding_supports or ()
        for at in one.grounding_chunk_indices or ()
    }
    for at, chunk in enumerate(chunks):
        web, segment = chunk.web, supports.get(at)
        place = None
        if segment is not None and segment.end_index is not None:
            place = (segment.start_index or 0, segment.end_index)
        said.sources += (Source(web.uri or "", web.title or "", "", place),)  # type: ignore[union-attr]


def _places(said: Said) -> None:
    """The vendor counts bytes of the whole answer; we count characters."""
    raw = said.text.encode()

    def chars(at: int) -> int:
        return len(raw[:at].decode())

    said.sources = tuple(
        Source(one.url, one.title, one.quote, (chars(one.place[0]), chars(one.place[1])))
        if one.place is not None
        else one
        for one in said.sources
    )


def _tokens(result: types.LogprobsResult, said: Said) -> None:
    tops = result.top_candidates or []
    for at, chosen in enumerate(result.chosen_candidates or ()):
        found = tops[at].candidates if at < len(tops) else None
        top = tuple((one.token or "", one.log_probability or 0.0) for one in found or ())
        said.tokens += (Token(chosen.token or "", chosen.log_probability or 0.0, top, chosen.token_id),)


def _usage(usage: types.GenerateContentResponseUsageMetadata, said: Said) -> None:
    thoughts, answer = usage.thoughts_token_count or 0, usage.candidates_token_count or 0
    said.usage = {
        "input": usage.prompt_token_count or 0,
        "output": answer + thoughts,
        "cached": usage.cached_content_token_count or 0,
        "reasoning": thoughts,
    }
    assert usage.total_token_count == said.usage["input"] + said.usage["output"]


def signature_text(signature: bytes) -> str:
    """A part's signature as the wire spells it."""
    return b64encode(signature).decode()


CLIENT = Client(
    "gemini",
    "google-genai",
    connected,
    {
        "key": ("ClientError", 401),
        "unknown": ("ClientError", 404),
        "rate": ("ClientError", 429),
        "context": ("ClientError", 400),
        "overloaded": ("ServerError", 503),
    },
    ("ServerError",),
)
