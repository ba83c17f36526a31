"""A conversation as one text, for wires that take a prompt and no messages.

One user message alone is the prompt, as it is. Anything else needs the model's own chat template, which we
do not have. A provider row can tell it, as quirks (`TURN_QUIRKS`). Without any of them the turns are joined
plainly (`PLAIN`), and a warning says so. Once one is set, those that are not are plain too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headrace.core.message import (
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.kept import understood, warn
from headrace.wire.quirk import TEMPLATE, TEXT, Quirk, Quirks

PLAIN = {
    "system_turn": "{}\n\n",
    "user_turn": "User: {}\n\n",
    "assistant_turn": "Assistant: {}\n\n",
    "tool_turn": "Tool: {}\n\n",
    "reply_turn": "Assistant:",
}
_TURN = {
    "system": "system_turn",
    "developer": "system_turn",
    "user": "user_turn",
    "assistant": "assistant_turn",
    "tool": "tool_turn",
}
TURN_QUIRKS: Quirks = {
    "system_turn": Quirk(TEMPLATE, "a system message in the model's template, `{}` in the place of its text"),
    "user_turn": Quirk(TEMPLATE, "the user's turn, such as `[INST] {} [/INST]`"),
    "assistant_turn": Quirk(TEMPLATE, "an earlier answer"),
    "tool_turn": Quirk(TEMPLATE, "a tool's result"),
    "reply_turn": Quirk(TEXT, "what begins the answer, such as `Assistant:`"),
}
_JOINED = (
    "the messages were joined into one plain prompt: this protocol takes text only, and no template "
    "(system_turn, user_turn, ...) is set for the provider"
)

# How a wire writes an image into its prompt; None where it cannot.
WriteImage = Callable[[ImagePart], str]


def prompt_of(
    messages: Iterable[Message],
    quirks: Mapping[str, Any],
    warnings: list[str],
    image: WriteImage | None = None,
) -> str:
    """The conversation as one text; what text cannot carry is a warning."""
    turns = understood(messages, "", warnings)
    if len(turns) == 1 and turns[0].role == "user" and not any(name in quirks for name in PLAIN):
        return _text(turns[0].parts, warnings, image)
    if not any(name in quirks for name in PLAIN):
        warnings.append(_JOINED)
    written = [
        str(quirks.get(_TURN[turn.role], PLAIN[_TURN[turn.role]])).replace(
            "{}", _text(turn.parts, warnings, image)
        )
        for turn in turns
    ]
    return "".join(written) + str(quirks.get("reply_turn", PLAIN["reply_turn"]))


def _text(parts: Iterable[Part], warnings: list[str], image: WriteImage | None) -> str:
    return "".join(_part(part, warnings, image) for part in parts)


def _part(part: Part, warnings: list[str], image: WriteImage | None) -> str:
    match part:
        case TextPart() | RefusalPart():
            return part.text
        case ImagePart() if image is not None:
            return image(part)
        case ToolCallPart():
            warn(warnings, "a tool call of an earlier turn was written as plain text")
            return f"{part.name}({part.arguments})"
        case ToolResultPart():
            warn(warnings, "a tool's result was written as plain text")
            return _text(part.parts, warnings, image)
        case ReasoningPart():
            warn(warnings, "reasoning of earlier turns was left out: a prompt has no place for it")
        case _:
            kind = type(part).__name__.removesuffix("Part").lower()
            warn(warnings, f"a part of kind {kind} was left out: this protocol takes text only")
    return ""
