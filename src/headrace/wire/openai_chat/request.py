"""Requests, both ways: `build` asks a provider, `parse_request` reads a client, `rebody` readdresses one."""

from __future__ import annotations

from headrace.wire.base import ParsedRequest
from headrace.wire.openai_chat.build import PATH, build
from headrace.wire.openai_chat.parse import parse_request
from headrace.wire.openai_chat.rebody import rebody

__all__ = ["PATH", "ParsedRequest", "build", "parse_request", "rebody"]
