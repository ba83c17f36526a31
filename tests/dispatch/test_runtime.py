"""Models are found by id and alias; the loop's own runtime closes with its loop."""

from __future__ import annotations

import asyncio

import pytest

from headrace.config import ProviderSettings, Settings
from headrace.dispatch.runtime import Runtime, runtime_here
from headrace.errors import RequestError, UnknownModel

SETTINGS = Settings(
    providers={"up": ProviderSettings(wire="openai_chat", base_url="http://127.0.0.1:9", models=("big",))},
    aliases={"fast": "up/big", "quick": "fast", "a": "b", "b": "a"},
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sim/echo", "sim/echo"),
        ("local", "local/smollm2-135m-instruct"),
        ("local/smollm2-135m-instruct", "local/smollm2-135m-instruct"),
        ("up/anything/with/slashes", "up/anything/with/slashes"),
        ("quick", "up/big"),
    ],
)
def test_a_model_is_found(asked: str, found: str) -> None:
    async def main() -> None:
        async with Runtime(SETTINGS) as runtime:
            assert runtime.resolve(asked).card.id == found

    asyncio.run(main())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sim/ecoh", "sim/echo"),
        ("lokal", "local"),
        ("gpt-4o", "PROVIDER/NAME"),
        ("nobody/x", "openai"),
        ("local/none", "smollm2-135m-instruct"),
        ("", "no model is called ''"),
        ("x" * 5000, "x" * 256 + "..."),
    ],
)
def test_an_unknown_model_is_named_with_what_comes_near(asked: str, said: str) -> None:
    async def main() -> None:
        async with Runtime(SETTINGS) as runtime:
            with pytest.raises(UnknownModel) as caught:
                runtime.resolve(asked)
        assert said in caught.value.message
        assert caught.value.http_status == 404
        assert len(caught.value.message) < 1500

    asyncio.run(main())


def test_aliases_in_a_circle_are_refused() -> None:
    async def main() -> None:
        async with Runtime(SETTINGS) as runtime:
            with pytest.raises(RequestError, match="a -> b -> a"):
                runtime.resolve("a")

    asyncio.run(main())


def test_every_listed_model_can_be_resolved_and_carries_its_aliases() -> None:
    async def main() -> None:
        async with Runtime(SETTINGS) as runtime:
            cards = {card.id: card for card in runtime.models()}
            for id in cards:
                assert runtime.resolve(id).card.id == id
        assert cards["local/smollm2-135m-instruct"].aliases == ("local",)
        assert cards["up/big"].aliases == ("fast",)

    asyncio.run(main())


def test_a_closed_runtime_refuses() -> None:
    async def main() -> None:
        runtime = Runtime(SETTINGS)
        await runtime.aclose()
        with pytest.raises(RequestError, match="closed"):
            runtime.resolve("sim/echo")

    asyncio.run(main())


def test_the_loop_has_one_runtime_and_closes_it() -> None:
    async def main() -> Runtime:
        assert runtime_here() is runtime_here()
        return runtime_here()

    first = asyncio.run(main())
    with pytest.raises(RequestError, match="closed"):
        first.resolve("sim/echo")
    assert asyncio.run(main()) is not first
