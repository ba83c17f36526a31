"""Every official client against `headrace serve` as its users start it, a process with a headrace.toml."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.matrix.clients import CLIENTS
from tests.matrix.conftest import Stage
from tests.matrix.measure import measure_pair
from tests.matrix.rig import Rig, config_text
from tests.matrix.test_matrix import surprises

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

DEFAULT = "anthropic"  # the place that answers those who name no model


class Process(Rig):
    """A rig whose server is another process."""

    url = ""

    async def server(self, default: str = "") -> str:
        return self.url


@pytest.fixture(scope="module")
def served(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The rig's places, asked through a process."""
    folder = tmp_path_factory.mktemp("serve")
    file = folder / "headrace.toml"
    file.write_text(config_text(stage.rig.upstream, DEFAULT))
    argv = [sys.executable, "-m", "headrace", "serve", "--port", "0", "--config", str(file)]
    env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    stack = AsyncExitStack()
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True, cwd=Path(folder)) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found
            rig = Process(stage.rig.upstream, stack, folder)
            rig.url = found[0]
            yield rig
        finally:
            stage.run(stack.aclose())
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_and_a_place_of_another_protocol(client: str, served: Process, stage: Stage) -> None:
    provider = "openai_chat" if client == DEFAULT or CLIENTS[client].only_sound else DEFAULT
    measured = stage.run(measure_pair(served, client, provider))
    assert surprises(client, provider, measured, streamed=True) == []
