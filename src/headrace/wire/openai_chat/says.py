"""What counts as a part of the answer: the one definition behind every verdict, decoded or relayed.

`[DONE]` before any part is an empty response, a part behind a finish_reason opens its candidate again, and
only a part counts as content. Roles, ids, annotations and log probabilities go with an answer and are none.
"""

from __future__ import annotations

from typing import Any

from headrace.wire.openai_chat.deltas import parts_of


def says(delta: Any) -> bool:
    """Whether a delta (the decoder's Struct or the relay's) holds a part of the answer."""
    content = delta.content
    if content and (type(content) is str or _parts_say(content)):
        return True
    calls = delta.tool_calls
    audio = delta.audio
    return bool(
        delta.reasoning_content
        or delta.reasoning
        or delta.refusal
        or delta.reasoning_details
        or delta.images
        or (calls and any(_function_says(call.function) or _custom_says(call.custom) for call in calls))
        or _function_says(delta.function_call)
        or (audio is not None and (audio.data or audio.transcript))
    )


def only_thinks(delta: Any) -> bool:
    """Whether what a delta says is reasoning and nothing else."""
    content = delta.content
    if content and type(content) is list:
        pieces, unknown = parts_of(content)
        if unknown or any(kind != "reasoning" and text for kind, text in pieces):
            return False
    elif content:
        return False
    return not (delta.refusal or delta.images or delta.tool_calls or delta.function_call or delta.audio)


def _parts_say(content: list[Any]) -> bool:
    pieces, unknown = parts_of(content)
    return bool(unknown) or any(text for _, text in pieces)


def _function_says(function: Any) -> bool:
    """An empty object is arguments, an empty text is none."""
    return function is not None and bool(function.name or function.arguments not in (None, ""))


def _custom_says(custom: Any) -> bool:
    return custom is not None and bool(custom.name or custom.input)
