"""The frame: help, version, completion, and one line on stderr with an exit code for every error."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from headrace.cli.main import COMMANDS, exit_code_of, run
from headrace.cli.terminal import has_colour, paint
from headrace.errors import KINDS, AuthError, ConfigError, RequestError, RunnerError, UnknownModel
from headrace.runners.weights import ROWS
from headrace.wire import FRONTS, WIRES


def headrace(*args: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace", *args], capture_output=True, text=True, timeout=60, **kwargs
    )


def test_help_lists_every_command_with_its_own_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for name, (module, sentence) in COMMANDS.items():
        command = import_module(module).command
        assert command.name == name
        assert command.get_short_help_str(limit=200) == sentence
        assert f"{name} " in out
        assert sentence in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: headrace {name}" in capsys.readouterr().out


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; from headrace.cli.main import run; run(['--help']); "
        "print([m for m in sys.modules if m.split('.')[0] in ('rich', 'asyncio', 'httptools', 'uvicorn')"
        " or m.startswith('headrace.cli.') and m[13:] not in ('main', 'standard', 'terminal')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("headrace 0.")


USAGE_ERRORS = {
    "an unknown command": (["fly"], "No such command 'fly'"),
    "an unknown option": (["decode", "--wire", "openai_chat", "--fast"], "--fast"),
    "an unknown wire": (["decode", "--wire", "morse"], "'morse' is not"),
    "a missing file": (["decode", "--wire", "openai_chat", "no-such.sse"], "no-such.sse"),
    "a missing option": (["decode", "-"], "--wire"),
}


@pytest.mark.parametrize("name", USAGE_ERRORS)
def test_a_usage_error_is_one_line_and_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    args, said = USAGE_ERRORS[name]
    assert run(args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("headrace: error: ")
    assert said in captured.err


def test_exit_codes_tell_wrong_asking_from_failed_doing() -> None:
    assert [exit_code_of(kind("")) for kind in (RequestError, UnknownModel, ConfigError)] == [2, 2, 2]
    assert exit_code_of(AuthError("")) == 1
    assert exit_code_of(RunnerError("", code="E404")) == 2
    assert exit_code_of(RunnerError("", code="E500")) == 1
    assert {exit_code_of(kind("")) for kind in KINDS.values()} == {1, 2}


def test_the_console_script_exits_with_the_code() -> None:
    done = headrace("decode", "--wire", "openai_chat", "no-such.sse")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_of_that_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HEADRACE_COMPLETE={shell}_complete" in script


def test_completion_completes_commands_and_options(tmp_path: Path) -> None:
    assert completed("headrace de", tmp_path) == ["decode"]
    for option, names in (("decode --wire", WIRES), ("convert --from", WIRES), ("convert --to", FRONTS)):
        openai = [name for name in names if name.startswith("op")]
        assert completed(f"headrace {option} op", tmp_path) == openai
    assert completed("headrace convert --to ui", tmp_path) == ["ui_messages"]


class Stream:
    def __init__(self, tty: bool) -> None:
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@pytest.mark.parametrize(
    ("tty", "env", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_only_where_it_is_seen(
    tty: bool, env: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert has_colour(Stream(tty)) is coloured  # type: ignore[arg-type]


def test_only_a_style_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Stream(tty=True)
    assert paint("said", terminal) == "said"  # type: ignore[arg-type]
    assert paint("said", terminal, dim=True).startswith("\x1b[2m")  # type: ignore[arg-type]


def completed(line: str, tmp_path: Path) -> list[str]:
    words = line.split(" ")
    env = {
        "_HEADRACE_COMPLETE": "zsh_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "HEADRACE_HOME": str(tmp_path),
        "HEADRACE_CONFIG": str(tmp_path / "headrace.toml"),
    }
    done = headrace(env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[1::3] if done.stdout.strip() else []


def test_completion_completes_models(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text('[aliases]\nsimple = "sim/echo"\n')
    assert completed("headrace chat -m si", tmp_path) == ["sim/echo", "simple"]
    assert completed("headrace chat --model lo", tmp_path) == ["local", f"local/{ROWS[0].name}"]
    assert completed("headrace models pull sm", tmp_path) == [ROWS[0].name]
    (tmp_path / "headrace.toml").write_text("[broken")
    assert completed("headrace chat -m si", tmp_path) == []
