"""What a configuration makes of the known rows, and rows of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.config import Clocks, load_config, parse_config
from headrace.errors import ConfigError
from headrace.providers import KNOWN, provider_rows
from headrace.providers.row import ProviderRow


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


def test_nor_does_its_second_key_or_its_path() -> None:
    moved = rows("[providers.google]\nbase_url = 'http://evil.example'")["google"]
    assert moved.key_names == ()
    assert rows("[providers.azure]\nbase_url = 'http://evil.example'")["azure"].key_names == ()
    own = rows("[providers.azure]\nbase_url_env = 'MINE'")["azure"]
    assert (own.key_names, own.shown_url, own.auth) == ((), "$MINE", "api-key")
    named = rows("[providers.google]\nbase_url = 'http://mine.example'\napi_key_env = 'MINE'")["google"]
    assert named.key_names == ("MINE",)
    same = rows(f"[providers.google]\nbase_url = '{KNOWN['google'].base_url}/'")["google"]
    assert same.key_names == KNOWN["google"].key_names


def test_a_key_named_for_a_local_server_is_needed_there() -> None:
    assert not rows("[providers.vllm]\napi_key_env = 'MINE'")["vllm"].key_optional


def test_an_address_of_ones_own_from_the_environment() -> None:
    row = rows("[providers.up]\nwire = 'tgi'\nbase_url_env = 'UP_URL'\napi_key_env = 'UP_KEY'")["up"]
    assert (row.wire, row.shown_url, row.key_names, row.auth) == ("tgi", "$UP_URL", ("UP_KEY",), "")


def test_another_wire_leaves_the_quirks_of_the_first_behind() -> None:
    row = rows("[providers.azure]\nwire = 'openai_responses'\nquirks.store = true")["azure"]
    assert (row.wire, row.quirks) == ("openai_responses", {"store": True})
    assert (row.base_url_env, row.auth, row.key_names) == (
        "AZURE_OPENAI_ENDPOINT",
        "api-key",
        ("AZURE_OPENAI_API_KEY",),
    )


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
    "two addresses": (
        "[providers.up]\nbase_url='http://x'\nbase_url_env = 'UP_URL'",
        3,
        "providers.up.base_url_env",
        "one of the two",
    ),
    "a quirk of another wire": (
        "[providers.up]\nwire='gemini'\nbase_url='http://x'\nquirks.sampling = ['top_k']",
        4,
        "providers.up.quirks.sampling",
        "known are thinking",
    ),
    "a word that a quirk does not take": (
        "[providers.anthropic]\nquirks.thinking = 'deep'",
        2,
        "providers.anthropic.quirks.thinking",
        "expected one of adaptive, budget, none",
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
