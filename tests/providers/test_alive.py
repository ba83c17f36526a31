"""What keeps an answer's idle clock alive: a part of the answer, and nothing else a place may send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.providers.conftest import event

from headrace.config import Clocks
from headrace.core.chunk import Cancelled
from headrace.core.message import user
from headrace.core.request import Request
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.testing.clock import run_virtual
from headrace.transport.fake import FakeSender, Play

IDLE_S = 3.0
ROW = ProviderRow(
    "up",
    "openai_chat",
    "https://up.example/v1",
    clocks=Clocks(connect_s=5, first_token_s=5, idle_s=IDLE_S, total_s=60),
)
CALL = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]}

# What is sent each second, and whether it is a part of the answer.
PIECES: dict[str, tuple[bytes, bool]] = {
    "a ping": (b": ping\n\n", False),
    "a ping with its event": (b"event: ping\ndata: {}\n\n", False),
    "an empty delta": (event({}), False),
    "a role": (event({"role": "assistant", "content": ""}), False),
    "usage so far": (event({}, usage={"prompt_tokens": 1, "completion_tokens": 1}), False),
    "text": (event({"content": "a"}), True),
    "reasoning": (event({"reasoning_content": "a"}), True),
    "a call": (event(CALL), True),
    "text among pings": (b": ping\n\n" + event({"content": "a"}) + b": ping\n\n", True),
}


@pytest.mark.parametrize("relays", [True, False], ids=["relayed", "decoded"])
@pytest.mark.parametrize("name", PIECES)
def test_only_a_part_of_the_answer_is_a_sign_of_life(basin: Any, name: str, relays: bool) -> None:
    piece, alive = PIECES[name]

    async def main() -> Any:
        model = provider_model(ROW, "gpt", FakeSender(Play(body=[event({"content": "a"})], end="silence")))
        source: Any
        if relays:
            opened = model.open_relay(
                "openai_chat", json.dumps({"model": "m", "messages": []}).encode(), True
            )
            assert opened is not None
            source = opened.source
        else:
            source = model.open(Request("up/gpt", messages=(user("hi"),))).source
        sink = basin()
        source.start(sink)
        await sink.fed.wait()
        for _ in range(8):
            await asyncio.sleep(1)
            source.data(piece)
        source.cancel()
        return await sink.terminal()

    terminal = run_virtual(main())
    if alive:
        assert isinstance(terminal, Cancelled)
    else:
        assert (terminal.kind, terminal.code) == ("timeout", "idle")
