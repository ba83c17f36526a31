"""Talk to the llama.cpp server inside this process over its private unix socket: JSON in, JSON or events out.

A unix socket in a folder only this user can open: unlike a port, no other user of the machine can reach it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httptools

from headrace.core.chunk import Failure
from headrace.errors import ContextOverflow, HeadraceError, RequestError, RunnerError
from headrace.framing.sse import SseDecoder

_READ_BYTES = 65_536


class _Answer:
    """What httptools tells while it parses one response."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.complete = False

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        self.complete = True

    def taken(self) -> bytes:
        body, self.body = self.body, []
        return b"".join(body)


class Refused(Exception):
    """The engine answered with an `error` object."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", "the engine gave no reason"))
        self.error = error


async def _parts(path: str, route: str, body: dict[str, Any]) -> AsyncGenerator[tuple[int, bytes]]:
    """(status, body bytes) as they come. Closing the generator closes the connection: the engine stops."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        data = json.dumps(body).encode()
        head = f"POST {route} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + data)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            read = await reader.read(_READ_BYTES)
            if not read:
                raise RunnerError("the engine closed the connection in the middle of an answer")
            parser.feed_data(read)
            if answer.body:
                yield parser.get_status_code(), answer.taken()
    finally:
        writer.transport.abort()


async def ask(path: str, route: str, body: dict[str, Any]) -> Any:
    """One JSON answer. Raises Refused."""
    parts: list[bytes] = []
    async with aclosing(_parts(path, route, body)) as source:
        async for _, data in source:
            parts.append(data)
    answer = json.loads(b"".join(parts))
    if isinstance(answer, dict) and "error" in answer:
        raise Refused(answer["error"])
    return answer


async def events(path: str, route: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    """The answer's events, each a JSON object. Raises Refused, before the first event or after it."""
    decoder = SseDecoder()
    refusal: list[bytes] = []
    async with aclosing(_parts(path, route, body)) as source:
        async for status, data in source:
            if status != 200:
                refusal.append(data)
                continue
            for event in decoder.feed(data):
                if isinstance(event, Failure):
                    raise event.error()
                if event.data != "[DONE]":
                    yield _checked(json.loads(event.data))
    if refusal:
        _checked(json.loads(b"".join(refusal)))
        raise RunnerError("the engine refused the request and gave no reason")


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if "error" in event:
        raise Refused(event["error"])
    return event


def refusal_error(refused: Refused, schema_field: str) -> HeadraceError:
    """The engine's refusal as one of our errors."""
    kind, message = refused.error.get("type"), str(refused)
    if kind == "exceed_context_size_error":
        asked, limit = refused.error.get("n_prompt_tokens"), refused.error.get("n_ctx")
        return ContextOverflow(
            f"the prompt has {asked} tokens and the model's context holds {limit}", provider="local"
        )
    if kind == "invalid_request_error":
        return RequestError(f"the engine cannot take the request: {message}", field=schema_field)
    return RunnerError(f"the engine failed: {message}")
