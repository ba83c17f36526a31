"""Ollama's own API, both directions: /api/chat and /api/generate.

`WIRE` reads the answers of both endpoints and asks the one that fits a request; a server has two fronts,
`CHAT_FRONT` (the wire's own) and `GENERATE_FRONT`. A line of JSON has no keep-alive: their ping is empty.
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.ollama.build import build
from headrace.wire.ollama.decode import OllamaDecoder
from headrace.wire.ollama.encode import OllamaEncoder
from headrace.wire.ollama.failure import error_body, failure_from_response
from headrace.wire.ollama.models import LISTING
from headrace.wire.ollama.parse import parse_chat, parse_generate
from headrace.wire.ollama.schema import WIRE_NAME
from headrace.wire.ollama.shape import CHAT, GENERATE
from headrace.wire.ollama.whole import reply_body

__all__ = [
    "CHAT_FRONT",
    "GENERATE_FRONT",
    "WIRE",
    "OllamaDecoder",
    "OllamaEncoder",
    "parse_chat",
    "parse_generate",
]

CHAT_FRONT = Front(
    content_type="application/x-ndjson",
    ping=b"",
    parse=lambda body, _path: parse_chat(body),
    encoder=lambda says, _parsed: OllamaEncoder(says, CHAT),
    body=lambda reply, says, _parsed: reply_body(reply, says, CHAT),
    error_body=error_body,
)

GENERATE_FRONT = Front(
    content_type="application/x-ndjson",
    ping=b"",
    parse=lambda body, _path: parse_generate(body),
    encoder=lambda says, _parsed: OllamaEncoder(says, GENERATE),
    body=lambda reply, says, _parsed: reply_body(reply, says, GENERATE),
    error_body=error_body,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type="application/x-ndjson",
    build=build,
    decoder=OllamaDecoder,
    failure=failure_from_response,
    front=CHAT_FRONT,
    framings=("jsonl",),
    listing=LISTING,
)
