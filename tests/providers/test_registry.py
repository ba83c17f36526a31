"""The known rows, keys and addresses: what a call needs of a row."""

from __future__ import annotations

import pytest

from headrace.config import Secret
from headrace.errors import AuthError, ConfigError
from headrace.providers import KNOWN
from headrace.providers.quirks import checked_quirks
from headrace.providers.row import ProviderRow, base_url_of, key_of, request_headers
from headrace.transport.url import is_loopback, parse_url
from headrace.wire import wire_named


@pytest.mark.parametrize("name", KNOWN)
def test_known_rows_are_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = KNOWN[name]
    if row.base_url_env:
        monkeypatch.setenv(row.base_url_env, "https://mine.example")
    for variable in row.region_names:
        monkeypatch.setenv(variable, "eu-west-1")
    base_url = base_url_of(row)
    url = parse_url(base_url)
    assert row.name == name
    assert not base_url.endswith("/")
    assert url.tls or is_loopback(url.host)
    assert row.api_key_env or row.key_optional
    assert checked_quirks(row) == row.quirks


AZURE = KNOWN["azure"]


@pytest.mark.parametrize(
    "given",
    [
        "https://mine.openai.azure.com/",
        " https://mine.openai.azure.com",
        "https://mine.openai.azure.com/openai/v1/",
    ],
)
def test_an_address_of_the_environment(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", given)
    assert base_url_of(AZURE) == "https://mine.openai.azure.com/openai/v1"
    assert AZURE.shown_url == "$AZURE_OPENAI_ENDPOINT/openai/v1"


@pytest.mark.parametrize(("given", "code"), [("", "missing_base_url"), ("mine.example", "bad_base_url")])
def test_a_missing_address_names_its_variable(given: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", given)
    with pytest.raises(ConfigError, match="AZURE_OPENAI_ENDPOINT") as caught:
        base_url_of(AZURE)
    assert caught.value.code == code


BEDROCK = KNOWN["bedrock"]


def test_the_region_of_the_environment_is_a_part_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-west-1")
    assert base_url_of(BEDROCK) == "https://bedrock-runtime.us-gov-west-1.amazonaws.com"
    monkeypatch.setenv("AWS_REGION", " eu-west-1 ")
    assert base_url_of(BEDROCK) == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert BEDROCK.shown_url == "https://bedrock-runtime.$AWS_REGION.amazonaws.com"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "missing_region"),
        *((given, "bad_region") for given in ("evil.example/", "a@b", "EU", "-", "x#", "a b", "{}")),
    ],
)
def test_what_is_no_region_never_becomes_a_host(
    given: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", given)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ConfigError, match="AWS_REGION or AWS_DEFAULT_REGION") as caught:
        base_url_of(BEDROCK)
    assert caught.value.code == code


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


def test_the_second_variable_is_read_where_the_first_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ProviderRow("up", "openai_chat", "http://x", "FIRST", fallback_key_env="SECOND")
    monkeypatch.delenv("FIRST", raising=False)
    monkeypatch.setenv("SECOND", "two")
    assert key_of(row) == Secret("two")
    monkeypatch.setenv("FIRST", "one")
    assert key_of(row) == Secret("one")
    monkeypatch.delenv("FIRST")
    monkeypatch.delenv("SECOND")
    with pytest.raises(AuthError, match="FIRST or SECOND"):
        key_of(row)


def test_how_a_key_is_carried() -> None:
    chat = wire_named("openai_chat")
    row = ProviderRow("up", "openai_chat", "http://x", headers={"User-Agent": Secret("mine")})
    key = Secret("k")
    assert request_headers(row, chat, key, accept="a/b") == {
        "accept": "a/b",
        "user-agent": "mine",
        "authorization": "Bearer k",
    }
    other = ProviderRow("up", "openai_chat", "http://x", auth="Api-Key")
    assert request_headers(other, chat, key, accept="a/b")["api-key"] == "k"
    assert "authorization" not in request_headers(other, chat, key, accept="a/b")


def test_a_wires_own_way_and_a_rows_that_wins() -> None:
    gemini, anthropic = wire_named("gemini"), wire_named("anthropic")
    row = ProviderRow("up", "gemini", "http://x")
    key = Secret("k")
    assert request_headers(row, gemini, key, accept="a/b")["x-goog-api-key"] == "k"
    bearer = ProviderRow("up", "gemini", "http://x", auth="bearer")
    assert request_headers(bearer, gemini, key, accept="a/b")["authorization"] == "Bearer k"
    older = ProviderRow("up", "anthropic", "http://x", headers={"Anthropic-Version": Secret("2023-06-01")})
    assert request_headers(older, anthropic, key, accept="a/b")["anthropic-version"] == "2023-06-01"
