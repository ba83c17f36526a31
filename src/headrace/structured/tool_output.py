"""What a tool returned, as parts of its result: text as it is, parts as they are, everything else as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.message import AudioPart, FilePart, ImagePart, ResultPart, TextPart
from headrace.structured.hints import is_pydantic

_PARTS = (TextPart, ImagePart, AudioPart, FilePart)


def output_parts(returned: Any) -> tuple[ResultPart, ...]:
    """The result of a call as parts.

    Raises: TypeError for what is neither text, a part, nor anything that JSON can say.
    """
    if isinstance(returned, str):
        return (TextPart(returned),)
    if isinstance(returned, _PARTS):
        return (returned,)
    if isinstance(returned, (list, tuple)) and returned and all(isinstance(one, _PARTS) for one in returned):
        return tuple(returned)
    return (TextPart(msgspec.json.encode(returned, enc_hook=_plain).decode()),)


def _plain(value: Any) -> Any:
    if is_pydantic(type(value)) and hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
