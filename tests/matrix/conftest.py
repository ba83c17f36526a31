"""One loop, one rig and its clients for the whole folder: a pair takes a few hundredths of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from tests.matrix.clients import CLIENTS
from tests.matrix.rig import Rig, connected_rig

T = TypeVar("T")


class Stage:
    """The rig, and the loop that it lives in."""

    def __init__(self, runner: asyncio.Runner, rig: Rig) -> None:
        self._runner = runner
        self.rig = rig

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run it where the rig lives."""
        return self._runner.run(main)


@pytest.fixture(autouse=True)
def client_is_here(request: pytest.FixtureRequest) -> None:
    """Skip, saying why, where the client's package cannot be had."""
    spec = getattr(request.node, "callspec", None)
    client = CLIENTS.get(spec.params.get("client", "")) if spec is not None else None
    why = client.missing() if client is not None else ""
    if why:
        pytest.skip(why)


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The rig of the folder's tests."""
    with asyncio.Runner() as runner:
        lent = connected_rig(tmp_path_factory.mktemp("matrix"))
        rig = runner.run(lent.__aenter__())
        try:
            yield Stage(runner, rig)
        finally:
            runner.run(lent.__aexit__(None, None, None))
