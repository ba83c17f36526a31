"""Every recorded answer is the same behind this wire, and read by the npm package as our fold says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.node.page import VERSIONS, Page
from tests.wire.ui_messages.events import parts
from tests.wire.ui_messages.recordings import answers

from headrace.core.fold import fold
from headrace.core.reply import Reply, ToolCall
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ui_messages import UiDecoder, UiEncoder

pytestmark = pytest.mark.recordings
AT_ONCE = 50
MANY = 570


def encode(chunks: Any) -> bytes:
    return b"".join(stages.run(UiEncoder(Says("", "", 0)), [chunks]))


def said(reply: Reply) -> dict[str, Any]:
    """All that a reply holds, but for what vendors say of it as a whole."""
    first = reply.candidates[0] if reply.candidates else None
    began = first is not None or reply.failure is None  # else no message is begun
    return {
        "start": (reply.id, reply.model, reply.created_s) if began else None,
        "texts": (reply.text, reply.reasoning, reply.refusal),
        "calls": reply.tool_calls,
        "parts": first and first.parts,
        # a file has a media type, also where nobody told one
        "images": first and [(one.data, one.format or "image/png") for one in first.images],
        "quotes": first and [(one.url, one.title, one.quote, one.vendor) for one in first.citations],
        "ended": (type(reply.terminal), reply.finish_reason, first and first.stop_sequence),
        "failed": reply.failure and (reply.failure.kind, reply.failure.message, reply.failure.code),
        "usage": reply.usage,
    }


def test_a_recorded_answer_is_the_same_behind_this_wire() -> None:
    for answer in answers():
        encoded = encode(answer.chunks)
        back = stages.run(UiDecoder(), [[encoded]])
        stages.one_terminal(back)
        assert said(fold(back)) == said(fold(answer.chunks)), answer.name
        assert parts(encode(back)) == parts(encoded), answer.name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_package_reads_a_recorded_answer_as_it_was(page: Page, version: int) -> None:
    told = answers()
    assert len(told) > MANY
    for at in range(0, len(told), AT_ONCE):
        batch = told[at : at + AT_ONCE]
        streams = [encode(answer.chunks).decode() for answer in batch]
        commands = [{"version": version, "stream": stream, "brief": True} for stream in streams]
        read = page.ask("many", commands=commands)["answers"]
        for answer, seen in zip(batch, read, strict=True):
            reply = fold(answer.chunks)
            assert read_of(seen) == shown(reply), answer.name


def shown(reply: Reply) -> dict[str, Any]:
    """What a page shows of a reply: a refusal is text, and numbers are JavaScript's."""
    message = reply.message
    text = [part for part in message.parts if type(part).__name__ in ("TextPart", "RefusalPart")]
    return {
        "text": "".join(part.text for part in text),  # type: ignore[union-attr]
        "reasoning": reply.reasoning,
        "calls": [(call.id, call.name, None if reply.failure else given(call)) for call in reply.tool_calls],
        "images": len(reply.candidates[0].images) if reply.candidates else 0,
        "failed": reply.failure and reply.failure.message,
    }


def given(call: ToolCall) -> Any:
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments


def read_of(seen: dict[str, Any]) -> dict[str, Any]:
    found = seen["message"]["parts"] if seen["message"] else []
    of: dict[str, list[Any]] = {}
    for part in found:
        of.setdefault("tool" if part["type"].startswith("tool-") else part["type"], []).append(part)
    return {
        "text": "".join(part["text"] for part in of.get("text", ())),
        "reasoning": "".join(part["text"] for part in of.get("reasoning", ())),
        "calls": [
            (
                part["toolCallId"],
                part["type"].removeprefix("tool-"),
                None if seen["error"] else part.get("input", part.get("rawInput")),
            )
            for part in of.get("tool", ())
        ],
        "images": len(of.get("file", ())),
        "failed": seen["error"] and seen["error"]["message"],
    }
