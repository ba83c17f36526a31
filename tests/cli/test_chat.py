"""`headrace chat`: one shot, a pipe, a conversation in a real terminal, Ctrl-C."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.runners import store
from headrace.runners.weights import ROWS
from headrace.testing.loopback import Peer, loopback

pty_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
if sys.platform != "win32":
    from tests.cli.terminal import headrace_in_terminal

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "headrace.toml").write_text("")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "HEADRACE_CONFIG": str(tmp_path / "headrace.toml"),
        "TERM": "dumb",
        "no_proxy": "*",
    }


def chat(*args: str, env: dict[str, str], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "headrace", "chat", *args],
        env=env, capture_output=True, text=True, timeout=60, **given,
    )  # fmt: skip


ONE_SHOTS = {
    "a prompt": (["Hello there"], None, "Hello there\n"),
    "a pipe": ([], "Hello\nthere\n", "Hello\nthere\n"),
    "both, the prompt first": (["Say:"], "Hello\n", "Say:\n\nHello\n"),
    "an empty pipe beside a prompt": (["Hello"], "", "Hello\n"),
    "fewer tokens": (["--max-tokens", "1", "Hello there"], None, "Hello\n"),
    "any Unicode": (["naïve 🦔 日本"], None, "naïve 🦔 日本\n"),
}


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_one_shot(name: str, env: dict[str, str]) -> None:
    args, stdin, out = ONE_SHOTS[name]
    done = chat("--model", "sim/echo", *args, env=env, stdin=stdin)
    assert (done.stdout, done.returncode) == (out, 0), done.stderr
    assert "first token after" in done.stderr


def test_the_speed_can_be_left_out(env: dict[str, str]) -> None:
    assert chat("-m", "sim/echo", "--no-stats", "Hello", env=env).stderr == ""


def test_a_failure_is_one_line(env: dict[str, str]) -> None:
    row = ROWS[0]
    file = Path(env["HEADRACE_HOME"]) / "models" / row.name / row.file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"cut")
    done = chat("Hello", env=env)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "damaged" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_the_request_carries_every_option(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "person.json").write_text('{"type": "object"}')

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(HEAD + b"data: " + json.dumps(event("{}", "stop")).encode() + b"\n\ndata: [DONE]\n\n")

    async def main() -> dict:
        async with loopback(script) as server:
            configure(env, server.url)
            args = ["--system", "Be brief.", "--preset", "code", "--temperature", "0", "--max-tokens", "9",
                    "--seed", "3", "--json-schema", str(tmp_path / "person.json"), "Hello"]  # fmt: skip
            done = await asyncio.to_thread(chat, "-m", "up/any", *args, env=env)
            assert (done.stdout, done.returncode) == ("{}\n", 0), done.stderr
            (_, body) = server.requests[0]
            return json.loads(body)

    body = asyncio.run(main())
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    assert (body["temperature"], body["top_p"], body["seed"]) == (0, 0.9, 3)
    assert 9 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    schema = body["response_format"]["json_schema"]
    assert (schema["name"], schema["schema"]) == ("person", {"type": "object"})


def event(content: str, finish: str | None = None) -> dict:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def configure(env: dict[str, str], url: str) -> None:
    Path(env["HEADRACE_CONFIG"]).write_text(
        f'[providers.up]\nwire = "openai_chat"\nbase_url = "{url}"\nauth = "none"\n'
    )


WRONG = {
    "an unknown model": (["-m", "sim/ecko", "Hi"], 2, "sim/echo"),
    "nothing to ask": (["-m", "sim/echo"], 2, "PROMPT"),
    "a value out of range": (["-m", "sim/echo", "--temperature", "3", "Hi"], 2, "--temperature"),
    "a preset there is not": (["-m", "sim/echo", "--preset", "wild", "Hi"], 2, "creative"),
    "a schema that is no JSON": (["-m", "sim/echo", "--json-schema", "{toml}", "Hi"], 2, "headrace.toml"),
    "a key that is not set": (["-m", "openai/gpt-4o", "Hi"], 1, "OPENAI_API_KEY"),
    "nobody listens": (["-m", "up/any", "Hi"], 1, "127.0.0.1:1 refused"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_is_one_line_and_a_code(name: str, env: dict[str, str]) -> None:
    args, code, said = WRONG[name]
    configure(env, "http://127.0.0.1:1")
    args = [arg.replace("{toml}", env["HEADRACE_CONFIG"]) for arg in args]
    done = chat(*args, "--no-stats", env=env)
    assert (done.stdout, done.returncode) == ("", code), done.stderr
    assert done.stderr.startswith("headrace: error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_a_schema_too_deep_to_read_is_one_line_too(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    done = chat("-m", "sim/echo", "--json-schema", str(tmp_path / "deep.json"), "Hi", env=env)
    assert done.returncode == 2
    assert "deep.json" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_line_of_configuration_is_named(env: dict[str, str]) -> None:
    Path(env["HEADRACE_CONFIG"]).write_text("[server]\nport = 'x'\n")
    done = chat("-m", "sim/echo", "Hi", env=env)
    assert done.returncode == 2
    assert "line 2: server.port" in done.stderr
    assert done.stderr.count("\n") == 1


@pty_only
def test_a_conversation(env: dict[str, str]) -> None:
    async def main() -> None:
        async with headrace_in_terminal("chat", "-m", "sim/echo", env=env) as terminal:
            await terminal.until("> ")
            terminal.type("Good morning\r")
            await terminal.until("Good morning\r\nGood morning\r\n")
            await terminal.until("first token after")
            await terminal.until("> ")
            terminal.type("one \\\rtwo\r")
            await terminal.until("one \r\ntwo\r\n")
            await terminal.until("> ")
            terminal.type("/model nobody/x\r")
            await terminal.until("no model is called")
            terminal.type("/nonsense\r")
            await terminal.until("no command is called /nonsense")
            terminal.type("/reset\r")
            await terminal.until("forgotten")
            terminal.type("/help\r")
            await terminal.until("Ctrl-C stops an answer")
            await terminal.until("> ")
            await terminal.interrupted("> ")  # at an empty line: nothing happens
            terminal.type("\x04")
            assert await terminal.exit_code() == 0
            assert "Traceback" not in terminal.shown

    asyncio.run(main())
    kept = (Path(env["XDG_STATE_HOME"]) / "headrace" / "chat_history").read_text()
    assert "Good morning" in kept


@pty_only
def test_the_conversation_is_sent_and_reset(env: dict[str, str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(HEAD + b"data: " + json.dumps(event("yes", "stop")).encode() + b"\n\ndata: [DONE]\n\n")

    async def main() -> list[list[tuple[str, str]]]:
        async with loopback(script) as server:
            configure(env, server.url)
            async with headrace_in_terminal("chat", "-m", "up/any", "--no-stats", env=env) as terminal:
                for line in ("one", "two", "/reset", "three"):
                    await terminal.until("> ")
                    terminal.type(f"{line}\r")
                    await terminal.until("forgotten" if line == "/reset" else "yes")
                await terminal.until("> ")
                terminal.type("/quit\r")
                assert await terminal.exit_code() == 0
            bodies = [json.loads(body) for _, body in server.requests]
            return [[(m["role"], m["content"]) for m in body["messages"]] for body in bodies]

    one, two, three = asyncio.run(main())
    assert one == [("user", "one")]
    assert two == [("user", "one"), ("assistant", "yes"), ("user", "two")]
    assert three == [("user", "three")]


@pty_only
@pytest.mark.parametrize("first", ["", "part of an ans"], ids=["before the first token", "in the middle"])
def test_ctrl_c_stops_the_source_and_keeps_the_session(first: str, env: dict[str, str]) -> None:
    async def main() -> None:
        asked, gone = asyncio.Event(), asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(HEAD)
            if first:
                peer.write(b"data: " + json.dumps(event(first)).encode() + b"\n\n")
            asked.set()
            await peer.gone()
            gone.set()

        async with loopback(script) as server:
            configure(env, server.url)
            async with headrace_in_terminal("chat", "-m", "up/any", env=env) as terminal:
                await terminal.until("> ")
                terminal.type("go\r")
                async with asyncio.timeout(30):
                    await asked.wait()
                if first:
                    await terminal.until(first)
                terminal.type("\x03")
                await terminal.until("stopped")
                async with asyncio.timeout(30):
                    await gone.wait()  # the far end sees it: the source is really cancelled
                await terminal.until("> ")
                terminal.type("/model sim/echo\r")
                await terminal.until("sim/echo\r\n")
                await terminal.until("> ")
                terminal.type("still here?\r")
                await terminal.until("still here?\r\nstill here?\r\n")
                await terminal.until("> ")
                terminal.type("\x04")
                assert await terminal.exit_code() == 0
                assert "Traceback" not in terminal.shown

    asyncio.run(main())


@pty_only
def test_ctrl_c_ends_a_one_shot_with_130(env: dict[str, str]) -> None:
    async def main() -> None:
        async def script(peer: Peer) -> None:
            await peer.request()
            peer.write(HEAD + b"data: " + json.dumps(event("wait")).encode() + b"\n\n")
            await peer.gone()

        async with loopback(script) as server:
            configure(env, server.url)
            async with headrace_in_terminal("chat", "-m", "up/any", "go", env=env) as terminal:
                await terminal.until("wait")
                terminal.type("\x03")
                assert await terminal.exit_code() == 130
                assert "Traceback" not in terminal.shown

    asyncio.run(main())


@pty_only
def test_what_a_model_writes_cannot_move_the_cursor(env: dict[str, str]) -> None:
    async def main() -> str:
        args = ["chat", "-m", "sim/echo", "--no-stats", "a\x1b[2Jb\tc"]
        async with headrace_in_terminal(*args, env=env) as terminal:
            await terminal.until("c")
            assert await terminal.exit_code() == 0
            return terminal.shown

    assert "a[2Jb\tc" in asyncio.run(main())


@pty_only
@pytest.mark.real_model
def test_ctrl_c_stops_the_local_model_and_not_its_engine(env: dict[str, str]) -> None:
    # The real store's weights, but a history of the test's own.
    models = store.home() / "models"
    models.mkdir(parents=True, exist_ok=True)
    Path(env["HEADRACE_HOME"]).mkdir()
    (Path(env["HEADRACE_HOME"]) / "models").symlink_to(models)

    async def main() -> None:
        async with headrace_in_terminal("chat", "--seed", "1", "--max-tokens", "400", env=env) as terminal:
            await terminal.until("Ctrl-D to leave")
            await terminal.until("> ")
            terminal.type("Write a story of two thousand words about a river.\r")
            await terminal.until("river.\r\n")
            await terminal.until(" ")
            terminal.type("\x03")
            await terminal.until("stopped")
            await terminal.until("> ")
            terminal.type("Say hello.\r")
            await terminal.until("first token after")
            await terminal.until("> ")
            terminal.type("\x04")
            assert await terminal.exit_code() == 0
            assert "Traceback" not in terminal.shown

    asyncio.run(main())
