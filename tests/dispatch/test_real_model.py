"""The local language model gives values of a type, and calls a function."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import dataclass
from typing import Literal

import pytest

import headrace
from headrace.config import Settings

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(
        importlib.util.find_spec("xllamacpp") is None, reason="the extra `local` is not installed"
    ),
]


@dataclass
class Town:
    name: str
    size: Literal["small", "large"]
    rivers: list[str]


def test_values_grow_and_functions_are_called() -> None:
    added = []

    def add(a: int, b: int) -> int:
        """Adds two whole numbers."""
        added.append((a, b))
        return a + b

    async def main() -> None:
        async with headrace.Runtime(Settings()) as runtime:
            result = headrace.stream_object(
                "local", "Describe a small town.", output=Town, runtime=runtime, max_tokens=200, temperature=0
            )
            towns = [town async for town in result.values]
            assert isinstance(result.value, Town)
            assert towns[-1] is result.value
            assert len(towns) > 3
            assert all(town.size in (None, "small", "large") for town in towns)

            run = headrace.run_tools(
                "local",
                "Use the tool to add 2 and 3.",
                tools=[add],
                tool_choice="required",
                max_steps=2,
                runtime=runtime,
                max_tokens=60,
                temperature=0,
            )
            chunks = [chunk async for chunk in run.chunks]
            assert len(added) == 1
            results = [one.output for one in chunks if isinstance(one, headrace.ToolResult)]
            assert results == [str(sum(added[0]))]
            assert [type(one) for one in chunks].count(headrace.Start) == 2

    asyncio.run(main())
