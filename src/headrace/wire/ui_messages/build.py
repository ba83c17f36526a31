"""Request -> the body that the package's transport sends to a server of this protocol.

Source: the npm package `ai` 7.0.173, `ui/http-chat-transport.ts`, read 2026-11-25. The body names the chat:
where the request came over this wire as its page did, else after what is asked, so that the same request
says the same. Most servers choose the model and the tools themselves; what is asked of them (`options.py`) is
sent all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from headrace.core.request import Request
from headrace.wire.as_chat import as_chat
from headrace.wire.base import WireRequest
from headrace.wire.kept import add_own
from headrace.wire.ui_messages.build_message import Conversation
from headrace.wire.ui_messages.metadata import WIRE_NAME, Part, own
from headrace.wire.ui_messages.options import option_fields
from headrace.wire.ui_messages.parse import CHAT

PATH = ""  # a row's base URL is the endpoint


def build(request: Request, _quirks: Mapping[str, Any]) -> WireRequest:
    """The body that asks a server for a streamed answer to `request`; what it cannot take is a warning."""
    warnings: list[str] = []
    request = as_chat(request, warnings, hears=True)
    conversation = Conversation(warnings)
    conversation.add(request.messages)
    body: Part = {"id": "", "messages": conversation.bodies, "trigger": "submit-message"}
    if request.model:
        body["model"] = request.model
    body.update(option_fields(request, warnings))
    add_own(body, request.vendor, WIRE_NAME, warnings)
    kept = own(request.messages[-1].vendor).get("chat") if request.messages else None
    if isinstance(kept, dict):
        body.update({name: kept[name] for name in CHAT if name in kept})
    if not body["id"]:
        body["id"] = blake2b(msgspec.json.encode(body), digest_size=12).hexdigest()
    return WireRequest(PATH, msgspec.json.encode(body), tuple(warnings))
