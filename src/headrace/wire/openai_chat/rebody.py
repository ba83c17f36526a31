"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.wire.openai_chat.build import untaken_settings
from headrace.wire.openai_chat.schema import REASONING_FIELDS
from headrace.wire.relay import raw_fields, renamed


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model: streamed and with usage; every other field as its very bytes.

    None where the quirks ask for more than a rename: that is what `build` does, with a warning.
    """
    fields = raw_fields(body)
    given = fields.pop("stream_options", None)
    options = raw_fields(given) if given is not None and bytes(given) != b"null" else {}
    if not quirks.get("no_stream_options"):
        fields["stream_options"] = {**options, "include_usage": True}
    limit = quirks.get("max_tokens_field")
    other = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}.get(str(limit))
    if limit and other in fields:
        value = fields.pop(other)
        fields.setdefault(limit, value)
    if any(word in body for word in _misunderstood(quirks)):
        return None
    return renamed(fields, model, {*quirks.get("drop", ()), *untaken_settings(quirks)})


def _misunderstood(quirks: Mapping[str, Any]) -> list[bytes]:
    """Names in messages that the provider knows by others."""
    names = ["developer"] if quirks.get("no_developer_role") else []
    field = quirks.get("reasoning_field")
    if field:
        names += [name for name in REASONING_FIELDS if name != field]
    return [f'"{name}"'.encode() for name in names]
