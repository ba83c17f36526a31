"""The fuzz targets without the fuzzer: every seed, every old finding, seeds mutated in the same ways."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.corpus import SEEDS, WORDS
from tests.fuzz.targets import TARGETS, pack, unpack

FINDINGS = sorted((Path(__file__).parent / "findings").glob("*-*"))


def mutated(name: str, rng: Random) -> bytes:
    """A seed with a few words put in, bytes changed and parts dropped or doubled."""
    data = bytearray(rng.choice(SEEDS[name]))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.randint(0, 12))
        new = rng.choice(
            [
                rng.choice(WORDS[name]),
                rng.randbytes(rng.randint(0, 3)),
                data[at:to] * 2,
                b"",
                data[: rng.randint(0, 40)],
            ]
        )
        data[at:to] = new
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_seeds(name: str) -> None:
    rng = Random(20261121)
    for _ in range(700):
        data = mutated(name, rng)
        try:
            TARGETS[name](data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise


def test_old_findings() -> None:
    for path in FINDINGS:
        try:
            TARGETS[path.name.partition("-")[0]](path.read_bytes())
        except Exception as error:
            error.add_note(f"input: {path}")
            raise


def test_an_input_is_cuts_and_a_stream() -> None:
    assert unpack(pack(b"abcd", b"\x40\x80")) == (b"abcd", [b"a", b"b", b"cd"])
    assert unpack(b"") == (b"", [b""])
    assert unpack(b"\x07\x01") == (b"", [b"", b""])
