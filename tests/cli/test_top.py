"""`headrace top`: what it prints of a server with streams, in a pipe and in a terminal; what goes wrong."""

import asyncio
import json
import os
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.cli.test_steering import EVIL, SHOWN
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.raw import chat, connected
from tests.server.test_queueing import whole

from headrace.config.door import QueueSettings
from headrace.core.chunk import TextDelta
from headrace.server.door import Door
from headrace.server.limits import Limits
from headrace.server.serve import running_server
from headrace.testing.loopback import Peer, loopback

pty_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
if sys.platform != "win32":
    from tests.cli.terminal import headrace_in_terminal


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "no_proxy": "*",
        "TERM": "xterm",
        "COLUMNS": "160",
    }


async def top(*args: str, env: dict[str, str]) -> tuple[int, str, str]:
    """The exit code, what it printed, and what it said."""
    command = [sys.executable, "-W", "error", "-m", "headrace", "top", *args]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def test_a_pipe_gets_live_streams_once(env: dict[str, str]) -> None:
    async def main() -> None:
        model = HandModel()
        async with running_server(Models(model), limits=Limits(drain_s=1)) as server:
            code, out, _ = await top(server.url, env=env)
            assert code == 0
            assert "0 live, 0 waiting, 0.0 tok/s; since the start: answers 0" in out
            async with connected(server.url) as client:
                await client.send(chat())
                source = await model.source()
                source.push(*BEGIN, TextDelta(0, "secret words"))
                _, headers = await client.head()
                id = headers["x-headrace-stream-id"]
                code, out, _ = await top(server.url + "/v1", env=env)
                titles, row, totals = out.splitlines()
                assert titles.split()[:5] == ["ID", "MODEL", "PROTOCOL", "STATE", "AGE"]
                assert row.split()[:4] == [id, "m", "openai_chat", "running"]
                assert totals.startswith("1 live, ")
                assert "secret words" not in out
                code, out, _ = await top(server.url, "--json", "--once", env=env)
                (line,) = out.splitlines()
                (stream,) = json.loads(line)["streams"]
                assert (stream["id"], stream["readers"], stream["figures"]["pieces"]) == (id, 1, 1)
                assert isinstance(stream["figures"]["pieces"], int)
                without_scheme = server.url.removeprefix("http://")
                assert (await top(without_scheme, env=env))[1].startswith("ID")
                source.push(*END)
                source.end()
                await client.response_body()
            code, out, _ = await top(server.url, "--once", env=env)
            assert id not in out
            assert "answers 1, finished 1" in out
            code, out, _ = await top(server.url, "--once", "--all", env=env)
            assert out.splitlines()[1].split()[:4] == [id, "m", "openai_chat", "completed"]

    asyncio.run(main())


def test_who_waits_and_who_has_waited(env: dict[str, str]) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(queue=QueueSettings(max_streams=1))
        async with (
            running_server(Models(model), limits=Limits(drain_s=1), door=door) as server,
            connected(server.url) as one,
            connected(server.url) as two,
        ):
            await one.send(chat())
            first = await model.source()
            await two.send(chat())
            async with asyncio.timeout(30):
                while not server.app.admission.waiting:
                    await asyncio.sleep(0)
            _, out, _ = await top(server.url, env=env)
            assert "2 live, 1 waiting, " in out
            assert "queued" not in out  # nobody's turn has come after a wait
            _, out, _ = await top(server.url, "--json", "--once", env=env)
            assert json.loads(out)["waiting"] == 1
            whole(first, "one")
            await one.response()
            whole(await model.source(), "two")
            await two.response()
            _, out, _ = await top(server.url, env=env)
            assert "0 live, 0 waiting, " in out
            assert re.search(r"queued 1 for [\d.]+ m?s each\n$", out)  # it waited while `top` ran twice

    asyncio.run(main())


@pty_only
def test_a_terminal_shows_them_as_they_go(env: dict[str, str]) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            running_server(Models(model), limits=Limits(drain_s=1)) as server,
            headrace_in_terminal("top", server.url, "--interval-s", "0.1", env=env) as terminal,
        ):
            await terminal.until("0 live")
            async with connected(server.url) as client:
                await client.send(chat())
                source = await model.source()
                source.push(*BEGIN, TextDelta(0, "so"))
                _, headers = await client.head()
                await terminal.until(headers["x-headrace-stream-id"])
                await terminal.until("1 live")
                source.push(*END)
                source.end()
                await client.response_body()
            await terminal.until("0 live")
            terminal.type("\x03")
            assert await terminal.exit_code() == 130

    asyncio.run(main())


@pty_only
def test_a_server_that_went_away_is_waited_for(env: dict[str, str]) -> None:
    async def main() -> None:
        limits = Limits(drain_s=1)
        async with AsyncExitStack() as stack:
            async with running_server(Models(HandModel()), limits=limits) as server:
                port = int(server.url.rpartition(":")[2])
                in_terminal = headrace_in_terminal("top", server.url, "--interval-s", "0.1", env=env)
                terminal = await stack.enter_async_context(in_terminal)
                await terminal.until("0 live")
            await terminal.until("refused")
            async with running_server(Models(HandModel()), port=port, limits=limits) as server:
                async with asyncio.timeout(30):
                    while server.app.counters.requests < 2:
                        await asyncio.sleep(0.01)
                await terminal.until("0 live")
                terminal.type("\x03")
                assert await terminal.exit_code() == 130

    asyncio.run(main())


STREAM = {
    "id": f"s{EVIL}",
    "status": "running",
    "model": f"m{EVIL}",
    "protocol": EVIL,
    "figures": {"ttft_s": 0.25},
}
ANSWERS = {
    "/health": {"version": EVIL, "live": 1, "counters": {"answers": 7, "finished": EVIL, EVIL: 1}},
    "/v1/streams": {"data": [STREAM]},
}


async def _answer(peer: Peer) -> None:
    while True:
        try:
            head, _ = await peer.request()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        if b"authorization: Bearer the-right-key\r\n" not in head:
            said = json.dumps({"error": {"message": head.decode()}}).encode()
            peer.write(b"HTTP/1.1 401 No\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))
            continue
        body = json.dumps(ANSWERS[head.split()[1].decode()]).encode()
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


def test_nothing_of_a_server_steers_the_terminal_and_a_key_is_sent(env: dict[str, str]) -> None:
    async def main() -> None:
        async with loopback(_answer) as server:
            url = f"http://127.0.0.1:{server.port}"
            code, out, err = await top(url, "--once", env={**env, "MINE": "the-right-key"})
            assert code == 1
            assert f"{url} needs a key: put it into HEADRACE_API_KEY" in err
            code, out, err = await top(url, "--key-env", "MINE", env={**env, "MINE": "the-wrong-key"})
            assert code == 1
            assert f"{url} does not take the key in MINE" in err
            assert "the-wrong-key" not in err
            code, out, err = await top(url, "--key-env", "MINE", env={**env, "MINE": "the-right-key"})
            assert (code, err) == (0, "")
            assert f"s{SHOWN}" in out
            assert "250 ms" in out
            assert "answers 7\n" in out
            assert not [char for char in out if not char.isprintable() and char != "\n"]
            code, out, err = await top(
                url, "--json", "--once", env={**env, "HEADRACE_API_KEY": "the-right-key"}
            )
            assert code == 0
            assert "\x1b" not in out
            assert json.loads(out)["streams"][0]["model"] == f"m{EVIL}"

    asyncio.run(main())


async def _no_headrace(peer: Peer) -> None:
    await peer.request()
    peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")


def test_what_is_no_server_of_ours_is_one_line_and_1(env: dict[str, str]) -> None:
    async def main() -> None:
        async with loopback(_no_headrace) as server:
            code, out, err = await top(f"http://127.0.0.1:{server.port}", env=env)
        assert (code, out) == (1, "")
        assert "no Headrace server" in err
        assert err.count("\n") == 1

    asyncio.run(main())


def test_where_nobody_listens_and_what_is_no_address(env: dict[str, str], tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "headrace.toml").write_text("[server]\nport = 1\n")
        configured = {**env, "HEADRACE_CONFIG": str(tmp_path / "headrace.toml")}
        code, _, err = await top("--once", env=configured)
        assert code == 1
        assert "127.0.0.1:1" in err
        code, _, err = await top("ftp://localhost", "--once", env=env)
        assert code == 2
        assert "http://" in err

    asyncio.run(main())
