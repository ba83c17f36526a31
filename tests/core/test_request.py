"""Settings are clamped, presets are inside their own ranges, messages read as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.message import ImagePart, TextPart, assistant, system, user
from headrace.core.request import PRESETS, RANGES, GenerationSettings

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-(10**6), 10**6)


@given(st.dictionaries(st.sampled_from(sorted(RANGES)), NUMBERS))
def test_clamped_settings_lie_in_their_ranges(values: dict[str, float]) -> None:
    clamped = GenerationSettings(**values).clamped()
    for name, (low, high) in RANGES.items():
        value = getattr(clamped, name)
        assert value is None or low <= value <= high
        if name in values and low <= values[name] <= high:
            assert value == values[name]


@pytest.mark.parametrize(("given_", "kept"), [(3.5, 2.0), (-1, 0), (0.4, 0.4)])
def test_temperature_moves_to_the_nearer_end(given_: float, kept: float) -> None:
    assert GenerationSettings.make(temperature=given_).temperature == kept


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_need_no_clamping(name: str) -> None:
    assert GenerationSettings.preset(name) == GenerationSettings.preset(name).clamped()  # type: ignore[arg-type]


def test_stop_may_be_one_text() -> None:
    assert GenerationSettings.make(stop="END").stop == ("END",)
    assert GenerationSettings.make(stop=["a", "b"]).stop == ("a", "b")


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(TypeError, match="temprature"):
        GenerationSettings.make(temprature=1)


def test_messages_read_as_text() -> None:
    assert system("be brief").role == "system"
    assert user([TextPart("a"), ImagePart(url="x"), TextPart("b")]).text == "ab"
    assert assistant("ok").parts == (TextPart("ok"),)
