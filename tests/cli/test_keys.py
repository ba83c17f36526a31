"""`headrace keys`: made, shown once, listed, revoked; and a server that asks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace.cli.main import headrace
from headrace.config.keys import digest_of, read_keys


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "headrace.toml"
    path.write_text("")
    return str(path)


def keys(*args: str, config: str) -> tuple[str, str]:
    """What it wrote on stdout and stderr."""
    done = CliRunner().invoke(headrace, ["keys", args[0], "--config", config, *args[1:]])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_a_key_is_printed_once_and_listed_by_its_id(config: str) -> None:
    out, told = keys(
        "new", "--name", "lap", "--model", "a/*", "--priority", "2", "--expires", "2030-01-31", config=config
    )
    key, id = out.strip(), told.split()[0]
    assert read_keys(Path(config).with_name("headrace-keys.json"))[id].sha256 == digest_of(key)
    listed, _ = keys("list", config=config)
    assert key not in listed
    assert all(word in listed for word in (id, "lap", "a/*", "2030-01-31", "good"))
    facts = json.loads(keys("list", "--json", config=config)[0])
    assert (facts["id"], facts["priority"], facts["models"]) == (id, 2, ["a/*"])
    keys("revoke", id, config=config)
    assert "revoked" in keys("list", config=config)[0]


def test_an_expired_one_says_so(config: str) -> None:
    Path(config).write_text(f'[keys.old]\nsha256 = "{"a" * 64}"\nexpires = 2020-01-01T00:00:00Z\n')
    assert "expired" in keys("list", config=config)[0]


def test_none_is_made_that_has_expired_already(config: str) -> None:
    done = CliRunner().invoke(headrace, ["keys", "new", "--config", config, "--expires", "2020-01-01"])
    assert done.exit_code == 2
    assert "2020-01-01 00:00:00 UTC has passed already" in done.stderr
    assert not Path(config).with_name("headrace-keys.json").exists()


def test_the_configurations_own_are_listed_too(config: str) -> None:
    Path(config).write_text(f'[keys.mine]\nsha256 = "{"a" * 64}"\n')
    assert "mine" in keys("list", config=config)[0]
