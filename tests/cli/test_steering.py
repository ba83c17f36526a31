"""Nothing that came from outside steers the terminal: answers, errors, warnings, model names, JSON, logs."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from headrace.cli.serve import _log_to_stderr
from headrace.cli.terminal import clean, clean_json, one_line
from headrace.testing.loopback import Peer, loopback

pty_only = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
if sys.platform != "win32":
    from tests.cli.terminal import headrace_in_terminal

STEERS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"]
STEERS += [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
EVIL = "\x1b]0;PWN\x07\x1b[2J\x9b31m\u202eevil\u2066"
SHOWN = "]0;PWN[2J31mevil"


@pytest.mark.parametrize("char", STEERS, ids=lambda char: f"U+{ord(char):04X}")
def test_what_steers_is_removed_or_escaped(char: str) -> None:
    assert clean(f"a{char}b") == "ab"
    line = json.dumps({"name": f"a{char}b"}, ensure_ascii=False)
    shown = clean_json(line)
    assert char not in shown
    assert json.loads(shown) == json.loads(line)


@pytest.mark.parametrize("text", ["tab\tand\nline", "naïve 🦔 日本", "שלום\u200f!", "👩‍👩‍👧"])
def test_what_does_not_stays(text: str) -> None:
    assert clean(text) == text
    assert clean_json(text) == text


def test_one_line_is_one_line() -> None:
    assert one_line(f" first\r\n\x85second\u2028{EVIL} ") == f"first second {SHOWN}"


def answered(kind: str) -> bytes:
    def sse(event: dict) -> bytes:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        return head + b"data: " + json.dumps(event).encode() + b"\n\ndata: [DONE]\n\n"

    match kind:
        case "a refusal over HTTP":
            body = json.dumps({"error": {"message": EVIL}}).encode()
            return b"HTTP/1.1 400 No\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + body
        case "an error inside the stream":
            return sse({"error": {"message": EVIL}})
        case "reasoning":
            delta = {"reasoning_content": EVIL, "content": "ok"}
        case "a refusal":
            delta = {"refusal": EVIL}
        case _:
            delta = {"content": EVIL}
    return sse({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]})


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "headrace.toml").write_text("")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "HEADRACE_CONFIG": str(tmp_path / "headrace.toml"),
        "TERM": "dumb",  # no escape sequence of our own: what is there came from outside
        "no_proxy": "*",
    }


async def shown_by(*args: str, env: dict[str, str]) -> str:
    async with headrace_in_terminal(*args, env=env) as terminal:
        await terminal.exit_code()
        return terminal.shown


def assert_harmless(shown: str) -> None:
    assert not [char for char in STEERS if char in shown.replace("\r\n", "\n")], repr(shown)


KINDS = ["an answer", "a refusal", "a refusal over HTTP", "an error inside the stream"]


@pty_only
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("session", [False, True], ids=["one shot", "conversation"])
def test_a_provider_cannot_steer_the_terminal(kind: str, session: bool, env: dict[str, str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(answered(kind))

    async def main() -> str:
        async with loopback(script) as server:
            Path(env["HEADRACE_CONFIG"]).write_text(
                f'[providers.up]\nwire = "openai_chat"\nbase_url = "{server.url}"\nauth = "none"\n'
            )
            if not session:
                return await shown_by("chat", "-m", "up/any", "hi", env=env)
            async with headrace_in_terminal("chat", "-m", "up/any", env=env) as terminal:
                await terminal.until("> ")
                terminal.type("hi\r")
                await terminal.until("> ")
                terminal.type("\x04")
                assert await terminal.exit_code() == 0
                return terminal.shown

    shown = asyncio.run(main())
    assert SHOWN in shown
    assert_harmless(shown)


@pty_only
def test_reasoning_cannot_steer_either(env: dict[str, str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(answered("reasoning"))

    async def main() -> str:
        async with loopback(script) as server:
            Path(env["HEADRACE_CONFIG"]).write_text(
                f'[providers.up]\nwire = "openai_chat"\nbase_url = "{server.url}"\nauth = "none"\n'
            )
            return await shown_by("chat", "-m", "up/any", "hi", env={**env, "TERM": "xterm"})

    shown = asyncio.run(main())
    assert f"\x1b[2m{SHOWN}\x1b[0m" in shown
    assert_harmless(shown.replace("\x1b[2m", "").replace("\x1b[0m", ""))


@pty_only
@pytest.mark.parametrize("args", [["models"], ["models", "--json"]], ids=["table", "json"])
def test_a_model_name_cannot_steer_the_terminal(args: list[str], env: dict[str, str]) -> None:
    Path(env["HEADRACE_CONFIG"]).write_text(
        f'[providers.up]\nbase_url = "http://127.0.0.1:1/v1"\nmodels = [{json.dumps(EVIL)}]\n'
    )
    env["COLUMNS"] = "200"
    shown = asyncio.run(shown_by(*args, env=env))
    assert "PWN" in shown
    assert_harmless(shown)


@pty_only
@pytest.mark.parametrize("final", [[], ["--final"]], ids=["stream", "final"])
@pytest.mark.parametrize(
    "command", ["decode --wire openai_chat", "convert --from openai_chat --to ollama_generate"]
)
def test_a_recording_cannot_steer_the_terminal(
    command: str, final: list[str], env: dict[str, str], tmp_path: Path
) -> None:
    event = {"id": "c", "choices": [{"index": 0, "delta": {"content": EVIL}, "finish_reason": "stop"}]}
    (tmp_path / "evil.sse").write_text(f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n")
    shown = asyncio.run(shown_by(*command.split(), *final, str(tmp_path / "evil.sse"), env=env))
    assert_harmless(shown)
    lines = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]
    assert EVIL in [line.get("text", line.get("response")) for line in lines]


def test_a_log_line_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    root, access = logging.getLogger(), logging.getLogger("headrace.access")
    before = root.handlers[:], access.handlers[:], access.propagate, access.level, root.level
    root.handlers.clear()
    try:
        _log_to_stderr(access=True, streams=False)
        logging.getLogger("headrace.runners").warning("%s died", EVIL)
        access.info("%s", json.dumps({"path": EVIL}, ensure_ascii=False))
    finally:
        root.handlers[:], access.handlers[:], access.propagate = before[:3]
        access.setLevel(before[3])
        root.setLevel(before[4])
    warning, line = capsys.readouterr().err.splitlines()
    assert warning == f"headrace.runners: {SHOWN} died"
    assert json.loads(line) == {"path": EVIL}
    assert_harmless(line)
