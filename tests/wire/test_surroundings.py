"""The short cut past JSON: what it reads is what parsing would, whatever the text and whatever follows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import TERMINALS, TextDelta
from headrace.testing.stages import run
from headrace.wire.openai_chat.decode import ChatDecoder
from headrace.wire.openai_chat.relay import ChatRelay
from headrace.wire.surroundings import Surroundings

KEY = b'"content":"'


def event(text: str, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    body = {"id": "c", "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


END = (
    b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)
# What looks like the pattern and is not, or only nearly.
ODD = [
    event('quote " inside'),
    event("line\nbreak"),
    event("back\\slash"),
    event("\u2028 é 👩‍🚀"),
    event(""),
    event('"content":"'),
    event("x", usage={"prompt_tokens": 1, "completion_tokens": 2}),
    event("x", id="other"),
    event("x").replace(b'"content":"x"', b'"content":"x","refusal":"no"'),
    event("x").replace(b'"index":0', b'"index":1'),
    event("x").replace(b'"x"', b'"\xff"'),
    event("x").replace(b'"x"', b'"\x01"'),
    event("x").replace(b'"x"', b'"x'),
    b": ping\n",
    b"data: {\n\n",
    event("one") + event("two"),
    event("half")[:-5],
]


FILLED = [
    event("x", obfuscation="abcde"),
    event("x", obfuscation=""),
    event("x", obfuscation='a"b'),
    event("x", obfuscation="a", usage=None),
    event("x", obfuscation=None),
    event("x"),
    event("é", obfuscation="q").replace(b'"q"', b'"q\xff"'),
    event("x", obfuscation="q").replace(b'"obfuscation":"q"', b'"obfuscation":"q","obfuscation":"r"'),
    event("x", obfuscation="q").replace(b'"x"', b'"x","obfuscation":"q"'),
]


@pytest.mark.parametrize("odd", range(len(FILLED)))
def test_a_filler_differs_in_each_event(odd: int) -> None:
    filled = [event("abc"[at], obfuscation="lmn"[: at + 1]) for at in range(3)]
    reads = [*filled, FILLED[odd], *filled, *END]
    learnt = run(ChatDecoder(), [[read] for read in reads])
    assert learnt == run(ChatDecoder(), [[bytes([one])] for one in b"".join(reads)])
    around = Surroundings(KEY, 200)
    around.learn(filled[0])
    assert around.text(filled[1]) == "b"


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_with_the_short_cut_and_without_the_chunks_are_the_same(odd: int) -> None:
    reads = [event("a"), event("b"), event("c"), ODD[odd], event("d"), event("e"), *END]
    learnt = run(ChatDecoder(), [[read] for read in reads])
    parsed = run(ChatDecoder(), [[bytes([one])] for one in b"".join(reads)])  # never a whole event at once
    assert learnt == parsed
    assert [type(one) in TERMINALS for one in learnt].count(True) == 1


def test_what_is_learnt_of_one_candidate_is_not_taken_for_another() -> None:
    def of(index: int, text: str, **more: Any) -> bytes:
        return event(text, **more).replace(b'"index":0', b'"index":%d' % index)

    reads = [
        of(0, "a"), of(1, "A"), of(0, "b"), of(1, "B\n"), of(0, "c"), of(1, "C") + of(0, "d"), of(1, "D"),
        of(0, "e"),
        of(0, "f", system_fingerprint="p") + of(0, "g", system_fingerprint="p"), of(0, "h"), of(1, "E"),
    ]  # fmt: skip
    chunks = run(ChatDecoder(), [[read] for read in reads])
    assert chunks == run(ChatDecoder(), [[bytes([one])] for one in b"".join(reads)])
    said = [
        "".join(one.text for one in chunks if isinstance(one, TextDelta) and one.candidate == at)
        for at in (0, 1)
    ]
    assert said == ["abcdefgh", "AB\nCDE"]


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_a_relay_passes_the_same_with_the_short_cut_and_without(odd: int) -> None:
    reads = [event("a"), event("b"), event("c"), ODD[odd], event("d"), event("e"), *END]
    quick, slow = ChatRelay(True), ChatRelay(True)
    out = [run(quick, [[read] for read in reads]), run(slow, [[bytes([one])] for one in b"".join(reads)])]
    passed = [b"".join(one for one in each if isinstance(one, bytes)) for each in out]
    assert passed[0] == passed[1]
    assert out[0][-1] == out[1][-1]
    assert (quick.usage, quick.content_events) == (slow.usage, slow.content_events)


@given(st.lists(st.text(max_size=6), max_size=12))
def test_any_texts(texts: list[str]) -> None:
    reads = [*(event(text) for text in ("a", "b", *texts)), *END]
    chunks = run(ChatDecoder(), [[read] for read in reads])
    assert "".join(one.text for one in chunks if isinstance(one, TextDelta)) == "ab" + "".join(texts)
    assert chunks[-1].finish_reason == "stop"


def test_only_what_is_the_same_around_is_read() -> None:
    around = Surroundings(KEY, 200)
    around.learn(event("hello"))
    assert around.known
    assert around.text(event("é")) == "é"
    assert around.text(event("x", usage=None)) is None
    assert around.text(event("x" * 300)) is None
    assert around.text(event("say \\n")) is None
    assert not around.learn(event('"content":"'))
    assert not around.learn(b'data: {"content":"a","content":"b"}\n\n')
    assert around.text(event("still")) == "still"
    around.forget()
    assert not around.known
    assert sum(around.learn(event("x", number=at)) for at in range(1000)) < 100  # not for ever in vain
