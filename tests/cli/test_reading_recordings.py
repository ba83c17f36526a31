"""What the commands that read recordings do alike: pipes that fill, readers that go, terminals."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.recorded import HELLO, event, sse

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
