"""headrace.toml: what may stand in it, and how errors point at the line."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import msgspec
import pytest

from headrace.config import Clocks, Secret, config_path, line_in, load_config, parse_config
from headrace.errors import ConfigError

WHOLE = """
[providers.up]
wire = "openai_chat"
base_url = "https://up.example/v1"
api_key_env = "UP_KEY"
auth = "x-api-key"
headers = { "x-team" = "blue" }
models = ["gpt-4o"]
ca_file = "ca.pem"
quirks.no_stream_options = true

[providers.up.clocks]
idle_s = 3

[aliases]
fast = "up/gpt-4o"

[server]
host = "0.0.0.0"
port = 9000
max_body_bytes = 1000
keepalive_after_s = 2.5

[clocks]
total_s = 60

[local.mine]
path = "~/mine.gguf"
n_ctx = 4096
threads = 4
parallel = 2
"""


def test_everything_that_can_be_set() -> None:
    settings = parse_config(WHOLE, source="h.toml")
    up = settings.providers["up"]
    assert (up.wire, up.base_url, up.api_key_env, up.auth) == (
        "openai_chat",
        "https://up.example/v1",
        "UP_KEY",
        "x-api-key",
    )
    assert up.headers == {"x-team": Secret("blue")}
    assert (up.models, up.ca_file, up.quirks) == (("gpt-4o",), "ca.pem", {"no_stream_options": True})
    assert up.clocks.over(settings.clocks) == Clocks(idle_s=3, total_s=60)
    assert settings.aliases == {"fast": "up/gpt-4o"}
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9000)
    assert settings.server.limits() == {"max_body_bytes": 1000, "keepalive_after_s": 2.5}
    mine = settings.local["mine"]
    assert (mine.path, mine.n_ctx, mine.threads, mine.parallel) == ("~/mine.gguf", 4096, 4, 2)
    assert settings.source == "h.toml"


def test_nothing_set_is_the_defaults() -> None:
    settings = parse_config("")
    assert settings.providers == settings.aliases == settings.local == {}
    assert settings.clocks == Clocks()
    assert settings.server.limits() == {}


BAD = {
    "unknown section": ("\n[servr]\nport = 1", 2, "servr", "did you mean server?"),
    "unknown field": ("[server]\nhost = 'x'\nprot = 1", 3, "server.prot", "did you mean port?"),
    "unknown field of a provider": (
        "[providers.up]\nbase_url = 'http://x'\napi_key_evn = 'A'",
        3,
        "providers.up.api_key_evn",
        "did you mean api_key_env?",
    ),
    "unknown field deeper": (
        "[providers.up.clocks]\nidel_s = 1",
        2,
        "providers.up.clocks.idel_s",
        "did you mean idle_s?",
    ),
    "deeper, dotted": (
        "[providers.up]\nclocks.idel_s = 1",
        2,
        "providers.up.clocks.idel_s",
        "did you mean idle_s?",
    ),
    "deeper, inline": (
        "[providers]\n\nup = { clocks = { idel_s = 1 } }",
        3,
        "providers.up.clocks.idel_s",
        "idle_s",
    ),
    "wrong type": ('[server]\nport = "80"', 2, "server.port", "expected int, not str"),
    "out of range": ("[server]\n\nport = 70000", 3, "server.port", "65535"),
    "negative clock": ("[clocks]\nidle_s = -1", 2, "clocks.idle_s", "> 0"),
    "no URL": (
        '[providers.up]\nbase_url = "up.example"',
        2,
        "providers.up.base_url",
        "must begin with http:// or https://",
    ),
    "key is no text": ("[providers.up]\n\napi_key = 5", 3, "providers.up.api_key", "expected text"),
    "header is no text": ("[providers.up]\nheaders = { a = 5 }", 2, "providers.up.headers", "expected text"),
    "missing field": ("[local.mine]\nn_ctx = 1", 1, "local.mine", "path"),
    "a table is wanted": ("[providers]\nup = 3", 2, "providers.up", "expected a table"),
    "section is no table": ("server = 3", 1, "server", "expected a table"),
    "alias is no text": ("[aliases]\nfast = 3", 2, "aliases.fast", "id of a model"),
    "bad name": ('[providers."a/b"]\nbase_url = "http://x"', 1, "providers.a/b", "a name is"),
    "reserved name": ("[providers.local]\nbase_url = 'http://x'", 1, "providers.local", "this machine"),
    "bad TOML": ("[server]\nport = = 1", 2, "", "Invalid value"),
    "bad TOML at the end": ('[server]\nhost = "x', 2, "", "line 2"),
    "behind a text of many lines": (
        '[aliases]\na = """\n[server]\nport = 1\n"""\nb = 3',
        6,
        "aliases.b",
        "id of",
    ),
    "behind a list of many lines": (
        "[providers.up]\nmodels = [\n 'a', # ]\n 'b]',\n]\nwier = 1",
        6,
        "providers.up.wier",
        "wire",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_file_line_and_field(name: str) -> None:
    text, line, field, why = BAD[name]
    with pytest.raises(ConfigError) as caught:
        parse_config(text, source="h.toml")
    error = caught.value
    assert (error.source, error.line, error.field) == ("h.toml", line, field)
    assert f"h.toml, line {line}: " in error.message
    assert why in error.message


@pytest.mark.parametrize(
    "text",
    [
        '[providers.up]\napi_key = ["sk-geheim"]',
        "[providers.up]\napi_key = { sk-geheim = 1 }",
        '[providers.up]\napi_key = "sk-geheim"\nwire = 3',
        '[providers.up]\nheaders = { x = "sk-geheim", y = 3 }',
    ],
)
def test_no_error_quotes_a_key(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    shown = f"{caught.value!r}{caught.value.details()}{caught.value.__cause__!r}"
    assert "geheim" not in shown


def test_a_key_in_the_file_is_sealed() -> None:
    settings = parse_config('[providers.up]\napi_key = "sk-geheim"\nheaders = { x = "sk-geheim" }')
    key = settings.providers["up"].api_key
    assert key is not None
    assert key.reveal() == "sk-geheim"
    for shown in (repr(settings), str(settings), str(key), f"{key}", repr({"k": key})):
        assert "geheim" not in shown
    for encode in (msgspec.json.encode, msgspec.to_builtins, json.dumps, pickle.dumps, copy.deepcopy):
        with pytest.raises((TypeError, msgspec.ValidationError)):
            encode(settings.providers["up"])


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any configuration."""
    monkeypatch.delenv("HEADRACE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def write(path: Path, port: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[server]\nport = {port}\n")
    return path


def test_the_search_in_its_order(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    assert load_config().server.port == 8787
    write(Path(platformdirs.user_config_dir("headrace")) / "headrace.toml", 1)
    assert load_config().server.port == 1
    write(Path("headrace.toml"), 2)
    assert load_config().server.port == 2
    monkeypatch.setenv("HEADRACE_CONFIG", str(write(nowhere / "env.toml", 3)))
    assert load_config().server.port == 3
    explicit = write(nowhere / "explicit.toml", 4)
    assert load_config(explicit).server.port == 4
    assert config_path(explicit) == explicit
    assert load_config(explicit).source == str(explicit)


def test_a_named_file_must_exist(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"no file nope\.toml$"):
        load_config("nope.toml")
    monkeypatch.setenv("HEADRACE_CONFIG", "gone.toml")
    with pytest.raises(ConfigError, match=r"\(\$HEADRACE_CONFIG\)"):
        load_config()


def test_a_file_that_is_not_text(nowhere: Path) -> None:
    Path("headrace.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config()


def test_a_line_can_be_asked_for_later(nowhere: Path) -> None:
    Path("headrace.toml").write_text("[providers.up]\nbase_url = 'http://x'\nwire = 'x'\n")
    assert line_in("headrace.toml", ("providers", "up", "wire")) == 3
    assert line_in("headrace.toml", ("providers", "up", "nothing")) == 1
    assert line_in("gone.toml", ("server",)) == 0


def test_the_servers_bounds_have_the_servers_names() -> None:
    from dataclasses import fields

    from headrace.config import ServerSettings
    from headrace.server.limits import Limits

    bounds = set(ServerSettings.__struct_fields__) - {"host", "port", "keys_file", "cors_origins", "compress"}
    assert bounds == {field.name for field in fields(Limits)}


def test_a_named_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "headrace.toml"
    file.write_text('[providers.up]\nbase_url = "https://up.example"\nca_file = "/no/such.pem"\n')
    with pytest.raises(ConfigError, match="there is no file /no/such") as caught:
        load_config(file)
    assert (caught.value.line, caught.value.field) == (3, "providers.up.ca_file")
