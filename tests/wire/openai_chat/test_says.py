"""One definition of a part of the answer: the decoder's verdict and the relay's are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.openai_chat.events import DONE, delta, event

from headrace.core.chunk import Failure, Finish
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatRelay

LOGPROBS = {"content": [{"token": "a", "logprob": -1.0}]}
CITED = [{"type": "url_citation", "url_citation": {"url": "u"}}]
STOP = delta(reason="stop")

NOTHING_SAID: dict[str, dict[str, Any]] = {
    "a role": {"role": "assistant", "content": ""},
    "no parts": {"content": []},
    "empty parts": {"content": [{"type": "text", "text": ""}, {"type": "thinking", "thinking": []}, ""]},
    "no calls": {"tool_calls": []},
    "an empty call": {"tool_calls": [{}]},
    "a call's id": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "", "arguments": ""}}]},
    "an empty custom call": {"tool_calls": [{"index": 0, "custom": {"name": None, "input": ""}}]},
    "an empty function call": {"function_call": {}},
    "annotations": {"annotations": CITED},
    "log probabilities": {"logprobs": LOGPROBS},
    "a sound's id": {"audio": {"id": "a", "expires_at": 7}},
    "no images": {"images": []},
    "unknown": {"weird": 1},
}
SAID: dict[str, dict[str, Any]] = {
    "text": {"content": "a"},
    "a text part": {"content": [{"type": "text", "text": "a"}]},
    "a part of an unknown kind": {"content": [{"type": "of tomorrow"}]},
    "reasoning": {"reasoning": "a"},
    "reasoning_content": {"reasoning_content": "a"},
    "reasoning_details": {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]},
    "a refusal": {"refusal": "no"},
    "a call's name": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
    "a call's arguments": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
    "arguments as an empty object": {"tool_calls": [{"index": 0, "function": {"arguments": {}}}]},
    "a custom call": {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
    "a function call": {"function_call": {"name": "f"}},
    "sound": {"audio": {"data": "AAAA"}},
    "a transcript": {"audio": {"transcript": "a"}},
    "an image": {"images": [{"image_url": {"url": "data:image/png;base64,AAAA"}}]},
}


def verdicts(*events: bytes) -> tuple[Any, Any, ChatRelay]:
    """The decoder's terminal and the relay's, failures by what they are and not by their words."""
    relay = ChatRelay(True)
    decoded = stages.run(ChatDecoder(), [[b"".join(events)]])
    relayed = stages.run(relay, [[one] for one in events])
    fold(decoded)
    ends = [
        (one.kind, one.code, one.retryable, one.http_status) if isinstance(one, Failure) else one
        for one in (decoded[-1], relayed[-1])
    ]
    return ends[0], ends[1], relay


@pytest.mark.parametrize("fields", NOTHING_SAID.values(), ids=NOTHING_SAID)
def test_what_is_no_part_of_an_answer_changes_no_verdict(fields: dict[str, Any]) -> None:
    odd = delta(**fields)
    decoded, relayed, relay = verdicts(odd, DONE)
    assert decoded == relayed
    assert decoded[1] == "empty_response"
    assert relay.content_events == 0
    for end, clean in (((DONE,), True), ((), False)):
        decoded, relayed, _ = verdicts(delta(content="a"), STOP, odd, *end)
        assert decoded == relayed == Finish("stop", "stop", clean=clean)


@pytest.mark.parametrize("fields", SAID.values(), ids=SAID)
def test_a_part_of_an_answer_is_one_wherever_it_comes(fields: dict[str, Any]) -> None:
    said = delta(**fields)
    decoded, relayed, relay = verdicts(said, DONE)
    assert decoded == relayed == Finish("stop", "", clean=False)
    assert relay.content_events == 1
    decoded, relayed, _ = verdicts(STOP, said)
    assert decoded == relayed
    assert decoded[0] == "truncated"
    decoded, relayed, _ = verdicts(STOP, said, DONE)
    assert decoded == relayed == Finish("stop", "stop")


def test_text_behind_what_is_none_opens_the_candidate_again() -> None:
    for odd in (delta(annotations=CITED), delta(logprobs=LOGPROBS)):
        decoded, relayed, _ = verdicts(delta(content="a"), STOP, odd, delta(content="b"))
        assert decoded == relayed
        assert decoded[0] == "truncated"


def test_the_reason_is_that_of_the_first_candidate_there_is() -> None:
    for indices in ((1, 2), (2, 1)):
        events = [delta(one, content="a") for one in indices]
        events += [delta(1, reason="length"), delta(2, reason="stop"), DONE]
        assert verdicts(*events)[:2] == (Finish("length", "length"), Finish("length", "length"))
    decoded, relayed, _ = verdicts(
        delta(1, content="a"), delta(3, content="a"), delta(3, reason="stop"), DONE
    )
    assert decoded == relayed == Finish("stop", "", clean=False)


DELTAS = st.sampled_from([*NOTHING_SAID.values(), *SAID.values()])
REASONS = st.sampled_from([None, None, None, "", "stop", "length", "error", "a word of tomorrow"])
CHUNKS = st.builds(
    lambda index, reason, fields: delta(index, reason=reason, **fields), st.integers(0, 2), REASONS, DELTAS
)
ODD = st.sampled_from([event(choices=None), event(choices=[]), event(choices=[{"index": 1}]), b": ping\n\n"])


@given(st.lists(CHUNKS | ODD, max_size=7), st.booleans())
def test_any_stream_has_one_verdict(events: list[bytes], ends: bool) -> None:
    decoded, relayed, _ = verdicts(*events, *([DONE] if ends else []))
    assert decoded == relayed


THOUGHT = {
    "reasoning": True,
    "reasoning_content": True,
    "reasoning_details": True,
    "a thinking part": True,
    "text": False,
    "a text part": False,
    "a refusal": False,
    "a call's name": False,
    "sound": False,
    "reasoning and text": False,
    "a thinking part and a text part": False,
}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}
SAID_TOO = {
    **SAID,
    "a thinking part": {"content": [THINKING]},
    "reasoning and text": {"reasoning": "a", "content": "b"},
    "a thinking part and a text part": {"content": [THINKING, {"type": "text", "text": "a"}]},
}


@pytest.mark.parametrize("name", THOUGHT)
def test_what_is_only_reasoning_is_told_apart(name: str) -> None:
    relay = ChatRelay(True)
    relay.feed([delta(role="assistant", content=""), delta(**SAID_TOO[name])])
    assert (relay.content_events, relay.reasoning_events) == (1, THOUGHT[name])
