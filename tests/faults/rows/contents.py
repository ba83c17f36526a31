"""Events that are whole, and say something wrong or unusual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.plays import answers, garbage, hang_up, says, then
from tests.faults.speech import END, HEADERS, MID, PHASES, TOKEN, Phase, Speech, edited
from tests.faults.table import WHOLE, WITH_TOOLS, Case, Row, Seen
from tests.faults.upstream import Play, chunk, head

_NO_CALL = "no call has begun"
_CALL_OVER = "the calls are complete"
_NOT_COUNTED = "counts come at the end"
_NO_NUMBERS = {"gemini": "its calls come whole, and have no numbers"}
_BROKEN = b'data: {"choices": [{"delta": \n\n'


def _broken(phase: Phase) -> Case:
    if phase == HEADERS:
        return Case(lambda _speech: garbage, Seen("wire", "http", 502))
    return Case(
        lambda speech: then(speech, phase, says(_BROKEN, *speech.after(phase), ends=True)),
        Seen("wire", "wire", 502),
    )


def _failed(phase: Phase) -> Case:
    """An error where events are expected: as a JSON body, and as an event."""
    seen = Seen("unavailable", "", 502, retryable=True)
    if phase == HEADERS:
        return Case(lambda speech: answers(_error_in(speech), "application/json"), seen)
    return Case(lambda speech: then(speech, phase, says(speech.failed, ends=True)), seen)


def _error_in(speech: Speech) -> bytes:
    return speech.failed.partition(b"data: ")[2].strip()


def _calls(oddity: str) -> Callable[[Speech], Play]:
    return lambda speech: answers(b"".join(speech.odd_calls[oddity]))


def _cut_call(speech: Speech) -> Play:
    async def play(upstream: Any, peer: Any) -> None:
        peer.write(head(speech.provider.content_type) + chunk(b"".join(speech.calls[: speech.cut_call])))
        await peer.writer.drain()
        await hang_up(upstream, peer)

    return play


def _counted(edit: Callable[[dict[str, Any]], None]) -> Callable[[Speech], Play]:
    """The answer with its last counts changed."""

    def play(speech: Speech) -> Play:
        return answers(b"".join(_edited(one, speech, edit) for one in speech.events))

    return play


def _edited(event: bytes, speech: Speech, edit: Callable[[dict[str, Any]], None]) -> bytes:
    if b'"usage' not in event:
        return event

    def change(body: Any) -> None:
        for holder in (body, body.get("response"), body.get("message")):
            if isinstance(holder, dict) and isinstance(holder.get(speech.usage), dict):
                edit(holder)

    return edited(event, change)


def _without_usage(holder: dict[str, Any]) -> None:
    holder.pop("usage", None)
    holder.pop("usageMetadata", None)


def _contradictory(holder: dict[str, Any]) -> None:
    """The sum is not the sum of its parts, and what was cached is more than all."""
    usage = holder.get("usage") or holder["usageMetadata"]
    for name in usage:
        if name.startswith("total"):
            usage[name] = 1
        if "cache" in name.lower() and isinstance(usage[name], int):
            usage[name] = 10**6


ROWS = (
    Row(
        "malformed JSON",
        "an event (before them: the response itself) that cannot be read",
        "`wire`; 502; not retryable; nothing behind it is read",
        {phase: _broken(phase) for phase in PHASES},
        "fall back before the first token",
    ),
    Row(
        "error inside 200",
        "an error object as the body, or as an event",
        "the error's own kind, here `unavailable`; 502; retryable",
        {phase: _failed(phase) for phase in PHASES},
        "retry before the first token, then fall back",
    ),
    Row(
        "reordered calls",
        "the numbers of tool calls do not come in order",
        "whole: two calls, each with its own arguments",
        {
            **dict.fromkeys((HEADERS, TOKEN), _NO_CALL),
            MID: Case(_calls("reordered"), Seen(calls=True), ask=WITH_TOOLS, but=_NO_NUMBERS, verbatim=True),
            END: _CALL_OVER,
        },
    ),
    Row(
        "duplicate call numbers",
        "two tool calls, one after the other, have the same number",
        "whole: two calls, each with its own arguments",
        {
            **dict.fromkeys((HEADERS, TOKEN), _NO_CALL),
            MID: Case(_calls("duplicate"), Seen(calls=True), ask=WITH_TOOLS, but=_NO_NUMBERS, verbatim=True),
            END: _CALL_OVER,
        },
    ),
    Row(
        "cut arguments",
        "the connection ends in the middle of a call's arguments",
        "`truncated`; retryable; no client takes the call for a whole one",
        {
            **dict.fromkeys((HEADERS, TOKEN), _NO_CALL),
            MID: Case(
                _cut_call,
                Seen("truncated", "truncated", 502, retryable=True),
                ask=WITH_TOOLS,
                said=lambda _speech: "",
            ),
            END: _CALL_OVER,
        },
        "never continued: asked again, or failed",
    ),
    Row(
        "missing usage",
        "nobody counts the tokens",
        "whole",
        {
            **dict.fromkeys((HEADERS, TOKEN, MID), _NOT_COUNTED),
            END: Case(_counted(_without_usage), WHOLE, verbatim=True),
        },
    ),
    Row(
        "contradictory usage",
        "the counts contradict each other",
        "whole",
        {
            **dict.fromkeys((HEADERS, TOKEN, MID), _NOT_COUNTED),
            END: Case(_counted(_contradictory), WHOLE, verbatim=True),
        },
    ),
)
