"""What `headrace chat` does with standard input: pipes, files, sockets, and pipes nobody ever closes."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from headrace.cli import piped
from headrace.cli.chat import command
from headrace.cli.main import run


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "headrace.toml").write_text("")
    monkeypatch.setenv("HEADRACE_CONFIG", str(tmp_path / "headrace.toml"))
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Iterator[BinaryIO]:
    """The writing end of a pipe that is our stdin."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stdin, open(writing, "wb") as writer:
        monkeypatch.setattr("sys.stdin", stdin)
        yield writer


def ask(*args: str) -> int:
    return run(["chat", "-m", "sim/echo", "--no-stats", *args])


def test_a_pipe_that_never_begins_nor_ends_is_left_alone_and_said(
    writer: BinaryIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(piped, "WAIT_S", 0.01)
    assert ask("Hello") == 0
    shown = capsys.readouterr()
    assert shown.out == "Hello\n"
    assert shown.err == (
        "warning: nothing came on standard input in 0.01 s: asking without it"
        " (--stdin waits for it, --no-stdin does not look)\n"
    )


def test_no_stdin_does_not_even_look(
    writer: BinaryIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(piped, "is_piped", lambda: pytest.fail("looked"))
    writer.write(b"the next line of somebody's loop\n")
    writer.flush()
    assert ask("--no-stdin", "Hello") == 0
    assert capsys.readouterr() == ("Hello\n", "")
    assert sys.stdin.readline() == "the next line of somebody's loop\n"


def test_no_stdin_and_no_prompt_is_nothing_to_ask(
    writer: BinaryIO, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("--no-stdin") == 2
    assert "nothing to ask" in capsys.readouterr().err


@pytest.mark.parametrize("args", [["--stdin", "Say:"], ["-"], ["--stdin"], []], ids=" ".join)
def test_where_stdin_is_asked_for_no_clock_runs(
    args: list[str], writer: BinaryIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("select.select", lambda *_: pytest.fail("a limit in time"))
    with writer:
        writer.write(b"Hello\n")
    assert ask(*args) == 0
    assert capsys.readouterr() == ("Say:\n\nHello\n" if "Say:" in args else "Hello\n", "")


@pytest.mark.parametrize("kind", ["a file", "a socket"])
def test_other_things_on_stdin_are_read_too(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if kind == "a file":
        (tmp_path / "notes").write_text("Notes\n")
        stdin = (tmp_path / "notes").open(encoding="utf-8")
    else:
        ours, theirs = socket.socketpair()
        with theirs, ours:
            theirs.sendall(b"Notes\n")
            stdin = open(os.dup(ours.fileno()), encoding="utf-8")  # noqa: SIM115
    with stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert ask("Say:") == 0
    assert capsys.readouterr() == ("Say:\n\nNotes\n", "")


def test_the_help_tells_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.help is not None
    assert f"a pipe has {piped.WAIT_S:g} seconds" in command.help
