"""Which key a request brings, and whether it is a good one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from headrace.config.door import KeySettings
from headrace.config.keys import digest_of, new_key, revoke_key
from headrace.errors import ConfigError
from headrace.server.keys import Key, Keys, brought

GOOD = KeySettings(sha256=digest_of("good"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize("text", ["", "bad", "good ", "Good", "x" * 513, "\udc80", GOOD.sha256])
def test_what_is_no_key_is_none(text: str) -> None:
    assert Keys({"a": GOOD}).find(text) is None


def test_a_key_is_found_and_has_an_owner() -> None:
    owned = KeySettings(sha256=digest_of("owned"), owner="lab")
    keys = Keys({"a": GOOD, "b": owned})
    assert keys.find("good") == Key("a", GOOD)
    assert [key.owner for key in (keys.find("good"), keys.find("owned")) if key] == ["a", "lab"]
    assert keys
    assert not Keys({})


def test_two_digests_that_begin_alike_are_told_apart() -> None:
    alike = KeySettings(sha256=GOOD.sha256[:8] + "0" * 56)
    assert Keys({"alike": alike, "a": GOOD}).find("good") == Key("a", GOOD)


def test_revoked_and_expired_keys_are_none() -> None:
    clock = Clock()
    until = KeySettings(sha256=digest_of("until"), expires=datetime(2027, 1, 15, 8, 0))  # in UTC
    keys = Keys({"r": KeySettings(sha256=digest_of("gone"), revoked=True), "u": until}, now_s=clock)
    assert keys.find("gone") is None
    assert keys.find("until") is None  # 1,800,000,000 is 2027-01-15 08:00 UTC
    clock.now_s -= 1
    assert keys.find("until") is not None


def test_a_change_of_the_file_is_seen_within_a_second(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, path = Clock(), tmp_path / "keys.json"
    keys = Keys({"a": GOOD}, path, now_s=clock)
    id, key = new_key(path)
    assert keys.find(key) is None
    clock.now_s += 1
    assert keys.find(key) is not None
    revoke_key(path, id)
    clock.now_s += 1
    assert keys.find(key) is None
    _, other = new_key(path)
    clock.now_s -= 3600  # a clock that is set back
    assert keys.find(other) is not None
    path.write_text("{")
    os.utime(path, (1, 1))
    clock.now_s += 1
    assert keys.find(other) is not None  # a broken file takes nobody's key away
    assert "stay in force" in caplog.text
    path.unlink()
    clock.now_s += 1
    assert keys.find(other) is None  # nor does one that is gone leave any
    assert keys.find("good") is not None


def test_a_broken_file_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(ConfigError):
        Keys({}, tmp_path / "keys.json")


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        ({"authorization": "Bearer k"}, "", ["k"]),
        ({"authorization": "bearer  k "}, "", ["k"]),
        ({"authorization": "Basic k"}, "", []),
        ({"authorization": "Bearer"}, "", []),
        ({"x-api-key": "k"}, "", ["k"]),
        ({"x-goog-api-key": "k"}, "", ["k"]),
        ({}, "alt=sse&key=k%2D&key=l", ["k-"]),
        ({}, "monkey=k", []),
        ({"authorization": "Bearer a", "x-api-key": "b"}, "key=c", ["a", "b", "c"]),
        ({}, "", []),
    ],
)
def test_every_place_where_clients_put_it(headers: dict[str, str], query: str, found: list[str]) -> None:
    assert list(brought(headers, query)) == found


def test_models_by_name_and_pattern() -> None:
    key = Key("a", KeySettings(sha256="", models=("openai/*", "fast")))
    assert key.may_ask("openai/gpt-4o")
    assert key.may_ask("x", "fast")
    assert not key.may_ask("anthropic/openai/x")
    assert Key("a", KeySettings(sha256="")).may_ask("anything")
