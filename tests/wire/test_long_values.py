"""What one protocol's clients say at length is cut where another protocol's provider cannot take it, too."""

from __future__ import annotations

import pytest
from tests.wire.test_conformance import CASES

from headrace.errors import RequestError
from headrace.framing.multipart import FormPart, encode_form
from headrace.testing.conformance.asking import MAX_SAID_CHARS, swollen
from headrace.testing.conformance.tolerance import as_json
from headrace.wire import WIRES, wire_named
from headrace.wire.kept import MAX_WARNINGS, left_out, only_here, warn, warn_each
from headrace.wire.openai_audio import WIRE as AUDIO
from headrace.wire.plain import read_plain

PAIRS = {
    f"{case.name or case.wire.name} to {name}": (case, wire_named(name))
    for case in CASES
    if case.served is not None and case.served is not AUDIO.front  # whose bodies are forms
    for name in WIRES
    if name != case.wire.name
}


@pytest.mark.parametrize(("case", "wire"), PAIRS.values(), ids=PAIRS)
def test_between_two_protocols(case, wire) -> None:
    assert case.served is not None
    for asked in case.asked[:2]:
        for where, body in swollen(read_plain(asked.body)):
            try:
                parsed = case.served.parse(as_json(body), asked.path)
                said = wire.build(parsed.request, {}).warnings
            except RequestError as error:
                said = (error.message, error.field)
            assert max(map(len, said), default=0) <= MAX_SAID_CHARS, where


@pytest.mark.parametrize(
    "name", ["response_format", "temperature", "stream", "include[]", "timestamp_granularities[]", "language"]
)
def test_a_forms_fields(name: str) -> None:
    long = "A" * 1_000_000
    assert AUDIO.front is not None
    fields = [FormPart("file", b"RIFF", "a.wav"), FormPart("model", b"m")]
    for extra in (FormPart(name, long.encode()), FormPart(long, b"x")):
        body, content_type = encode_form([*fields, extra])
        try:
            said = AUDIO.front.parse(body, {"content_type": content_type}).warnings
        except RequestError as error:
            said = (error.message, error.field)
        assert max(map(len, said), default=0) <= MAX_SAID_CHARS


def test_a_name_is_cut_and_the_reason_is_not() -> None:
    name = "n" * 1000
    for said in (left_out(name, "gemini"), only_here(name)):
        assert said.startswith("n" * 64 + "... ")
        assert said.endswith("protocol")


def test_very_many_warnings_are_told_as_such() -> None:
    warnings: list[str] = []
    warn_each(warnings, (f"x{number} was left out" for number in range(100_000)))
    assert len(warnings) == MAX_WARNINGS + 1
    assert warnings[MAX_WARNINGS - 1] == f"x{MAX_WARNINGS - 1} was left out"
    assert "there is more" in warnings[-1]
    warn(warnings, "one more")
    assert len(warnings) == MAX_WARNINGS + 1


def test_what_was_said_already_is_no_more() -> None:
    warnings = [f"x{number}" for number in range(MAX_WARNINGS)]
    warn_each(warnings, list(warnings))
    assert len(warnings) == MAX_WARNINGS
