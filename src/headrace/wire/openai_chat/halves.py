"""Texts whose pieces were cut inside a character: the halves meet here, across events."""

from __future__ import annotations

from typing import Any

from headrace.wire.halves import ends_in_half, mended
from headrace.wire.openai_chat.schema import Choice, ChunkBody, Delta, Function, ToolCall

TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
MAX_HELD = 1024
LOST = "\ufffd"


def put_back(raw: dict[str, Any], chunk: ChunkBody) -> None:
    """Give a chunk that was read from mended data its texts as they came. raw: the data before mending."""
    for at, choice in enumerate(chunk.choices or ()):
        delta = choice.delta
        if delta is None:
            continue
        given = raw["choices"][at]["delta"]
        for name in TEXTS:
            if isinstance(getattr(delta, name), str) and isinstance(given[name], str):
                setattr(delta, name, given[name])
        for place, piece in enumerate(delta.tool_calls or ()):
            function = piece.function
            if function is not None and isinstance(function.arguments, str):
                function.arguments = given["tool_calls"][place]["function"]["arguments"]


class Halves:
    """Holds the first half of a character back until the second comes, each text's for itself."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        # (candidate, the text's name or the call's index) -> the half
        self._held: dict[tuple[int, str | int | None], str] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def join(self, chunk: ChunkBody) -> None:
        """Mend the texts of a chunk in place; a half at the end of one is held, unless its candidate ends."""
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta is not None:
                self._join(choice.index, delta)
            if choice.finish_reason and self._held:
                choice.delta = delta or Delta()
                self._give_up(choice.index, choice.delta)

    def rest(self) -> list[Choice]:
        """What still waits, each half as the mark of a lost character."""
        choices = [Choice(delta=Delta(), index=index) for index in sorted({index for index, _ in self._held})]
        for choice in choices:
            self._give_up(choice.index, choice.delta or Delta())
        return choices

    def _join(self, index: int, delta: Delta) -> None:
        for name in TEXTS:
            text = getattr(delta, name)
            if isinstance(text, str):
                setattr(delta, name, self._joined((index, name), text))
        for piece in delta.tool_calls or ():
            function = piece.function
            if function is not None and isinstance(function.arguments, str):
                function.arguments = self._joined((index, piece.index), function.arguments)

    def _joined(self, text_id: tuple[int, str | int | None], text: str) -> str:
        text = self._held.pop(text_id, "") + text
        if text and ends_in_half(text) and len(self._held) < MAX_HELD:
            self._held[text_id] = text[-1]
            text = text[:-1]
        joined: str = mended(text)
        return joined

    def _give_up(self, index: int, delta: Delta) -> None:
        """Add the mark of a lost character to each text of a candidate that still waits."""
        for text_id in [one for one in self._held if one[0] == index]:
            del self._held[text_id]
            name = text_id[1]
            if isinstance(name, str):
                setattr(delta, name, (getattr(delta, name) or "") + LOST)
            else:
                lost = ToolCall(index=name, function=Function(arguments=LOST))
                delta.tool_calls = [*(delta.tool_calls or ()), lost]
