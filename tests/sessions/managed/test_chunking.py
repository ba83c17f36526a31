"""Pieces of text: nothing is lost, whatever the text; sizes stay in bounds; deltas hold what was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace import AdaptiveChunker, DeltaGenerator, TokenChunker
from headrace.testing.work import Work

TEXTS = st.text() | st.text(alphabet=" \t\n\r\u00a0\u3000\u200b\u200da1é😀👍🏽,.!日'", max_size=60)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("", []),
        (" \n\n", [" \n\n"]),
        ("a  b\n", ["a", "  b", "\n"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("ok \U0001f44d\U0001f3fd!", ["ok", " \U0001f44d\U0001f3fd", "!"]),
        (
            "\U0001f469\u200d\U0001f469\u200d\U0001f467 x",
            ["\U0001f469\u200d\U0001f469\u200d\U0001f467", " x"],
        ),
        ("x" * 130, ["x" * 64, "x" * 64, "xx"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert TokenChunker().tokenize(text) == tokens
    assert list(TokenChunker().each_token(text)) == tokens


@given(TEXTS)
def test_joining_tokens_gives_the_text_back(text: str) -> None:
    tokens = TokenChunker().tokenize(text)
    assert "".join(tokens) == text
    assert all(tokens)


@given(TEXTS, st.integers(1, 12), st.integers(0, 12))
def test_joining_chunks_gives_the_text_back(text: str, least: int, more: int) -> None:
    chunker = TokenChunker(least, least + more)
    chunks = chunker.chunk_text(text)
    assert "".join(chunks) == text
    sizes = [len(chunk) for chunk in chunker.chunk_tokens(chunker.tokenize(text))]
    assert all(size == least + more for size in sizes[:-1])
    assert not sizes[1:] or sizes[-1] >= least


def test_by_default_a_chunk_has_up_to_ten_tokens() -> None:
    assert TokenChunker().chunk_text("a b c d e f g h i j k") == ["a b c d e f g h i j", " k"]


def test_a_short_last_chunk_goes_with_the_one_before() -> None:
    assert TokenChunker(3, 4).chunk_text("a b c d e f") == ["a b c d e f"]
    assert TokenChunker(3, 4).chunk_text("a b") == ["a b"]


def test_tokens_cost_the_same_each_in_a_long_text() -> None:
    def units(count: int) -> int:
        with Work() as work:
            for _ in TokenChunker().each_token("word, " * count):
                pass
        return work.units

    assert units(4000) < 5 * units(1000)


@pytest.mark.parametrize(("least", "most"), [(0, 10), (5, 4)])
def test_sizes_that_cannot_be(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="min_chunk_size"):
        TokenChunker(least, most)


def test_chunks_grow_while_they_come_too_fast_and_shrink_while_too_slowly() -> None:
    chunker = AdaptiveChunker(initial_chunk_size=5, target_chunk_delay_ms=50.0)
    chunker.adjust_chunk_size(actual_delay_ms=45.0)
    assert chunker.get_chunk_size() == 5  # near enough
    for _ in range(20):
        chunker.adjust_chunk_size(actual_delay_ms=10.0)
    assert chunker.get_chunk_size() == 15
    for _ in range(40):
        chunker.adjust_chunk_size(actual_delay_ms=400.0)
    assert chunker.get_chunk_size() == 1


def test_sizes_and_delays_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="initial_chunk_size"):
        AdaptiveChunker(initial_chunk_size=16)
    with pytest.raises(ValueError, match="target_chunk_delay_ms"):
        AdaptiveChunker(target_chunk_delay_ms=0)
    with pytest.raises(ValueError, match="actual_delay_ms"):
        AdaptiveChunker().adjust_chunk_size(-1)


def test_deltas_hold_what_was_given() -> None:
    deltas = DeltaGenerator()
    assert deltas.generate_chat_delta(role="assistant", content="Hello") == {
        "role": "assistant",
        "content": "Hello",
    }
    assert deltas.generate_chat_delta(content="") == {"content": ""}
    assert deltas.generate_completion_delta(text="Hello") == {"text": "Hello"}
    assert deltas.generate_audio_delta(audio_chunk=b"audio_data", transcript_delta="Hello") == {
        "audio": b"audio_data",
        "transcript": "Hello",
    }
