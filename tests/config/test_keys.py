"""API keys at rest: only digests are written, whole files only, and what was written is read again."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.config import parse_config
from headrace.config.keys import digest_of, new_key, read_keys, revoke_key
from headrace.config.load import keys_path
from headrace.errors import ConfigError, RequestError


def test_a_key_is_made_kept_as_a_digest_and_revoked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    id, key = new_key(path, name="lap", models=("a/*",), requests_per_minute=3)
    other, _ = new_key(path)
    assert key.startswith("hr-")
    assert len(key) > 40
    assert key not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = read_keys(path)
    assert set(kept) == {id, other}
    assert (kept[id].sha256, kept[id].name, kept[id].requests_per_minute) == (digest_of(key), "lap", 3)
    assert kept[id].created is not None
    revoke_key(path, id)
    assert [read_keys(path)[each].revoked for each in (id, other)] == [True, False]
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]  # nothing is left of the writing


def test_an_unknown_key_cannot_be_revoked(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="headrace keys list"):
        revoke_key(tmp_path / "keys.json", "key_0")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"keys": {"a": {}}}', '{"keys": {"a": {"sha256": "x"}}}', "\xff"]
)
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"keys\.json"):
        read_keys(path)
    with pytest.raises(ConfigError):
        new_key(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_keys_limits_and_queue_are_read_from_the_configuration() -> None:
    digest = "a" * 64
    settings = parse_config(
        f'[keys.lap]\nsha256 = "{digest}"\nexpires = 2027-01-01T00:00:00Z\nmodels = ["openai/*"]\n'
        "tokens_per_minute = 7\n[limits]\nmax_streams = 4\n[queue]\nmax_streams = 9\nmodels = { m = 2 }\n"
    )
    key = settings.keys["lap"]
    assert (key.sha256, key.models, key.tokens_per_minute) == (digest, ("openai/*",), 7)
    assert key.expires == datetime(2027, 1, 1, tzinfo=UTC)
    assert settings.limits.max_streams == 4
    assert (settings.queue.max_streams, settings.queue.models) == (9, {"m": 2})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys.a]\nname = "x"\n', "keys.a: sha256 is missing"),
        ('[keys.a]\nsha256 = "x"\n', r"line 2: keys\.a\.sha256: must be a SHA-256"),
        ("[limits]\nrequest_per_minute = 3\n", "did you mean requests_per_minute"),
        ("[queue]\nmax_streams = 0\n", "must be >= 1"),
        ('[streams]\nlog = "disk"\n', "line 2: streams.log: 'disk' is none of memory, sqlite, valkey, none"),
        ('[server]\ncompress = "gzip"\n', "server.compress: 'gzip' is none of off, bodies, all"),
        ('[server]\ncors_origins = ["example.com"]\n', "must be an origin"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_config(text)


def test_the_file_of_keys_is_beside_the_configuration() -> None:
    assert keys_path(parse_config("", source="/etc/x/headrace.toml")) == Path("/etc/x/headrace-keys.json")
    assert keys_path(parse_config('[server]\nkeys_file = "/k.json"\n')) == Path("/k.json")
