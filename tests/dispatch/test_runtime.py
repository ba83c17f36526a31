"""Models are found by id and alias; the loop's own runtime closes with its loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.config import ProviderSettings, Settings, load_config
from headrace.dispatch.runtime import Runtime, runtime_here
from headrace.errors import ConfigError, RequestError, UnknownModel

SETTINGS = Settings(
    providers={"up": ProviderSettings(wire="openai_chat", base_url="http://127.0.0.1:9", models=("big",))},
    aliases={"fast": "up/big", "quick": "fast"},
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
        ("gpt-4o", "did you mean openai/gpt-4o?"),
        ("claude-opus-4-5", "did you mean anthropic/claude-opus-4-5?"),
        ("gemini-2.5-flash", "did you mean google/gemini-2.5-flash?"),
        ("opnai/gpt-4o", "did you mean openai/gpt-4o?"),
        ("openai/", "the name after openai/ is missing"),
        ("nobody/x", "PROVIDER/NAME"),
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
        assert len(caught.value.message) < 450

    asyncio.run(main())


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ({"a": "b", "b": "a"}, "circle: a -> b"),
        ({"fast": "nobody/x"}, "'nobody/x', which nothing answers to"),
        ({"fast": "sim/none"}, "'sim/none', which nothing answers to"),
        ({"fast": "local/none"}, "'local/none', which nothing answers to"),
        ({"fast": "quick"}, "'quick', which is no model id"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused_at_once(aliases: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Runtime(Settings(aliases=aliases))
    assert said in caught.value.message
    assert caught.value.field == f"aliases.{next(iter(aliases))}"


def test_a_dead_alias_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "headrace.toml"
    file.write_text('[aliases]\nfast = "nobody/x"\n')
    with pytest.raises(ConfigError, match="line 2") as caught:
        Runtime(load_config(file))
    assert caught.value.line == 2


def test_every_listed_model_can_be_resolved_and_carries_its_aliases() -> None:
    async def main() -> None:
        async with Runtime(SETTINGS) as runtime:
            cards = {card.id: card for card in runtime.models()}
            for id in cards:
                assert runtime.resolve(id).card.id == id
        assert cards["local/smollm2-135m-instruct"].aliases == ("local",)
        assert cards["up/big"].aliases == ("fast", "quick")

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


def test_what_only_local_models_need_is_not_imported_for_the_others() -> None:
    code = (
        "import asyncio, sys\n"
        "from headrace import generate_text, stream_text\n"
        "assert asyncio.run(generate_text('sim/echo', 'hi')).text == 'hi'\n"
        "heavy = ('headrace.runners.local', 'headrace.runners.store', 'http.client', 'urllib.request')\n"
        "heavy += ('headrace.structured.growing', 'pydantic')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stdout + done.stderr
