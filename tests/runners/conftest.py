"""The real model, loaded once for the whole session."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from headrace.runners.local import LocalModels
from headrace.runners.model import LocalModel

T = TypeVar("T")


class Bench:
    """One event loop for the session and the model that lives on it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.models = LocalModels()
        self.model: LocalModel = self.models.get("smollm2-135m-instruct")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self.models.aclose())
        self._runner.close()


@pytest.fixture(autouse=True)
def _engine_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker finds the scripted engine by its module's name."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the extra `local` is not installed")
    made = Bench()
    made.run(made.model.warm())
    yield made
    made.close()
