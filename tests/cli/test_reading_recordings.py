"""What the commands that read recordings do alike: pipes that fill, readers that go, terminals."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.recorded import HELLO, event, sse

from headrace.cli.recordings import write_out
from headrace.framing.eventstream import encode_message

COMMANDS = {
    "decode": ["decode", "--wire", "openai_chat"],
    "convert": ["convert", "--from", "openai_chat", "--to", "ollama"],
}


def argv(command: str) -> list[str]:
    return [sys.executable, "-m", "headrace", *COMMANDS[command]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_is_read_while_it_fills(command: str) -> None:
    with subprocess.Popen(argv(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sse(HELLO[:2], done=False))
        process.stdin.flush()
        while "Hé" not in process.stdout.readline().decode():
            pass  # printed although standard input is still open
        process.stdin.write(sse(HELLO[2:]))
        process.stdin.close()
        last = json.loads(process.stdout.read().splitlines()[-1])
        assert last.get("type") == "finish" or last["done"]
    assert process.returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_goes_away_is_no_traceback(command: str, tmp_path: Path) -> None:
    file = tmp_path / "long.sse"
    file.write_bytes(sse([event({"content": "x" * 50})] * 20_000))
    with subprocess.Popen(
        [*argv(command), str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


class Screen(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_nothing_of_a_binary_message_steers_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Screen(shown, encoding="utf-8"))
    message = encode_message({":event-type": "x\x1b[2J"}, b'{"text":"H\xc3\xa9"}')
    write_out(message + b"\xff\x9b\r\n")
    text = shown.getvalue().decode()
    assert "Hé" in text
    assert text.endswith("\r\n")
    assert [letter for letter in text[:-2] if not letter.isprintable()] == []
