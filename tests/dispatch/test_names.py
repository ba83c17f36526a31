"""The vendors' functions give ids that the runtime resolves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import headrace
from headrace.providers import KNOWN

NAMES: dict[str, tuple[Callable[[str], str], str, str]] = {
    "openai": (headrace.openai, "gpt-4o", "openai_chat"),
    "anthropic": (headrace.anthropic, "claude-opus-4-5", "anthropic"),
    "google": (headrace.google, "gemini-2.5-flash", "gemini"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_vendors_function_names_its_model(name: str) -> None:
    function, model, wire = NAMES[name]

    async def main() -> str:
        async with headrace.Runtime(headrace.Settings()) as runtime:
            return runtime.resolve(function(model)).card.id

    assert asyncio.run(main()) == function(model) == f"{name}/{model}"
    assert KNOWN[name].wire == wire
