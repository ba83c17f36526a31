"""The npm package `ai` under Node: a web page's transport and reader."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from tests.matrix.clients.base import Client, Talk, settings_of
from tests.matrix.providers.base import data_url
from tests.matrix.said import Ask, Call, Said, Source, Trouble
from tests.node.page import missing, running_page

PATH = "/api/ui/chat"
_ENDS = {"stop": "stop", "length": "length", "tool-calls": "tool calls", "content-filter": "filtered"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    """Ask and read; the page works in a process of its own, asked over a pipe."""
    with running_page() as page:

        async def talk(model: str, ask: Ask, _streamed: bool) -> Said:
            asked = {"url": url + PATH, "messages": _messages(ask), "body": _body(model, ask)}
            return _read(await asyncio.to_thread(page.read, **asked))

        yield talk


def _messages(ask: Ask) -> list[Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": ask.text}]
    for data, kind in ((ask.image, "image/png"), (ask.sound, "audio/wav"), (ask.document, "application/pdf")):
        if data:
            url = f"data:{kind};base64,{b64encode(data).decode()}"
            parts.append({"type": "file", "mediaType": kind, "url": url})
    if ask.document:
        parts[-1]["filename"] = ask.document_name
    messages: list[Any] = [{"id": "u1", "role": "user", "parts": parts}]
    if ask.earlier is not None:
        message = deepcopy(ask.earlier.turn)
        calls = [part for part in message["parts"] if part["type"].startswith("tool-")]
        for part, result in zip(calls, ask.results, strict=True):  # as `addToolOutput` does
            part.update(state="output-available", output=result)
        messages.append(message)
    return messages


def _body(model: str, ask: Ask) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model}
    if ask.system:
        body["system"] = ask.system
    if ask.tools:
        body["tools"] = {
            one.name: {"description": one.description, "inputSchema": one.parameters} for one in ask.tools
        }
    if ask.form:
        body["responseFormat"] = {"type": "json", "schema": ask.form}
    if ask.effort:
        body["reasoning"] = ask.effort
    return body | settings_of(ask, "maxOutputTokens", "temperature", "topP", "stopSequences", "seed")


def _read(seen: dict[str, Any]) -> Said:
    said = Said(warnings=seen["headers"].get("x-headrace-warnings", ""), turn=seen["message"])
    message = seen["message"] or {"parts": []}
    sources: dict[str, Source] = {}
    for part in message["parts"]:
        _part(part, said, sources)
    said.sources = tuple(sources.values())
    for event in seen["parts"]:  # some are shown and not kept
        _event(event, said)
    usage = (message.get("metadata") or {}).get("usage")
    if usage is not None:
        said.usage = _usage(usage)
    error = seen["error"]
    if error is not None:
        said.trouble = Trouble(error["name"], error["status"], error["message"])
    return said


def _part(part: dict[str, Any], said: Said, sources: dict[str, Source]) -> None:
    kind = part["type"]
    if kind == "text" and part.get("providerMetadata", {}).get("headrace", {}).get("refusal"):
        said.refusal += part["text"]
        said.refused = True
    elif kind == "text":
        begin = len(said.text)
        said.text += part["text"]
        for one in part.get("citations", ()):
            source = one["source"]
            place = _place(one, part["text"], begin)
            cited = Source(source["url"], source.get("title", ""), one.get("citedText", ""), place)
            sources[source["id"]] = cited
    elif kind == "reasoning":
        said.reasoning += part["text"]
    elif kind == "source-url":
        sources.setdefault(part["sourceId"], Source(part["url"], part.get("title", "")))
    elif kind == "file":
        _file(part, said)
    elif kind.startswith("tool-"):
        said.calls += (Call(part["toolCallId"], kind.removeprefix("tool-"), part["input"]),)


def _place(citation: dict[str, Any], text: str, begin: int) -> tuple[int, int]:
    """In characters of the answer; the package counts units of UTF-16 in the part, or means all of it."""
    if "startIndex" not in citation:
        return begin, begin + len(text)
    units = text.encode("utf-16-le")
    start, end = (len(units[: citation[name] * 2].decode("utf-16-le")) for name in ("startIndex", "endIndex"))
    return begin + start, begin + end


def _file(part: dict[str, Any], said: Said) -> None:
    if part["mediaType"].startswith("image/"):
        said.images += (data_url(part["url"]),)
    else:
        said.sound += data_url(part["url"])


def _event(event: dict[str, Any], said: Said) -> None:
    match event["type"]:
        case "data-audio":
            said.sound += b64decode(event["data"]["data"])
        case "data-transcript":
            said.transcript += event["data"]["text"]
        case "finish":
            said.end = _ENDS[event["finishReason"]]
            said.refused = said.refused or said.end == "filtered"


def _usage(usage: dict[str, Any]) -> dict[str, int]:
    """The package's counts: input with cache, output with reasoning, and their parts."""
    given, made = usage["inputTokenDetails"], usage["outputTokenDetails"]
    parts = given["noCacheTokens"] + given["cacheReadTokens"] + given["cacheWriteTokens"]
    assert usage["inputTokens"] == parts
    assert usage["outputTokens"] == made["textTokens"] + made["reasoningTokens"]
    return {
        "input": usage["inputTokens"],
        "output": usage["outputTokens"],
        "cached": given["cacheReadTokens"],
        "cache writes": given["cacheWriteTokens"],
        "reasoning": made["reasoningTokens"],
    }


CLIENT = Client(
    "ui_messages",
    "ai",
    connected,
    {
        "key": ("AI_APICallError", 401),
        "unknown": ("AI_APICallError", 404),
        "rate": ("AI_APICallError", 429),
        "context": ("AI_APICallError", 400),
        "overloaded": ("AI_APICallError", 503),
    },
    ("Error",),
    streams_only=True,
    missing=missing,
)
