"""The local language model itself: pulled once into the platform's cache, loaded once for all of this."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import msgspec
import psutil
import pytest
from tests.runners.conftest import Bench
from tests.runners.keeping import Kept

from headrace.core.chunk import (
    BlockStart,
    Cancelled,
    CandidateEnd,
    Failure,
    Finish,
    Start,
    ToolCallDelta,
    UsageReport,
)
from headrace.core.message import Message, assistant, system, user
from headrace.core.request import GenerationSettings, Request, ResponseFormat, Tool, ToolChoice
from headrace.errors import ContextOverflow, RequestError, RunnerError
from headrace.runners.frames import packed
from headrace.runners.llama_job import plan

pytestmark = pytest.mark.real_model

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


def begun(bench: Bench, *messages: Message | str, **fields: Any) -> Kept:
    """Begin one reply; inside the loop."""
    said = tuple(user(message) if isinstance(message, str) else message for message in messages)
    source = bench.model.open(Request("local/smollm2-135m-instruct", said, **fields)).source
    kept = Kept(source)
    source.start(kept)
    return kept


def replied(bench: Bench, *messages: Message | str, **fields: Any) -> Kept:
    """One whole reply."""

    async def run() -> Kept:
        kept = begun(bench, *messages, **fields)
        await kept.done.wait()
        return kept

    return bench.run(run())


def make(**settings: Any) -> GenerationSettings:
    return GenerationSettings.make(**settings)


def cpu_s(bench: Bench) -> float:
    times = psutil.Process(bench.model.host.worker_pid).cpu_times()
    return float(times.user + times.system)


async def worked_on_s(bench: Bench) -> float:
    """Processor time the worker still uses from now until it has stood still for 0.3 s."""
    began_s = used_s = cpu_s(bench)
    still = 0
    while still < 6:
        await asyncio.sleep(0.05)  # what is watched is the processor, which has no event to wait for
        now_s = cpu_s(bench)
        still = still + 1 if now_s - used_s < 0.02 else 0
        used_s = now_s
    return used_s - began_s


def test_it_answers_sensibly_with_real_tokens(bench: Bench) -> None:
    kept = replied(bench, "What is the capital of France?", settings=make(temperature=0, max_tokens=20))
    assert "Paris" in kept.text
    assert isinstance(kept.chunks[0], Start)
    assert kept.terminal == Finish("stop", "eos")
    assert len(kept.tokens) == kept.usage.output_tokens - 1  # the end-of-turn token has no text
    assert all(token.id is not None and token.id > 0 for token in kept.tokens)
    assert all(token.logprob is not None and token.logprob <= 0 for token in kept.tokens)
    assert "".join(token.text for token in kept.tokens) == kept.text


def test_log_probabilities_are_the_models(bench: Bench) -> None:
    kept = replied(
        bench, "Say hello", settings=make(temperature=0, max_tokens=4, logprobs=True, top_logprobs=5)
    )
    for token in kept.tokens:
        assert len(token.top) == 5
        # Greedy: the sampled token is the likeliest, with the same log probability.
        assert (token.top[0].id, token.top[0].logprob) == (token.id, token.logprob)
        likelihoods = [other.logprob for other in token.top]
        assert likelihoods == sorted(likelihoods, key=lambda value: -(value or 0))


@pytest.mark.parametrize("limit", [1, 5])
def test_max_tokens_is_exact(bench: Bench, limit: int) -> None:
    kept = replied(bench, "Count from one to one hundred.", settings=make(max_tokens=limit))
    assert (kept.usage.output_tokens, len(kept.tokens)) == (limit, limit)
    assert kept.terminal == Finish("length", "limit")
    assert kept.ending.finish_reason == "length"


def test_the_same_seed_gives_the_same_text_alone_and_side_by_side(bench: Bench) -> None:
    settings = make(temperature=1.0, seed=7, max_tokens=24)

    async def both() -> list[str]:
        pair = [begun(bench, "Tell a story.", settings=settings) for _ in range(2)]
        await asyncio.gather(*(kept.done.wait() for kept in pair))
        return [kept.text for kept in pair]

    alone = replied(bench, "Tell a story.", settings=settings).text
    assert bench.run(both()) == [alone, alone]
    other = replied(bench, "Tell a story.", settings=make(temperature=1.0, seed=8, max_tokens=24)).text
    assert other != alone


def test_usage_is_the_engines_own_count(bench: Bench) -> None:
    kept = replied(bench, system("Be brief."), "Hi", settings=make(max_tokens=3))
    # <|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n
    assert kept.usage.input_tokens == 18
    assert kept.usage.output_tokens == 3


def test_stop_text_is_cut_and_named(bench: Bench) -> None:
    settings = make(temperature=0, max_tokens=40, stop=["Paris", "never met"])
    kept = replied(bench, "What is the capital of France?", settings=settings)
    assert kept.text.endswith("capital of France is ")
    assert (kept.ending.finish_reason, kept.ending.stop_sequence) == ("stop_sequence", "Paris")


def test_text_that_only_began_like_a_stop_is_not_lost(bench: Bench) -> None:
    """The engine holds "The capital" back at the limit, as it may be the stop text, and forgets it."""
    whole = replied(bench, "What is the capital of France?", settings=make(temperature=0, max_tokens=2))
    settings = make(temperature=0, max_tokens=2, stop=[whole.text + " of Spain"])
    held = replied(bench, "What is the capital of France?", settings=settings)
    assert held.text == whole.text
    assert [token.id for token in held.tokens] == [token.id for token in whole.tokens]


def test_characters_of_several_tokens_come_whole(bench: Bench) -> None:
    told = (user("Repeat exactly: 👋🏽 日本"), assistant("👋🏽 日本"), user("Repeat exactly: 👋🏽 日本"))
    settings = make(temperature=0, max_tokens=14)
    kept = replied(bench, *told, settings=settings)
    assert "👋" in kept.text
    assert "\ufffd" not in kept.text
    assert any(token.raw is not None for token in kept.tokens)
    assert b"".join(token.raw or token.text.encode() for token in kept.tokens).decode() == kept.text
    assert all(token.id is not None for token in kept.tokens)


def test_json_schema_holds(bench: Bench) -> None:
    wanted = ResponseFormat("json_schema", "city", CITY)
    kept = replied(bench, "A trip to Rome, as JSON.", settings=make(max_tokens=80), response_format=wanted)
    answer = json.loads(kept.text)
    assert isinstance(answer["city"], str)
    assert isinstance(answer["days"], int)
    assert set(answer) == {"city", "days"}


@pytest.mark.parametrize("schema", [{"type": "zork"}, {"$ref": "#/nowhere"}])
def test_a_schema_the_engine_would_drop_in_silence_is_an_error(bench: Bench, schema: dict[str, Any]) -> None:
    kept = replied(bench, "JSON please.", response_format=ResponseFormat("json_schema", "x", schema))
    assert kept.chunks == []
    assert isinstance(kept.terminal, Failure)
    error = kept.terminal.error()
    assert isinstance(error, RequestError)
    assert (error.field, error.http_status) == ("response_format.json_schema.schema", 400)


def test_tool_calls_by_schema(bench: Bench) -> None:
    weather = Tool("weather", "The weather in a city.", CITY)
    clock = Tool("clock", "The time.", {"type": "object", "properties": {}, "additionalProperties": False})
    for tools, choice in (
        ((weather, clock), ToolChoice("tool", "weather")),
        ((weather, clock), ToolChoice("required")),
    ):
        kept = replied(
            bench,
            "What is the weather in Rome?",
            settings=make(max_tokens=80),
            tools=tools,
            tool_choice=choice,
        )
        (start,) = [chunk for chunk in kept.chunks if isinstance(chunk, BlockStart)]
        arguments = json.loads("".join(c.arguments for c in kept.chunks if isinstance(c, ToolCallDelta)))
        assert (start.kind, start.id != "") == ("tool-call", True)
        assert start.name in ("weather", "clock")
        assert set(arguments) == ({"city", "days"} if start.name == "weather" else set())
        assert kept.ending.finish_reason == "tool_calls"
        assert kept.text == ""


def test_a_logit_bias_reaches_the_sampler(bench: Bench) -> None:
    plain = replied(bench, "Say hello", settings=make(temperature=0, max_tokens=1))
    first = plain.tokens[0].id
    biased = make(temperature=0, max_tokens=1, logit_bias={str(first): -100.0})
    assert replied(bench, "Say hello", settings=biased).tokens[0].id != first


def test_a_prompt_beyond_the_context_fails_before_anything_else(bench: Bench) -> None:
    kept = replied(bench, "word " * 9000)
    assert kept.chunks == []
    assert isinstance(kept.terminal, Failure)
    assert (kept.terminal.kind, kept.terminal.http_status) == ("context_overflow", 400)
    assert isinstance(kept.terminal.error(), ContextOverflow)
    assert "8192" in kept.terminal.message


def test_two_at_once_and_a_third_waits_its_turn(bench: Bench) -> None:
    async def run() -> tuple[list[Kept], int]:
        settings = make(max_tokens=40, temperature=0)
        three = [begun(bench, f"Write about the number {n}.", settings=settings) for n in range(3)]
        await asyncio.gather(three[0].some(5), three[1].some(5))
        assert three[0].terminal is None  # both are under way at the same time
        assert three[1].terminal is None
        waiting = bench.model.host.waiting
        await asyncio.gather(*(kept.done.wait() for kept in three))
        return three, waiting

    three, waiting = bench.run(run())
    assert waiting == 1
    assert all(isinstance(kept.terminal, Finish) and kept.text for kept in three)


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_cancel_stops_the_computation_within_half_a_second(bench: Bench, phase: str) -> None:
    async def run() -> float:
        prompt = f"{phase} " + "word " * (5000 if phase == "prefill" else 5)
        kept = begun(bench, prompt, settings=make(max_tokens=2000, logit_bias={"2": -100.0}))
        if phase == "decode":
            await kept.some(10)
        else:
            before_s = cpu_s(bench)
            while cpu_s(bench) - before_s < 0.3:  # it is computing the prompt
                await asyncio.sleep(0.02)
            assert kept.chunks == []
        kept.source.cancel()
        assert isinstance(kept.terminal, Cancelled)
        return await worked_on_s(bench)

    # Processor time, so that other work on the machine does not count. Uncancelled it is minutes.
    assert bench.run(run()) <= 0.5


def test_reading_a_long_prompt_is_a_sign_of_life(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    async def run() -> Kept:
        worker = bench.model.host._worker
        assert worker is not None
        known = worker._watch.progress
        monkeypatch.setattr(worker._watch, "progress", lambda id: (told.append(id), known(id)))
        kept = begun(bench, "pebble " * 3000, settings=make(max_tokens=1))
        while not told and kept.terminal is None:
            await asyncio.sleep(0.02)
        kept.source.cancel()
        return kept

    kept = bench.run(run())
    assert told
    assert kept.chunks == []  # it was told before anything could be shown


def test_a_broken_engine_message_is_typed(bench: Bench) -> None:
    """A wrong type in the engine's own body, past our planner."""
    body = plan(Request("x", (user("hi"),))).job
    body["body"]["top_k"] = "many"

    async def run() -> Kept:
        source = bench.model.open(Request("x", (user("hi"),))).source
        source.job = packed(body)  # type: ignore[attr-defined]
        kept = Kept(source)
        source.start(kept)
        await kept.done.wait()
        return kept

    kept = bench.run(run())
    assert isinstance(kept.terminal, Failure)
    assert (kept.terminal.kind, kept.terminal.http_status) == ("request", 400)


def test_a_killed_worker_is_typed_and_replaced(bench: Bench) -> None:
    async def run() -> tuple[Kept, Kept]:
        kept = begun(bench, "Count to one thousand.", settings=make(max_tokens=500))
        await kept.some(3)
        old = bench.model.host.worker_pid
        os.kill(old, signal.SIGKILL)
        await kept.done.wait()
        again = begun(bench, "Say hello", settings=make(max_tokens=3))
        await again.done.wait()
        assert bench.model.host.worker_pid != old
        return kept, again

    kept, again = bench.run(run())
    assert isinstance(kept.terminal, Failure)
    assert (kept.terminal.kind, kept.terminal.detail) == ("runner", {"recoverable": True})
    assert isinstance(again.terminal, Finish)
    assert not any(isinstance(chunk, CandidateEnd) for chunk in kept.chunks)


def test_a_file_that_is_no_model_is_e502(bench: Bench, tmp_path: Any) -> None:
    from headrace.config.settings import LocalSettings, Settings
    from headrace.runners.local import LocalModels

    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)

    async def run() -> RunnerError:
        settings = Settings(local={"mine": LocalSettings(str(tmp_path / "broken.gguf"))})
        models = LocalModels(settings)
        with pytest.raises(RunnerError) as failed:
            await models.get("mine").warm()
        await models.aclose()
        return failed.value

    error = bench.run(run())
    assert error.code == "E502"
    assert "broken.gguf" in str(error)


COUNTED = {
    "one message": Request("m", (user("Grüße, two words."),)),
    "a conversation": Request("m", (system("Be brief."), user("hi"), assistant("Hello."), user("again"))),
    "a tool": Request(
        "m", (user("call it"),), tools=(Tool("go", parameters=CITY),), tool_choice=ToolChoice("tool", "go")
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_is_what_a_reply_tells_of_its_prompt(bench: Bench, name: str) -> None:
    request = COUNTED[name]

    async def run(opened: Any) -> Kept:
        kept = Kept(opened.source)
        opened.source.start(kept)
        await kept.done.wait()
        return kept

    counted = bench.run(run(bench.model.open_count(request)))
    assert counted.terminal == Finish()
    (usage,) = (chunk.usage for chunk in counted.chunks if isinstance(chunk, UsageReport))
    settings = GenerationSettings(max_tokens=1)
    told = bench.run(run(bench.model.open(msgspec.structs.replace(request, settings=settings)))).usage
    assert (usage.input_tokens, usage.output_tokens) == (told.input_tokens, 0)


def test_a_loaded_models_card_says_so(bench: Bench) -> None:
    assert bench.model.card.loaded
