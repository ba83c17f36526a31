"""Odd standard streams: closed ones, encodings that cannot say it, bytes that are no text."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.testing.loopback import Peer, loopback

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a shell that closes streams")
DONE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "headrace.toml").write_text("")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "HEADRACE_CONFIG": str(tmp_path / "headrace.toml"),
        "no_proxy": "*",
    }


def headrace(
    *args: str | bytes, env: dict[str, str], stdin: bytes = b"", closed: str = ""
) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-W", "error", "-m", "headrace", *args]
    if closed:
        argv = ["sh", "-c", f'exec "$@" {closed}', "sh", *argv]
    return subprocess.run(argv, env=env, input=stdin, capture_output=True, timeout=60)


@posix_only
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["chat", "models", "decode"])
def test_a_closed_output_is_as_good_as_the_null_device(
    command: str, closed: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "one.sse").write_text("data: [DONE]\n\n")
    args = {
        "chat": ["chat", "-m", "sim/echo", "hi"],
        "models": ["models"],
        "decode": ["decode", "--wire", "openai_chat", str(tmp_path / "one.sse")],
    }[command]
    done = headrace(*args, env=env, closed=closed)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    if command == "chat" and closed == "2>&-":
        assert done.stdout == b"hi\n"


@posix_only
def test_a_closed_stdin_is_nothing_to_ask(env: dict[str, str]) -> None:
    done = headrace("chat", "-m", "sim/echo", env=env, closed="<&-")
    assert done.returncode == 2
    assert b"nothing to ask" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_what_the_encoding_cannot_hold_is_escaped(env: dict[str, str]) -> None:
    env |= {"PYTHONIOENCODING": "ascii"}
    done = headrace("chat", "-m", "sim/echo", "héé 日 😀", env=env)
    assert (done.stdout, done.returncode) == (b"h\\xe9\\xe9 \\u65e5 \\U0001f600\n", 0), done.stderr
    assert b"Traceback" not in done.stderr


def test_an_error_is_said_in_any_encoding(env: dict[str, str]) -> None:
    done = headrace("chat", "-m", "sim/écho", "hi", env=env | {"PYTHONIOENCODING": "ascii:strict"})
    assert done.returncode == 2
    assert b"sim/echo" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8:surrogateescape"])
def test_bytes_that_are_no_text_reach_the_model_as_replacement_characters(
    encoding: str, env: dict[str, str]
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(DONE)

    async def main() -> tuple[subprocess.CompletedProcess[bytes], list[str]]:
        async with loopback(script) as server:
            Path(env["HEADRACE_CONFIG"]).write_text(
                f'[providers.up]\nwire = "openai_chat"\nbase_url = "{server.url}"\nauth = "none"\n'
            )
            args = ["chat", "-m", b"up/an\xffy", "--system", b"s\xfe", b"a\xffb"]
            sent = await asyncio.to_thread(
                headrace, *args, env=env | {"PYTHONIOENCODING": encoding}, stdin=b"c\xfe\xffd"
            )
            (_, body) = server.requests[0]
            tree = json.loads(body)
            return sent, [tree["model"], *(message["content"] for message in tree["messages"])]

    done, said = asyncio.run(main())
    assert (done.stdout, done.returncode) == (b"ok\n", 0), done.stderr
    assert said == ["an\ufffdy", "s\ufffd", "a\ufffdb\n\nc\ufffd\ufffdd"]


PRINTING = {
    "a table": ["models"],
    "lines": ["models", "--json"],
    "the help": ["--help"],
    "a command's help": ["models", "pull", "--help"],
    "nothing asked": [],
    "the version": ["--version"],
    "an answer": ["chat", "-m", "sim/echo", "--no-stats", "hi"],
}


@posix_only
@pytest.mark.parametrize("name", PRINTING)
def test_a_reader_that_went_away_is_141_and_no_word(name: str, env: dict[str, str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    argv = [sys.executable, "-W", "error", "-m", "headrace", *PRINTING[name]]
    try:
        done = subprocess.run(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, timeout=60
        )
    finally:
        os.close(theirs)
    assert (done.stderr, done.returncode) == (b"", 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("name", PRINTING)
def test_a_full_disk_is_one_line_and_1(name: str, env: dict[str, str]) -> None:
    done = headrace(*PRINTING[name], env=env, closed=">/dev/full")
    assert (done.stderr, done.returncode) == (b"headrace: error: No space left on device\n", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_an_error_that_cannot_be_said_keeps_its_code(env: dict[str, str]) -> None:
    assert headrace("fly", env=env, closed="2>/dev/full").returncode == 2
