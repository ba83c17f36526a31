"""Every example runs to its end and says what it should; the model is `sim/echo`."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.store.servers import valkey_server

from headrace.config import Settings
from headrace.dispatch.runtime import Runtime
from headrace.server.serve import running_server
from headrace.testing.loopback import Peer, loopback

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "buffered.py": "5 'Write a sentence'\n5 ' about the sea.'",
    "cancellation.py": "cancelled\n",
    "collect.py": "Say hello.\nSay goodbye.\n",
    "composition.py": "RIVERS: THE RHINE IS LONG.\nTHE RHONE IS SWIFT.\n",
    "metadata.py": "ended: stop\n",
    "objects.py": "Mix flour, water, salt and yeast.\nLet it rise.\nBake.\n",
    "progress.py": "Count from one to ten.\n",
    "settings.py": "Write about rain.\nAda\n",
    "sync.py": "Name a river.\n",
    "text.py": "Write two sentences about rivers.\n",
    "tools.py": "How many days are there from 2026-03-01 to 2026-12-24?\n",
}
SERVED = {"openai_client.py", "sse.py", "two_nodes.py"}


async def run(example: str, *args: str) -> str:
    """What the example prints. Fails where it exits with anything but 0 or warns."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        str(EXAMPLES / example),
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "no_proxy": "*"},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()
    return out.decode()


def test_no_example_is_left_out() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SAYS, *SERVED}


@pytest.mark.parametrize("example", SAYS)
def test_example(example: str) -> None:
    assert SAYS[example] in asyncio.run(run(example, "sim/echo"))


def test_without_a_url_the_sse_example_says_how_it_is_used() -> None:
    done = subprocess.run([sys.executable, EXAMPLES / "sse.py"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "usage: python examples/sse.py URL\n")


def test_the_official_client_reads_our_server() -> None:
    async def main() -> str:
        async with Runtime(Settings()) as runtime, running_server(runtime) as server:
            return await run("openai_client.py", "sim/echo", f"{server.url}/v1")

    assert asyncio.run(main()) == "Why is the sky blue?\n"


def test_two_servers() -> None:
    with valkey_server() as valkey:
        said = asyncio.run(run("two_nodes.py", valkey.url, "sim/echo"))
    assert said.startswith("begun on one server: id: 1\n")
    assert "from the second event on:\nid: 2\n" in said
    assert said.rstrip().endswith("data: [DONE]")


def test_sse() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"

    async def script(peer: Peer) -> None:
        asked, _ = await peer.request()
        if b"last-event-id: 7" in asked.lower():
            peer.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # that is all: do not come back
        else:
            peer.write(head + b"retry: 1\nid: 7\nevent: tick\ndata: one\ndata: two\n\n")

    async def main() -> str:
        async with loopback(script) as server:
            return await run("sse.py", server.url)

    assert asyncio.run(main()) == "tick 7 one\ntwo\n"
