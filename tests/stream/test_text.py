"""Words and sentences: nothing is lost, and the cuts of the input do not matter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.stream.sentences import Sentences
from headrace.stream.text import Words
from headrace.testing import stages, work

SPLITTERS: dict[str, Callable[[], Words | Sentences]] = {
    "words": Words,
    "words of 3": lambda: Words(3),
    "sentences": Sentences,
    "sentences of 7": lambda: Sentences(7),
}
# Letters that matter to either splitter, beside anything else.
TRICKY = st.text(alphabet="ab AB.!?…\n\t 12\"')。！你か\u3099\u200d😀é,\u2028\x1c", max_size=80)
ANY = st.one_of(TRICKY, st.text(max_size=80))


@pytest.mark.parametrize("kind", SPLITTERS)
@given(text=ANY, cuts=st.lists(st.integers(0, 80), max_size=8))
def test_lossless_and_the_same_under_any_cut(kind: str, text: str, cuts: list[int]) -> None:
    make = SPLITTERS[kind]
    whole = stages.run(make(), [[text]])
    assert "".join(whole) == text
    assert all(whole)
    pieces = stages.cut(text, [min(at, len(text)) for at in cuts])
    assert stages.run(make(), [pieces]) == whole
    assert stages.run(make(), [[piece] for piece in pieces]) == whole
    assert stages.run(make(), [[letter] for letter in text]) == whole


@pytest.mark.parametrize("kind", SPLITTERS)
def test_the_stage_kit(kind: str) -> None:
    stages.check(SPLITTERS[kind], "Dr. Who? “Yes.” 3.14 e.g. this… 你好。 か\u3099!\n\nEnd of\r\nit")


@pytest.mark.parametrize("kind", SPLITTERS)
@pytest.mark.parametrize("unit", ["word ", "x", " ", "\n", ".", "It is. ", "你。", "\n "])
def test_linear(kind: str, unit: str) -> None:
    work.linear(SPLITTERS[kind], unit * 2, times=24)


@pytest.mark.parametrize("unit", ["x" * 10, ". " * 5, " \n" * 5])
def test_bounded(unit: str) -> None:
    work.bounded(lambda: Words(1000), unit, limit_bytes=80_000)
    work.bounded(lambda: Sentences(1000), unit, limit_bytes=12_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, wide  world!\n", ["Hello,", " wide", "  world!", "\n"]),
        ("  lead", ["  lead"]),
        ("naïve e\u0301tude 👩\u200d👧 ok", ["naïve", " e\u0301tude", " 👩\u200d👧", " ok"]),
        ("你好，世界。ok", ["你", "好，", "世", "界。", "ok"]),
        ("か\u3099ぎ", ["か\u3099", "ぎ"]),
        ("a\u00a0b\u3000c", ["a", "\u00a0b", "\u3000c"]),
        ("", []),
        ("   ", ["   "]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert stages.run(Words(), [[text]]) == words


def test_a_word_is_given_out_when_the_next_begins() -> None:
    words = Words()
    assert words.feed(["Hel", "lo"]) == []
    assert words.feed([" "]) == ["Hello"]
    assert words.feed(["you"]) == []
    assert words.close() == [" you"]


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "Dr. Smith paid $3.14 to J. R. Tolkien. ",
            "He left... then came back! ",
            '"Really?" he said. ',
            "Yes.",
        ],
        ["See e.g. the U.S. Army at example.com. ", "Fine."],
        ["It's No. 5 in Fig. 2 on Jan. 5. ", "No. ", "I don't."],
        ["你好。", "世界！", "「はい。」", "と言った。", "Ok"],
        ["1. First item. ", "2. Second.\n", "# Head\n\n", "Text here"],
        ["Wait… ", "What? ", "Well... ", "Maybe."],
        ["hi! ", "how are you? ", "fine"],
        ["Version 1.2.3 is out. ", "Use it at 5 p.m. on Monday. ", "Thanks!"],
        ['He said "go." ', "She went. ", "(It was late.) ", "Then (maybe) no."],
        ["**Bold.** ", "Next one."],
        ["क्या हाल है। ", "ठीक है।"],
        ["no end at all"],
        ["Wirklich?! ", "Ja, z.B. so. ", "Gut."],
        ["It was I. ", "Then you."],
    ],
    ids=lambda sentences: sentences[0].strip(),
)
def test_sentences(sentences: list[str]) -> None:
    assert stages.run(Sentences(), [["".join(sentences)]]) == sentences


def test_a_sentence_is_given_out_when_the_next_begins() -> None:
    sentences = Sentences()
    assert sentences.feed(["It rains."]) == []
    assert sentences.feed([" "]) == []
    assert sentences.feed(["T"]) == ["It rains. "]
    assert sentences.close() == ["T"]


def test_a_sentence_that_never_ends_is_cut_at_white_space() -> None:
    pieces = stages.run(Sentences(10), [["one two three four"]])
    assert pieces == ["one two ", "three four"]
    assert stages.run(Sentences(4), [["abcdefghij"]]) == ["abcd", "efgh", "ij"]


@pytest.mark.parametrize("kind", [Words, Sentences])
def test_a_bound_is_at_least_one(kind: type[Words] | type[Sentences]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        kind(0)
