"""What is no pair: a model that nobody has, a protocol's second endpoint, a change of the vendor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import ollama
import pytest

from headrace.wire.carried import holds_carried
from tests.matrix import script
from tests.matrix.clients import CLIENTS
from tests.matrix.conftest import Stage
from tests.matrix.measure import ASKED, CONVERSATION
from tests.matrix.providers import PROVIDERS

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

NAMED = [wire for wire, client in CLIENTS.items() if not client.unnamed]


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("client", NAMED)
def test_an_unknown_model_is_the_clients_own_error(client: str, streamed: bool, stage: Stage) -> None:
    async def ask() -> Any:
        async with CLIENTS[client].connected(await stage.rig.server()) as talk:
            return await talk("nobody/x", ASKED, streamed)

    trouble = stage.run(ask()).trouble
    assert (trouble.kind, trouble.status) == CLIENTS[client].errors["unknown"]
    assert "nobody/x" in trouble.said


def generate(stage: Stage, scene: str, ask: Callable[[ollama.AsyncClient], Awaitable[Any]]) -> Any:
    """What the official client gets of /api/generate, the chat place answering."""

    async def main() -> Any:
        stage.rig.upstream.answer = PROVIDERS["openai_chat"].answer(scene)
        client = ollama.AsyncClient(host=await stage.rig.server())
        try:
            return await ask(client)
        finally:
            await client._client.aclose()

    return stage.run(main())


MODEL = f"openai_chat_place/{script.MODEL}"


def test_ollamas_generate_streams_thinking_and_text(stage: Stage) -> None:
    async def ask(client: ollama.AsyncClient) -> list[ollama.GenerateResponse]:
        asked = {"prompt": script.QUESTION, "system": script.SYSTEM, "images": [script.ASKED_IMAGE]}
        return [part async for part in await client.generate(MODEL, **asked, stream=True)]

    parts = generate(stage, "reasoning", ask)
    assert "".join(part.response for part in parts) == script.TEXT
    assert "".join(part.thinking or "" for part in parts) == script.REASONING
    assert (parts[-1].done_reason, parts[-1].prompt_eval_count, parts[-1].eval_count) == ("stop", 120, 60)
    got = PROVIDERS["openai_chat"].read("/chat/completions", stage.rig.upstream.last("openai_chat")[1])
    assert (got.texts, got.system, got.images) == ([script.QUESTION], script.SYSTEM, [script.ASKED_IMAGE])


def test_ollamas_generate_answers_whole_with_a_form_and_an_image(stage: Stage) -> None:
    async def ask(client: ollama.AsyncClient) -> ollama.GenerateResponse:
        return await client.generate(model=MODEL, prompt=script.QUESTION, format=dict(script.FORM))

    assert generate(stage, "form", ask).response == "".join(script.JSON_PIECES)
    got = PROVIDERS["openai_chat"].read("/chat/completions", stage.rig.upstream.last("openai_chat")[1])
    assert got.form == script.FORM
    drawn = generate(stage, "image", ask)
    stage.rig.upstream.last("openai_chat")
    assert (drawn.response, drawn.image is not None) == (script.FIRST, True)


OFFERING = [wire for wire, client in CLIENTS.items() if client.offers]
OTHERS = [wire for wire, place in PROVIDERS.items() if wire != "anthropic" and not place.only_sound]


@pytest.mark.parametrize("provider", OTHERS)
@pytest.mark.parametrize("client", OFFERING)
def test_a_conversation_begun_with_one_vendor_goes_on_with_another(
    client: str, provider: str, stage: Stage
) -> None:
    """Calls and results go on; what only the first vendor can read does not."""

    async def talk() -> Any:
        first, _ = await stage.rig.exchange(client, "anthropic", "calls", CONVERSATION)
        again = replace(CONVERSATION, earlier=first, results=script.RESULTS)
        return await stage.rig.exchange(client, provider, "text", again)

    said, got = stage.run(talk())
    assert said.text == script.TEXT
    assert not holds_carried(stage.rig.last_body)
    if (
        provider != "ui_messages"
    ):  # its messages hold what any vendor says of a part, for who reads them again
        assert b"EqQB" not in stage.rig.last_body  # the signature
    if got.prompt:
        assert all(result in got.prompt for result in script.RESULTS)
        return
    assert [(call.name, call.arguments) for call in got.called] == [
        (tool.name, arguments) for tool, arguments in zip(script.TOOLS, script.ARGUMENTS, strict=True)
    ]
    ids = [call.id for call in got.called]
    assert [id for id, _ in got.results] == ids
    assert len(set(ids)) == 2
