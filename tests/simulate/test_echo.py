"""`sim/echo` and the scripted source under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import (
    BlockStart,
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    Terminal,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.fold import fold
from headrace.core.message import AudioPart, ImagePart, TextPart, ToolCallPart, assistant, message, user
from headrace.core.opaque import Opaque
from headrace.core.request import (
    GenerationSettings,
    Request,
    ResponseFormat,
    Speech,
    Tool,
    Transcription,
)
from headrace.errors import RequestError, Unavailable
from headrace.simulate.echo import EchoModel, EchoScript, ScriptedSource, pieces, simulated_models

PLAIN = EchoScript()


class Kept:
    """A sink that keeps what it gets and tells when the end came."""

    def __init__(self, on_push: Callable[[Kept], None] | None = None) -> None:
        self.chunks: list[Chunk] = []
        self.batches: list[int] = []
        self.terminal: Terminal | None = None
        self.done = asyncio.Event()
        self.got = asyncio.Event()
        self.on_push = on_push

    def push(self, batch: Sequence[Chunk], /) -> None:
        assert batch, "an empty batch"
        assert self.terminal is None, "a push after the end"
        self.chunks += batch
        self.batches.append(len(batch))
        self.got.set()
        if self.on_push is not None:
            self.on_push(self)

    def end(self, terminal: Terminal, /) -> None:
        assert self.terminal is None, "two ends"
        self.terminal = terminal
        self.done.set()

    @property
    def text(self) -> str:
        return "".join(c.text for c in self.chunks)


def played(request: Request, script: EchoScript = PLAIN) -> Kept:
    async def run() -> Kept:
        kept = Kept()
        EchoModel(script).open(request).source.start(kept)
        assert kept.chunks == []  # nothing from inside start
        await kept.done.wait()
        return kept

    return asyncio.run(run())


def ask(text: str, **settings: object) -> Request:
    return Request("sim/echo", (user(text),), GenerationSettings.make(**settings))


@given(st.text())
def test_pieces_lose_nothing(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(0 < len(piece) <= 12 for piece in pieces(text))


@given(st.text(max_size=300))
def test_the_echo_is_the_message(text: str) -> None:
    kept = played(ask(text))
    assert kept.text == text
    assert kept.terminal == Finish("stop")
    assert max(kept.batches) <= 32


def test_a_long_message_comes_in_bounded_batches_in_its_order() -> None:
    text = " ".join(str(number) for number in range(20_000))
    kept = played(ask(text))
    assert kept.text == text
    assert len(kept.batches) > 500


def test_the_last_user_message_is_the_one() -> None:
    request = Request("sim/echo", (user("first"), assistant("no"), user("second"), assistant("no")))
    assert played(request).text == "second"


def test_no_user_message_is_an_empty_reply() -> None:
    kept = played(Request("sim/echo"))
    assert kept.text == ""
    assert not any(isinstance(c, BlockStart) for c in kept.chunks)
    assert kept.terminal == Finish("stop")


def test_max_tokens_is_exact_and_usage_counts() -> None:
    kept = played(ask("one two three four five", max_tokens=3))
    assert kept.text == "one two three"
    assert [c.finish_reason for c in kept.chunks if isinstance(c, CandidateEnd)] == ["length"]
    (report,) = [c for c in kept.chunks if isinstance(c, UsageReport)]
    assert (report.usage.input_tokens, report.usage.output_tokens) == (5, 3)
    assert kept.terminal == Finish("length")


def test_stop_cuts_before_the_first_one_met() -> None:
    kept = played(ask("alpha beta gamma", stop=["gamma", "et"]))
    assert kept.text == "alpha b"
    (end,) = [c for c in kept.chunks if isinstance(c, CandidateEnd)]
    assert (end.finish_reason, end.stop_sequence) == ("stop_sequence", "et")


def test_logprobs_only_where_asked() -> None:
    assert all(c.token_id is None for c in played(ask("a b")).chunks)
    deltas = [c for c in played(ask("a b", logprobs=True, top_logprobs=1)).chunks if isinstance(c, TextDelta)]
    assert [c.logprob for c in deltas] == [0.0, 0.0]
    assert [c.tokens[0].top[0].text for c in deltas] == ["a", " b"]
    assert len({c.token_id for c in deltas}) == 2


def test_reasoning_and_tool_calls() -> None:
    call = ToolCallPart("call_1", "weather", '{"city": "Zürich", "days": 3}')
    kept = played(ask("hi"), EchoScript(reasoning="let me think", tool_calls=[call]))
    assert "".join(c.reasoning for c in kept.chunks if isinstance(c, ReasoningDelta)) == "let me think"
    assert "".join(c.arguments for c in kept.chunks if isinstance(c, ToolCallDelta)) == call.arguments
    starts = [c for c in kept.chunks if isinstance(c, BlockStart)]
    assert [(c.block, c.kind) for c in starts] == [(0, "reasoning"), (1, "text"), (2, "tool-call")]
    assert (starts[2].id, starts[2].name) == ("call_1", "weather")
    assert kept.terminal == Finish("tool_calls")


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_fail_after(deltas: int) -> None:
    failure = Failure.of(Unavailable("gone", provider="sim"))
    kept = played(ask("one two three"), EchoScript(fail_after=(deltas, failure)))
    assert kept.text == "".join(["one", " two", " three"][:deltas])
    assert kept.terminal == failure


def test_a_script_that_raises_is_a_failure() -> None:
    def script() -> Iterator[Chunk]:
        yield TextDelta(0, "a")
        raise ZeroDivisionError("by hand")

    async def run() -> Kept:
        kept = Kept()
        ScriptedSource(script()).start(kept)
        await kept.done.wait()
        return kept

    kept = asyncio.run(run())
    assert kept.text == "a"
    assert isinstance(kept.terminal, Failure)
    assert "ZeroDivisionError: by hand" in kept.terminal.message


def test_hang_after_then_cancel() -> None:
    async def run() -> Kept:
        kept = Kept()
        source = EchoModel(EchoScript(hang_after=2)).open(ask("one two three")).source
        source.start(kept)
        await kept.got.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        assert kept.terminal is None
        source.cancel()
        source.cancel()
        return kept

    kept = asyncio.run(run())
    assert kept.text == "one two"
    assert isinstance(kept.terminal, Cancelled)


def test_cancel_before_start_and_from_inside_push() -> None:
    async def run() -> tuple[Kept, Kept]:
        early = Kept()
        source = EchoModel().open(ask("hello")).source
        source.cancel()
        source.start(early)
        assert early.terminal is None
        await early.done.wait()

        within = EchoModel().open(ask("word " * 1000)).source
        inner = Kept(on_push=lambda _: within.cancel())
        within.start(inner)
        await inner.done.wait()
        return early, inner

    early, inner = asyncio.run(run())
    assert (early.chunks, type(early.terminal)) == ([], Cancelled)
    assert len(inner.batches) == 1
    assert isinstance(inner.terminal, Cancelled)


def test_pause_holds_and_resume_goes_on() -> None:
    async def run() -> Kept:
        source = EchoModel().open(ask("word " * 1000)).source
        kept = Kept(on_push=lambda _: source.pause())
        source.start(kept)
        await kept.got.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(kept.batches) == 1
        kept.on_push = None
        source.resume()
        source.resume()
        await kept.done.wait()
        return kept

    assert asyncio.run(run()).text == "word " * 1000


def test_a_pace_spreads_the_pieces() -> None:
    async def run() -> tuple[Kept, float]:
        kept = Kept()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        script = EchoScript(pieces_per_s=200, first_delay_s=0.01)
        EchoModel(script).open(ask("a b c d e f")).source.start(kept)
        await kept.done.wait()
        return kept, loop.time() - began_s

    kept, took_s = asyncio.run(run())
    assert kept.text == "a b c d e f"
    # Never sooner than the pace allows; how much later is the machine's business.
    assert took_s >= 0.01 + 5 / 200 - 0.001


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(RequestError) as failed:
        EchoModel().open(ask("x", n=2))
    assert failed.value.field == "n"
    request = Request(
        "sim/echo",
        (message("user", [TextPart("see"), ImagePart("http://image")]),),
        GenerationSettings(temperature=0.5, top_k=3),
        tools=(Tool("weather"),),
        response_format=ResponseFormat("json_object"),
    )
    warnings = EchoModel().open(request).warnings
    assert len(warnings) == 4
    assert "temperature, top_k" in warnings[0]
    assert EchoModel().open(ask("x")).warnings == ()


def test_simulated_models() -> None:
    (model,) = simulated_models()
    assert model.card.id == "sim/echo"
    assert model.open_relay("openai_chat", b"{}", True) is None


def test_asked_to_write_sound_down_it_says_how_much_there_is() -> None:
    sound = user([AudioPart(b"\x00" * 1234, format="wav")])
    request = Request(
        "sim/echo", (sound,), task="transcription", transcription=Transcription(times=("word",))
    )
    candidate = fold(played(request).chunks).candidates[0]
    assert candidate.transcript == "1234 bytes of sound"
    assert candidate.text == ""
    (warning,) = EchoModel().open(request).warnings
    assert "times has no effect" in warning


def test_asked_to_speak_it_gives_a_tone_as_long_as_the_text() -> None:
    request = Request("sim/echo", (user("Hello, world"),), task="speech", speech=Speech("alloy", "wav"))
    audio = fold(played(request).chunks).candidates[0].audio
    assert audio is not None
    assert (audio.format, audio.sample_rate_hz, audio.channels) == ("pcm16", 24000, 1)
    assert len(audio.data) == 12 * 24000 * 2 // 20
    assert "voice has no effect" in EchoModel().open(request).warnings[0]


def test_a_chat_is_answered_in_text_whatever_modalities_ask_for() -> None:
    (warning,) = EchoModel().open(Request("sim/echo", (user("hi"),), modalities=("text", "audio"))).warnings
    assert "modalities has no effect" in warning
    assert EchoModel().open(Request("sim/echo", (user("hi"),), modalities=("text",))).warnings == ()


def test_fields_that_only_a_provider_could_know_are_told() -> None:
    request = Request("sim/echo", (user("hi"),), vendor=Opaque("openai_chat", {"max_tokns": 3}))
    (warning,) = EchoModel().open(request).warnings
    assert "max_tokns was left out" in warning
