"""A client's own body, readdressed: what a relay sends where client and provider speak this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.wire.openai_completions.build import EXTRA_SETTINGS
from headrace.wire.openai_completions.schema import StreamOptions
from headrace.wire.prompt import TURN_QUIRKS
from headrace.wire.relay import raw_fields, read_as, renamed


class _Asked(msgspec.Struct):
    stream_options: StreamOptions | None = None


def rebody(body: bytes, model: str, quirks: Mapping[str, Any]) -> bytes | None:
    """A client's body for another model; None where it has what the provider refuses (see `renamed`).

    None too where the row tells the model's template, into which `build` puts the prompt, and where the
    client wants no usage: the provider is asked for it all the same, and a relay leaves no event out.
    """
    templates = [name for name in TURN_QUIRKS if name in quirks]
    fields = raw_fields(body)
    if quirks.get("no_stream_options"):
        fields.pop("stream_options", None)
    else:
        options = read_as(body, _Asked).stream_options
        if options is None or not options.include_usage:
            return None
    refused = {*EXTRA_SETTINGS} - {*quirks.get("extra", ())} | {*quirks.get("drop", ())}
    return None if templates else renamed(fields, model, refused)
