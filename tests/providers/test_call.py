"""One remote answer as a source: statuses, cuts, clocks, cancellation, over a scripted transport."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from headrace.config import Clocks, Secret
from headrace.core.chunk import Cancelled, Failure, Finish
from headrace.core.message import user
from headrace.core.opaque import Opaque
from headrace.core.request import GenerationSettings, Request
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.transport.fake import FakeSender, Play
from headrace.wire.carried import carry

KEY = "sk-very-geheim-0123456789"
ROW = ProviderRow(
    "up",
    "openai_chat",
    "https://up.example/v1",
    api_key=Secret(KEY),
    headers={"x-team-token": Secret("geheim-team")},
    clocks=Clocks(connect_s=5, first_token_s=5, idle_s=5, total_s=5),
)
ASK = Request("up/gpt", messages=(user("hi"),))


def play(basin, *plays: Play, row: ProviderRow = ROW):
    """Start one source; inside a loop."""
    fake = FakeSender(*plays)
    sink = basin()
    source = provider_model(row, "gpt", fake).open(ASK).source
    source.start(sink)
    assert not sink.items  # nothing comes from inside start
    assert not sink.terminals
    return fake, sink, source


def ended(basin, *plays: Play, row: ProviderRow = ROW):
    async def main():
        fake, sink, _ = play(basin, *plays, row=row)
        await sink.terminal()
        await asyncio.sleep(0)
        assert all(call.ended for call in fake.calls)
        return fake, sink, sink.terminals[0]

    return asyncio.run(main())


@pytest.mark.parametrize("cut_bytes", [0, 1, 7])
def test_a_whole_answer_in_any_split(basin, hello, cut_bytes: int) -> None:
    fake, sink, terminal = ended(basin, Play(body=b"".join(hello), cut_bytes=cut_bytes))
    assert terminal == Finish("stop", "stop")
    assert sink.text == "hello"
    assert not fake.calls[0].cancelled  # the body's own end was read: the connection can be used again
    sent = fake.requests[0]
    assert sent.url == "https://up.example/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-team-token"] == "geheim-team"
    assert json.loads(sent.body)["model"] == "gpt"


def test_after_done_the_rest_of_the_body_gets_a_moment_and_a_bound(basin, hello) -> None:
    async def main() -> None:
        fake, sink, _ = play(basin, Play(body=b"".join(hello), end="silence"))
        await sink.terminal()
        assert not fake.calls[0].cancelled
        assert len(fake.wheel) == 1
        for _ in range(300):
            await asyncio.sleep(0.01)
            if fake.calls[0].cancelled:
                break
        assert fake.calls[0].cancelled
        assert len(fake.wheel) == 0

        fake, sink, _ = play(basin, Play(body=[b"".join(hello), *[bytes(40_000)] * 3], end="silence"))
        await sink.terminal()
        for _ in range(20):
            await asyncio.sleep(0)
        assert fake.calls[0].cancelled

    asyncio.run(main())


STATUSES = {
    401: ("auth", False),
    403: ("auth", False),
    400: ("bad_request", False),
    404: ("bad_request", False),
    429: ("rate_limited", True),
    500: ("unavailable", True),
    503: ("unavailable", True),
    529: ("unavailable", True),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("end", ["done", "cut", "reset"])
def test_statuses_are_typed_even_when_their_body_is_cut(basin, status: int, end) -> None:
    kind, retryable = STATUSES[status]
    body = json.dumps({"error": {"message": f"no: {KEY}", "type": "x"}}).encode()
    answer = Play(status, {"content-type": "application/json", "retry-after": "7"}, body, 3, end)
    _, sink, failure = ended(basin, answer)
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert failure.detail["provider"] == "up"
    assert failure.detail["status"] == status
    assert failure.detail["retry_after_s"] == 7
    assert not sink.items
    silent_about_keys(failure)


def silent_about_keys(failure: Failure) -> None:
    """Neither the failure nor its exception nor any repr of them shows a key."""
    error = failure.error()
    shown = f"{failure!r} {error!r} {error} {error.details()} {vars(error)}"
    assert "geheim" not in shown


@pytest.mark.parametrize("media_type", ["text/html", "application/json", "text/plain"])
def test_a_wrong_content_type_with_200_is_a_wire_failure_with_the_status(basin, media_type: str) -> None:
    answer = Play(200, {"content-type": f"{media_type}; charset=utf-8"}, f"<html>{KEY}</html>".encode())
    _, sink, failure = ended(basin, answer)
    assert failure.kind == "wire"
    assert "200" in failure.message
    assert not sink.items
    silent_about_keys(failure)


def test_an_error_body_is_read_up_to_a_bound(basin) -> None:
    answer = Play(500, {"content-type": "text/plain"}, [b"x" * 10_000] * 100, end="silence")
    fake, _, failure = ended(basin, answer)
    assert failure.kind == "unavailable"
    assert fake.calls[0].cancelled


FAULTS = {
    "connect_refused": ("unavailable", "connect_refused"),
    "dns": ("unavailable", "dns"),
    "tls": ("unavailable", "tls"),
    "connect_timeout": ("timeout", "connect"),
    "closed": ("unavailable", "reset"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_transport_faults_pass_through_and_name_the_provider(basin, fault) -> None:
    _, sink, failure = ended(basin, Play(fault=fault))
    assert (failure.kind, failure.code) == FAULTS[fault]
    assert failure.retryable
    assert failure.detail["provider"] == "up"
    assert not sink.items


@pytest.mark.parametrize(("end", "code"), [("done", "truncated"), ("cut", "truncated"), ("reset", "reset")])
@pytest.mark.parametrize("events", [0, 1, 2, 3])
def test_no_end_of_the_body_makes_up_a_finish(basin, hello, events: int, end, code: str) -> None:
    _, sink, failure = ended(basin, Play(body=hello[:events], end=end))
    assert failure.kind in ("truncated", "wire")
    if failure.kind == "truncated" and end == "reset":
        assert failure.code == code
    assert failure.detail["provider"] == "up"
    assert sink.text == "hello"[: [0, 0, 3, 5][events]]


@pytest.mark.parametrize("end", ["done", "cut", "reset"])
def test_a_finish_without_done_is_a_finish_that_says_so(basin, hello, end) -> None:
    _, sink, terminal = ended(basin, Play(body=hello[:4], end=end))
    assert isinstance(terminal, Finish)
    assert not terminal.clean
    assert sink.text == "hello"


def test_an_error_inside_the_stream_ends_it_at_once(basin, hello) -> None:
    error = b'data: {"error": {"message": "overloaded ' + KEY.encode() + b'", "type": "server_error"}}\n\n'
    fake, sink, failure = ended(basin, Play(body=[*hello[:2], error, *hello[2:]], end="silence"))
    assert isinstance(failure, Failure)
    assert sink.text == "hel"
    assert fake.calls[0].cancelled
    assert failure.detail["provider"] == "up"
    silent_about_keys(failure)


CLOCKS = {
    "first_token, no answer": (Play(fault="silence"), {"first_token_s": 0.05}, "first_token"),
    "first_token, head only": (Play(end="silence"), {"first_token_s": 0.05}, "first_token"),
    "first_token, role only": (Play(body=[0], end="silence"), {"first_token_s": 0.05}, "first_token"),
    "first_token, pings": (
        Play(body=[b": ping\n\n"] * 3, end="silence"),
        {"first_token_s": 0.05},
        "first_token",
    ),
    "idle": (Play(body=[0, 1], end="silence"), {"idle_s": 0.05}, "idle"),
    "total": (Play(body=[0, 1], end="silence"), {"total_s": 0.05}, "total"),
    "total before all": (Play(fault="silence"), {"total_s": 0.05}, "total"),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_each_clock_ends_the_answer_with_its_name(basin, hello, name: str) -> None:
    answer, clocks, code = CLOCKS[name]
    body = [hello[piece] if isinstance(piece, int) else piece for piece in answer.body]
    answer = Play(body=body, end=answer.end, fault=answer.fault)
    row = ProviderRow("up", "openai_chat", ROW.base_url, clocks=Clocks(**{"connect_s": 5, **clocks}))

    fake, _, failure = ended(basin, answer, row=row)
    assert (failure.kind, failure.code, failure.http_status) == ("timeout", code, 504)
    assert failure.retryable
    assert fake.calls[0].cancelled
    assert len(fake.wheel) == 0


def test_an_error_whose_body_stalls_is_still_that_error(basin) -> None:
    row = ProviderRow("up", "openai_chat", ROW.base_url, clocks=Clocks(first_token_s=0.05))
    answer = Play(429, {"content-type": "application/json"}, b'{"error": {"mess', end="silence")
    _, _, failure = ended(basin, answer, row=row)
    assert failure.kind == "rate_limited"


def test_a_slow_reader_is_not_a_slow_model(basin, hello) -> None:
    async def main() -> None:
        row = ProviderRow("up", "openai_chat", ROW.base_url, clocks=Clocks(idle_s=0.1))
        fake, sink, source = play(basin, Play(body=hello[:2], end="silence"), row=row)
        await sink.fed.wait()
        source.pause()
        await asyncio.sleep(0.4)  # four times the clock: it must stand still
        assert not sink.terminals
        source.resume()
        failure = await sink.terminal()
        assert failure.code == "idle"
        assert fake.calls[0].cancelled

    asyncio.run(main())


def test_pause_reaches_the_transport_and_resume_goes_on(basin, hello) -> None:
    async def main() -> None:
        fake, sink, source = play(basin, Play(body=hello))
        source.pause()
        for _ in range(20):
            await asyncio.sleep(0)
        assert fake.calls[0].paused
        assert not sink.items
        source.resume()
        assert isinstance(await sink.terminal(), Finish)
        source.pause()
        source.resume()

    asyncio.run(main())


@pytest.mark.parametrize("turns", range(12))
def test_cancel_at_every_turn_ends_once_with_cancelled(basin, hello, turns: int) -> None:
    async def main() -> None:
        fake, sink, source = play(basin, Play(body=hello, end="silence"))
        for _ in range(turns):
            await asyncio.sleep(0)
        finished = bool(sink.terminals)
        source.cancel()
        source.cancel()
        assert len(sink.terminals) == 1
        assert isinstance(sink.terminals[0], Finish if finished else Cancelled)
        assert fake.calls[0].cancelled
        before = len(sink.items)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(sink.items) == before
        assert len(fake.wheel) == 0

    asyncio.run(main())


def test_cancel_before_the_start(basin) -> None:
    async def main() -> None:
        fake, sink = FakeSender(), basin()
        source = provider_model(ROW, "gpt", fake).open(ASK).source
        source.cancel()
        source.start(sink)
        assert not sink.terminals
        assert isinstance(await sink.terminal(), Cancelled)
        assert not fake.requests

    asyncio.run(main())


def test_a_sink_may_cancel_from_inside_a_push(basin, hello) -> None:
    async def main() -> None:
        fake, sink, source = play(basin, Play(body=[b"".join(hello)]))
        sink.push = lambda batch: source.cancel()
        assert isinstance(await sink.terminal(), Cancelled)
        assert fake.calls[0].ended

    asyncio.run(main())


def test_a_request_that_cannot_be_written_is_a_failure(basin) -> None:
    row = ProviderRow("up", "openai_chat", "https://up.example/v1", headers={"bad name": Secret("geheim")})
    fake = FakeSender()

    async def main() -> Failure:
        from headrace.transport.pool import HttpPool

        async with HttpPool() as pool:
            sink = basin()
            provider_model(row, "gpt", pool).open(ASK).source.start(sink)
            assert not sink.terminals
            return await sink.terminal()

    failure = asyncio.run(main())
    assert failure.kind == "request"
    assert not fake.requests
    silent_about_keys(failure)


def test_a_relay_gives_the_events_as_they_came(basin, hello) -> None:
    async def main() -> None:
        usage = b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
        usage += b'"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'
        fake, sink = FakeSender(Play(body=b"".join([*hello[:4], usage, hello[4]]), cut_bytes=50)), basin()
        model = provider_model(ROW, "gpt", fake)
        opened = model.open_relay("openai_chat", b'{"model": "up/gpt", "messages": [], "stream": true}', True)
        opened.source.start(sink)
        assert isinstance(await sink.terminal(), Finish)
        assert b"".join(sink.items) == b"".join([*hello[:4], usage, hello[4]])
        assert opened.relay.usage.total_tokens == 5
        assert json.loads(fake.requests[0].body)["model"] == "gpt"
        assert fake.requests[0].url == "https://up.example/v1/chat/completions"
        assert model.open_relay("anthropic", b"{}", True) is None

    asyncio.run(main())


def test_what_the_place_refuses_is_not_relayed_and_the_translation_warns() -> None:
    row = msgspec.structs.replace(ROW, quirks={"drop": ("seed",)})
    model = provider_model(row, "gpt", FakeSender())
    body = b'{"model": "up/gpt", "messages": [{"role": "user", "content": "hi"}], "stream": true, "seed": 7}'
    assert model.open_relay("openai_chat", body, True) is None
    asked = msgspec.structs.replace(ASK, settings=GenerationSettings(seed=7))

    async def main() -> tuple[str, ...]:
        return model.open(asked).warnings

    assert any("seed" in one for one in asyncio.run(main()))


def test_what_was_carried_for_another_vendor_is_not_relayed() -> None:
    carried = carry(Opaque("anthropic", {"signature": "s"}), "openai_chat")
    details = [{"type": "reasoning.encrypted", "data": carried}]
    message = {"role": "assistant", "content": "so", "reasoning_details": details}
    body = json.dumps({"model": "up/gpt", "messages": [message]}).encode()

    async def relays(body: bytes) -> bool:
        model = provider_model(ROW, "gpt", FakeSender(Play()))
        return model.open_relay("openai_chat", body, True) is not None

    assert not asyncio.run(relays(body))
    assert asyncio.run(relays(body.replace(b"headrace", b"headline")))


def test_a_relays_first_token_is_content_not_a_role(basin, hello) -> None:
    async def main() -> None:
        row = ProviderRow("up", "openai_chat", ROW.base_url, clocks=Clocks(first_token_s=0.05))
        sink = basin()
        model = provider_model(row, "gpt", FakeSender(Play(body=hello[:1], end="silence")))
        opened = model.open_relay(
            "openai_chat", b'{"model": "up/gpt", "messages": [], "stream": true}', False
        )
        opened.source.start(sink)
        failure = await sink.terminal()
        assert failure.code == "first_token"

    asyncio.run(main())
