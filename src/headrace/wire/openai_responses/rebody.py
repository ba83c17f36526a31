"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.wire.openai_responses.build import encrypted, refused_fields
from headrace.wire.relay import raw_fields, read_as, renamed


class _Item(msgspec.Struct):
    type: Any = None
    encrypted_content: Any = None
    content: msgspec.Raw = msgspec.Raw(b"")


class _Asked(msgspec.Struct):
    """What of a body the quirks are about."""

    input: str | list[_Item] = ""
    include: list[str] | None = None
    reasoning: Any = None
    store: Any = None


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model, and what `build` adds where the client does not say it.

    That is whether the answer may be stored, and the encrypted reasoning that the next turn needs. None where
    it has what the provider refuses: that is what `build` leaves out, with a warning.
    """
    fields = raw_fields(body)
    asked = read_as(body, _Asked)
    items = () if isinstance(asked.input, str) else asked.input
    store = asked.store
    if store is None and not quirks.get("no_store"):
        store = fields["store"] = quirks.get("store", False)
    if _refuses(items, bool(store), quirks):
        return None
    include = asked.include or []
    thinks = asked.reasoning is not None or any(item.encrypted_content for item in items)
    more = encrypted(include, quirks, wanted=store is False and thinks)
    if more:
        fields["include"] = [*include, *more]
    refused = {*refused_fields(quirks), *(("instructions",) if quirks.get("no_instructions") else ())}
    return renamed(fields, model, refused)


def _refuses(items: Iterable[_Item], stored: bool, quirks: Mapping[str, Any]) -> bool:
    """Whether it takes back no item of such a kind: sound, or reasoning that it cannot read."""
    reads = stored or bool(quirks.get("reasoning_input"))
    hears = bool(quirks.get("audio_input"))
    return any(
        (item.type == "reasoning" and not item.encrypted_content and not reads)
        or (b'"input_audio"' in bytes(item.content) and not hears)
        for item in items
    )
