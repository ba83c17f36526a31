"""What another vendor needs back, in a chat message: `reasoning_details`, and `extra_content` of a call.

Both are compatible places' fields that clients send back with the message as they got it: OpenRouter's for
reasoning (its `ReasoningDetail`, openrouter.ai/docs), Google's for what belongs to a call (its page on
thought signatures), read 2026-11-25. OpenAI's own schema has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.core.message import ReasoningPart
from headrace.core.opaque import Opaque
from headrace.wire.carried import Carried, carried, carry, carry_call
from headrace.wire.openai_chat.schema import WIRE_NAME

Fields = dict[str, Any]
_CALL = "extra_content"
_OURS = "headrace"


def reasoning_detail(vendor: Opaque | None, begin: int, chars: int) -> Fields | None:
    """The entry for a piece of the message's reasoning; None where its vendor needs nothing."""
    needed = carry(vendor, WIRE_NAME, chars=chars, begin=begin)
    return None if needed is None else {"type": "reasoning.encrypted", "format": _OURS, "data": needed}


def call_extra(vendor: Opaque | None) -> Fields:
    """What goes beside a call."""
    needed = carry_call(vendor, WIRE_NAME)
    return {} if needed is None else {_CALL: {_OURS: needed}}


def reasoning_from(text: str, details: Any, plain: Opaque) -> tuple[ReasoningPart, ...]:
    """The reasoning of a client's message, each piece with what its vendor needs.

    The message has one text for all of them: each entry says which piece was its own. plain: what comes with
    the rest.
    """
    parts: list[ReasoningPart] = []
    at = 0
    for needed in (found for one in _list(details) if (found := _needed(one)) is not None):
        begin = max(at, needed.begin)
        end = max(begin, needed.begin + needed.chars)
        if text[at:begin]:
            parts.append(ReasoningPart(text[at:begin], plain))
        parts.append(ReasoningPart(text[begin:end], needed.vendor))
        at = end
    return (*parts, ReasoningPart(text[at:], plain)) if text[at:] else tuple(parts)


def other_details(details: Any) -> list[Any]:
    """The entries that are not ours."""
    return [one for one in _list(details) if _needed(one) is None]


def call_vendor(extra: Fields) -> Opaque | None:
    """What came with a client's call: another vendor's again, or fields for one that speaks this protocol."""
    content = extra.get(_CALL)
    needed = carried(content.get(_OURS), WIRE_NAME) if isinstance(content, dict) else None
    if needed is not None:
        return needed.vendor
    return Opaque(WIRE_NAME, extra) if extra else None


def _needed(detail: Any) -> Carried | None:
    return carried(detail.get("data"), WIRE_NAME) if isinstance(detail, dict) else None


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
