"""Rows as data: the known ones, and what a configuration makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.config import Clocks, Secret, load_config, parse_config
from headrace.errors import AuthError, ConfigError
from headrace.providers import KNOWN, provider_rows
from headrace.providers.quirks import QUIRKS, checked_quirks
from headrace.providers.row import ProviderRow, key_of, request_headers
from headrace.transport.url import is_loopback, parse_url
from headrace.wire import wire_named


@pytest.mark.parametrize("name", KNOWN)
def test_known_rows_are_whole(name: str) -> None:
    row = KNOWN[name]
    url = parse_url(row.base_url)
    assert row.name == name
    assert not row.base_url.endswith("/")
    assert wire_named(row.wire).name == row.wire
    assert url.tls or is_loopback(url.host)
    assert row.api_key_env or row.key_optional
    assert checked_quirks(row) == row.quirks
    wire_named(row.wire)


def test_every_quirk_is_one_that_the_wire_reads() -> None:
    source = "".join(
        path.read_text()
        for path in (Path(__file__).parents[2] / "src/headrace/wire/openai_chat").glob("*.py")
    )
    for quirk in QUIRKS["openai_chat"]:
        assert f'"{quirk}"' in source, quirk


def rows(text: str) -> dict[str, ProviderRow]:
    return provider_rows(parse_config(text, source="h.toml"))


def test_a_place_of_ones_own() -> None:
    row = rows(
        "[providers.up]\nbase_url = 'http://up.example/v1/'\napi_key_env = 'UP_KEY'\nca_file = 'x.pem'"
    )["up"]
    assert (row.wire, row.base_url, row.api_key_env, row.ca_file) == (
        "openai_chat",
        "http://up.example/v1",
        "UP_KEY",
        "x.pem",
    )


def test_a_known_place_changed_keeps_the_rest() -> None:
    row = rows("[clocks]\nidle_s = 9\n[providers.groq]\nclocks.total_s = 8\nquirks.no_developer_role = true")[
        "groq"
    ]
    assert row.base_url == KNOWN["groq"].base_url
    assert row.api_key_env == "GROQ_API_KEY"
    assert row.clocks == Clocks(idle_s=9, total_s=8)
    assert row.quirks == {**KNOWN["groq"].quirks, "no_developer_role": True}


def test_a_known_places_key_does_not_follow_to_another_address() -> None:
    assert rows("[providers.openai]\nbase_url = 'http://evil.example'")["openai"].api_key_env == ""
    named = rows("[providers.openai]\nbase_url = 'http://mine.example'\napi_key_env = 'MINE'")["openai"]
    assert named.api_key_env == "MINE"


def test_clocks_of_the_file_hold_for_known_places() -> None:
    assert rows("[clocks]\nidle_s = 9")["openai"].clocks.idle_s == 9


BAD = {
    "no base_url": (
        "[providers.up]\n\nwire = 'openai_chat'",
        1,
        "providers.up.base_url",
        "needs its base_url",
    ),
    "no such wire": (
        "[providers.up]\nbase_url='http://x'\nwire = 'x25'",
        3,
        "providers.up.wire",
        "openai_chat",
    ),
    "no such quirk": (
        "[providers.up]\nbase_url='http://x'\n[providers.up.quirks]\nno_stream_option = true",
        4,
        "providers.up.quirks.no_stream_option",
        "did you mean no_stream_options?",
    ),
    "type of a quirk": (
        "[providers.groq]\nquirks.drop = 'seed'",
        2,
        "providers.groq.quirks.drop",
        "expected a list of texts",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_errors_name_the_line(name: str, tmp_path: Path) -> None:
    text, line, field, why = BAD[name]
    path = tmp_path / "headrace.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        provider_rows(load_config(path))
    assert (caught.value.line, caught.value.field) == (line, field)
    assert why in caught.value.message
    assert str(path) in caught.value.message


def test_the_key_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ProviderRow("up", "openai_chat", "http://x", "UP_KEY")
    monkeypatch.delenv("UP_KEY", raising=False)
    with pytest.raises(AuthError, match="UP_KEY") as caught:
        key_of(row)
    assert (caught.value.code, caught.value.provider) == ("missing_api_key", "up")
    monkeypatch.setenv("UP_KEY", " sk-geheim\n")
    assert key_of(row) == Secret("sk-geheim")


def test_where_a_key_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert key_of(KNOWN["vllm"]) is None
    assert key_of(ProviderRow("up", "openai_chat", "http://x")) is None
    assert key_of(ProviderRow("up", "openai_chat", "http://x", "PATH", auth="none")) is None


def test_how_a_key_is_carried() -> None:
    row = ProviderRow("up", "openai_chat", "http://x", headers={"User-Agent": Secret("mine")})
    key = Secret("k")
    assert request_headers(row, key, accept="a/b") == {
        "accept": "a/b",
        "user-agent": "mine",
        "authorization": "Bearer k",
    }
    other = ProviderRow("up", "openai_chat", "http://x", auth="Api-Key")
    assert request_headers(other, key, accept="a/b")["api-key"] == "k"
    assert "authorization" not in request_headers(other, key, accept="a/b")
