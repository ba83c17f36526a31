"""What a place of each wire says, cut where the phases of an answer part."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from tests.matrix import script
from tests.matrix.providers import PROVIDERS
from tests.matrix.providers.base import Answer, Provider

Phase: TypeAlias = Literal["before headers", "before first token", "mid", "at the end"]
PHASES: tuple[Phase, ...] = get_args(Phase)
HEADERS, TOKEN, MID, END = PHASES
Events: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True)
class Speech:
    """A good answer of one wire, and the vendor's own ways to go wrong.

    opening: its events before the first text; texts: the events that bring `pieces`, one each; ending: those
    behind them, with `last` in them where the wire has no event without text for its end. calls: an answer
    with two calls; cut_call: how many of its events stand before the middle of a call's arguments. unknown:
    an event that the vendor may add one day. terminal: matches what ends a stream, or says that it failed.
    odd_calls: by the oddity, answers whose calls are numbered unusually.
    """

    wire: str
    opening: Events
    texts: Events
    ending: Events
    unknown: bytes
    terminal: bytes
    cut_call: int
    last: str = ""
    odd_calls: dict[str, Events] = field(default_factory=dict)
    usage: str = ""  # the field of the counts

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.wire]

    @property
    def events(self) -> Events:
        return (*self.opening, *self.texts, *self.ending)

    @property
    def text(self) -> str:
        return script.TEXT

    @property
    def calls(self) -> Events:
        return self.provider.scripts["calls"].events

    @property
    def failed(self) -> bytes:
        """The event of an error."""
        return self.provider.failed

    def error(self, name: str) -> Answer:
        """The vendor's answer with an error status."""
        return self.provider.errors[name]

    def before(self, phase: Phase) -> Events:
        """What has been said when the phase begins; of the texts two in the middle, all at the end."""
        return {
            HEADERS: (),
            TOKEN: self.opening,
            MID: self.opening + self.texts[:2],
            END: self.opening + self.texts,
        }[phase]

    def after(self, phase: Phase) -> Events:
        """The rest."""
        return self.events[len(self.before(phase)) :]

    def said(self, phase: Phase) -> str:
        """The text of `before`."""
        count = {HEADERS: 0, TOKEN: 0, MID: 2, END: len(self.texts)}[phase]
        return "".join(script.PIECES[:count])


def edited(event: bytes, edit: Callable[[Any], Any]) -> bytes:
    """The event with its JSON changed, written in raw UTF-8."""
    before, _, rest = event.partition(b"data: ")
    end = b"\r\n\r\n" if event.endswith(b"\r\n\r\n") else b"\n\n"
    body = json.loads(rest)
    changed = edit(body)
    written = json.dumps(body if changed is None else changed, ensure_ascii=False).encode()
    return before + b"data: " + written + end


def _cut(wire: str, texts_at: int, texts: int) -> dict[str, Events]:
    events = PROVIDERS[wire].scripts["text"].events
    behind = texts_at + texts
    return {"opening": events[:texts_at], "texts": events[texts_at:behind], "ending": events[behind:]}


def _calls(wire: str) -> Events:
    return PROVIDERS[wire].scripts["calls"].events


def _swapped(event: bytes, **numbers: int) -> bytes:
    """The event of a call under another number. numbers: field -> what to add to it."""

    def edit(body: Any) -> None:
        for name, by in numbers.items():
            if name in body:
                body[name] += by

    return edited(event, edit)


def _chat_calls() -> dict[str, Events]:
    events = _calls("openai_chat")

    def numbered(event: bytes, numbers: dict[int, int]) -> bytes:
        def edit(body: Any) -> None:
            for choice in body["choices"]:
                for call in choice["delta"].get("tool_calls", ()):
                    call["index"] = numbers[call["index"]]

        return edited(event, edit)

    # the first call whole, then the second: the vendor's own script lets them take turns
    order = (*range(6), 8, 6, 7, *range(9, len(events) - 1))
    return {
        "reordered": (*(numbered(one, {0: 1, 1: 0}) for one in events[:-1]), events[-1]),
        "duplicate": (*(numbered(events[at], {0: 0, 1: 0}) for at in order), events[-1]),
    }


def _responses_calls() -> dict[str, Events]:
    events = _calls("openai_responses")
    first, second, rest = events[10:15], events[15:20], events[20:]
    return {
        "reordered": (*events[:10], second[0], first[0], *second[1:], *first[1:], *rest),
        "duplicate": (*events[:15], *(_swapped(one, output_index=-1) for one in second), *rest),
    }


def _anthropic_calls() -> dict[str, Events]:
    events = _calls("anthropic")
    first, second, rest = events[8:13], events[13:18], events[18:]
    return {
        "reordered": (
            *events[:8],
            *(_swapped(one, index=1) for one in first),
            *(_swapped(one, index=-1) for one in second),
            *rest,
        ),
        "duplicate": (*events[:13], *(_swapped(one, index=-1) for one in second), *rest),
    }


SPEECHES: dict[str, Speech] = {
    speech.wire: speech
    for speech in (
        Speech(
            "openai_chat",
            **_cut("openai_chat", 1, 4),
            unknown=b'event: weather\ndata: {"id": "chatcmpl-7", "object": "weather", "choices": []}\n\n',
            terminal=rb"(?m)^data: \[DONE\]\r?$",
            cut_call=6,
            odd_calls=_chat_calls(),
            usage="usage",
        ),
        Speech(
            "openai_responses",
            **_cut("openai_responses", 4, 4),
            unknown=b'event: response.weather\ndata: {"type": "response.weather", "sky": "clear"}\n\n',
            # an `error` and the failed response behind it are one end
            terminal=rb"(?ms)^event: error$(?:(?:(?!\n\n).)*\n\n(?:id: \d+\n)?event: response\.failed$)?"
            rb"|^event: response\.(?:completed|failed|incomplete|cancelled)\r?$",
            cut_call=12,
            odd_calls=_responses_calls(),
            usage="usage",
        ),
        Speech(
            "anthropic",
            **_cut("anthropic", 3, 4),
            unknown=b'event: weather\ndata: {"type": "weather", "sky": "clear"}\n\n',
            terminal=rb"(?m)^event: (?:message_stop|error)\r?$",
            cut_call=11,
            odd_calls=_anthropic_calls(),
            usage="usage",
        ),
        Speech(
            "gemini",
            **_cut("gemini", 0, 3),
            unknown=b'data: {"weather": {"sky": "clear"}, "responseId": "resp-7"}\r\n\r\n',
            terminal=rb'"finishReason"|"error": ?\{|"blockReason"',
            cut_call=3,
            last=script.PIECES[3],
            usage="usageMetadata",
        ),
    )
}
