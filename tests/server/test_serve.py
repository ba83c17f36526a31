"""The process: where it listens, what it says, how signals end it."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import Models
from tests.server.raw import chat, connected, request

from headrace.config.door import KeySettings
from headrace.config.keys import digest_of
from headrace.core.chunk import Cancelled, Finish
from headrace.core.model import ModelCard
from headrace.core.usage import Usage
from headrace.errors import ConfigError
from headrace.metrics.counters import TTFT_BUCKETS_S, Counters, Tally
from headrace.server.door import Door
from headrace.server.keys import Keys
from headrace.server.listen import bind, is_loopback, url_of
from headrace.server.serve import greeting, make_app, running_server, serve
from headrace.simulate.echo import EchoModel

PROGRAM = """
import sys
from headrace.server.limits import Limits
from headrace.server.serve import serve
from headrace.simulate.echo import EchoModel, EchoScript
from tests.server.doubles import Models

async def ended():
    print("ended", flush=True)

serve(
    Models(EchoModel(EchoScript(hang_after=2))),
    host=sys.argv[1], port=0, limits=Limits(drain_s=float(sys.argv[2])), open_to_all="--no-keys" in sys.argv,
    announce=lambda line: print(line, flush=True), on_end=ended,
)
"""


@contextmanager
def process(
    host: str = "127.0.0.1", drain_s: float = 30.0, *flags: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` in a process of its own with a model that never ends; and its URL."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, host, str(drain_s), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            yield served, served.stdout.readline().split(" at ")[1].split("/v1")[0]
        finally:
            served.kill()


@asynccontextmanager
async def hanging(url: str) -> AsyncIterator[asyncio.StreamReader]:
    """A streamed answer that has begun and does not end."""
    async with connected(url) as client:
        await client.send(chat(model="sim/echo", text="one two three four"))
        await client.reader.readuntil(b"one")
        yield client.reader


async def knock(url: str) -> None:
    """Connect until it is refused."""
    while True:
        async with connected(url):
            await asyncio.sleep(0)


def end_of(served: subprocess.Popen[str]) -> tuple[str, str]:
    """What the process still says, once it has ended."""
    assert served.stdout is not None
    assert served.stderr is not None
    said = served.stdout.read(), served.stderr.read()
    served.wait(10)
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_the_process_ends_well(number: signal.Signals) -> None:
    with process(drain_s=0.2) as (served, url):

        async def main() -> bytes:
            async with hanging(url) as reader, asyncio.timeout(30):
                served.send_signal(number)
                return await reader.read()

        said = asyncio.run(main())
        assert b"shutting_down" in said
        assert said.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        out, errors = end_of(served)
        assert served.returncode == 0
        assert errors == "ending 1 answers that outlast the drain of 0.2 s\n"
        assert out.endswith("ended\n")


def test_a_second_signal_waits_no_longer() -> None:
    with process(drain_s=600) as (served, url):

        async def main() -> bytes:
            async with hanging(url) as reader, asyncio.timeout(30):
                served.send_signal(signal.SIGINT)
                with pytest.raises(ConnectionError):  # which shows that the first has been heard
                    await knock(url)
                served.send_signal(signal.SIGINT)
                return await reader.read()

        assert b"shutting_down" in asyncio.run(main())
        end_of(served)
        assert served.returncode == 0


def test_others_do_not_reach_it_without_keys_unless_that_is_asked_for() -> None:
    taken: list[socket.socket] = []

    def bound(host: str, port: int) -> list[socket.socket]:
        taken.extend(bind(host, port))
        return taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headrace.server.serve.bind", bound)
        with pytest.raises(ConfigError, match=r"headrace keys new.*--no-keys") as caught:
            serve(Models(EchoModel()), host="0.0.0.0", port=0)
    assert caught.value.code == "keys_needed"
    assert all(sock.fileno() == -1 for sock in taken)  # it listens no more


def test_others_can_reach_it_is_said() -> None:
    for host, warned in (("0.0.0.0", True), ("127.0.0.1", False)):
        with process(host, 30.0, "--no-keys") as (served, url):

            async def main(port: str = url.rpartition(":")[2]) -> None:
                async with connected(f"http://127.0.0.1:{port}") as client:
                    await client.send(request("GET", "/health"))
                    await client.response()

            asyncio.run(main())  # it listens to signals by now
            served.send_signal(signal.SIGTERM)
            out, _ = end_of(served)
        assert ("warning: others can reach this address" in out) is warned


def test_the_line_to_try_names_a_model_that_can_answer() -> None:
    card = ModelCard("local/none", owner="local", state="not installed", aliases=("local",))
    absent = EchoModel(card=card)
    for models, tried in (((absent, EchoModel()), ['"model": "sim/echo"']), ((absent,), [])):
        sockets = bind("127.0.0.1", 0)
        try:
            _, _, *rest = greeting(sockets, make_app(Models(*models)))
        finally:
            for sock in sockets:
                sock.close()
        assert len(rest) == len(tried)
        assert all(
            line.startswith("try: curl") and one in line for line, one in zip(rest, tried, strict=True)
        )


def test_a_port_in_use_is_named_with_the_flag_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .* in use.*--port") as caught:
            bind("127.0.0.1", port)
    assert (caught.value.code, caught.value.field, caught.value.source) == ("port_in_use", "port", "--port")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 70])
def test_a_host_that_is_not_here_is_named_with_the_flag_to_change(host: str) -> None:
    with pytest.raises(ConfigError, match="--host") as caught:
        bind(host, 0)
    assert host in str(caught.value)
    assert caught.value.field == "host"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)])
def test_what_others_can_reach(host: str, loopback: bool) -> None:
    sockets = bind(host, 0)
    try:
        assert is_loopback(sockets) is loopback
        assert url_of(sockets[0]).startswith("http://")
    finally:
        for sock in sockets:
            sock.close()


def test_a_server_can_be_embedded_and_used_again_on_its_port() -> None:
    async def once(port: int) -> int:
        async with running_server(Models(EchoModel()), port=port) as server:
            async with connected(server.url) as client:
                await client.send(request("GET", "/health"))
                assert (await client.response()).status == 200
            return int(server.url.rpartition(":")[2])

    async def main() -> None:
        port = await once(0)
        assert await once(port) == port

    asyncio.run(main())


def test_one_line_a_request_only_when_asked(carrier: Carrier, caplog: pytest.LogCaptureFixture) -> None:
    door = Door(keys=Keys({"key_me": KeySettings(sha256=digest_of("secret"))}))
    before_s = time.time()

    async def main() -> None:
        async with (
            running_server(Models(EchoModel()), access_log=True, door=door) as server,
            connected(server.url) as client,
        ):
            await client.send(request("GET", "/health", headers=("X-Request-Id: me",)))
            await client.response()
            bearer = b"\r\nAuthorization: Bearer secret\r\n\r\n"
            await client.send(chat(model="sim/echo").replace(b"\r\n\r\n", bearer, 1))
            await client.response()

    caplog.set_level(logging.INFO, "headrace.access")
    asyncio.run(main())
    lines = [json.loads(record.message) for record in caplog.records if record.name == "headrace.access"]
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/health", 200),
        ("/v1/chat/completions", 200),
    ]
    assert lines[0]["request_id"] == "me"
    assert [line.get("key") for line in lines] == [None, "key_me"]
    assert all(before_s - 0.001 <= line["time"] <= time.time() for line in lines)
    assert "secret" not in caplog.text
    assert lines[1]["bytes_out"] > 0

    caplog.clear()

    async def quiet() -> None:
        async with carrier.serving(Models(EchoModel())) as served, connected(served.url) as client:
            await client.send(chat(model="sim/echo"))
            await client.response()

    carrier.run(quiet())
    assert not [record for record in caplog.records if record.name.startswith("headrace")]


def test_an_endpoint_that_raises_is_a_500_and_the_server_lives_on(
    carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with carrier.serving(Models()) as served, connected(served.url) as client:

            def broken(exchange: object) -> None:
                raise ZeroDivisionError("secret")

            served.app.routes["GET", "/broken"] = broken
            await client.send(request("GET", "/broken"))
            response = await client.response()
            assert (response.status, response.error["code"]) == (500, "internal_error")
            assert b"secret" not in response.body
            await client.send(request("GET", "/health"))
            assert (await client.response()).status == 200

    carrier.run(main())
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_counters_add_up() -> None:
    counters = Counters()
    usage = Usage(10, 5)
    for ttft_s in (0.0005, 0.001, 0.3, 60.0):
        counters.add(Tally("m", Finish(), 1.0, ttft_s, usage))
    counters.add(Tally("m", Cancelled(), 1.0, lost=True))
    assert (counters.answers, counters.finished, counters.cancelled, counters.lost) == (5, 4, 1, 1)
    assert (counters.input_tokens, counters.output_tokens, counters.usage_unknown) == (40, 20, 1)
    buckets = dict(zip((*TTFT_BUCKETS_S, float("inf")), counters.ttft_counts, strict=True))
    assert {edge: count for edge, count in buckets.items() if count} == {0.001: 2, 0.5: 1, float("inf"): 1}
    assert set(counters.as_data()) >= {"answers", "ttft_counts", "bytes_out"}
