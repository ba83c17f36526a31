"""From a name to a socket: lookup, the race over addresses, the connect clock."""

from __future__ import annotations

import asyncio
import socket

import pytest

from headrace.testing.loopback import Loopback, Peer, loopback
from headrace.testing.recorder import Recorder, turns
from headrace.transport import dial as dialling
from headrace.transport.http import HttpRequest
from headrace.transport.pool import HttpPool


async def answers(peer: Peer) -> None:
    while True:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


async def ask(pool: HttpPool, url: str, **more: float) -> Recorder:
    recorder = Recorder()
    pool.send(HttpRequest("GET", url), recorder, **more)
    assert not recorder.ends
    await recorder.end()
    return recorder


def names(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[int, tuple]) -> None:
    """Let every name stand for these addresses."""

    async def addresses_of(origin):
        return dialling._interleaved(list(addresses))

    monkeypatch.setattr(dialling, "_addresses", addresses_of)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def v4(port: int) -> tuple[int, tuple]:
    return socket.AF_INET, ("127.0.0.1", port)


def full_server() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full: connecting to it hangs, as to a host behind a firewall that drops."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    crowd = []
    for _ in range(8):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        crowd.append(sock)
    return listener, crowd


@pytest.fixture
def hanging():
    """An address on which connecting hangs."""
    listener, crowd = full_server()
    yield v4(listener.getsockname()[1])
    for sock in (listener, *crowd):
        sock.close()


def test_refused(run) -> None:
    async def main() -> None:
        async with HttpPool() as pool:
            recorder = await ask(pool, f"http://127.0.0.1:{closed_port()}/")
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "connect_refused")
            assert pool.connections == 0

    run(main())


def test_no_such_name(run, monkeypatch) -> None:
    async def main() -> None:
        async def unknown(origin):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(dialling, "_addresses", unknown)
        async with HttpPool() as pool:
            recorder = await ask(pool, "http://nobody.invalid/")
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "dns")
            assert recorder.failure.retryable

    run(main())


def test_unreachable(run, monkeypatch) -> None:
    async def main() -> None:
        async def connect(address):
            raise OSError(101, "Network is unreachable")

        monkeypatch.setattr(dialling, "_connect", connect)
        async with HttpPool() as pool:
            recorder = await ask(pool, "http://a.example/")
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "unreachable")
            assert "Network is unreachable" in recorder.failure.message

    names(monkeypatch, v4(1), v4(2))
    run(main())


@pytest.mark.parametrize("count", [1, 2])
def test_the_connect_clock(run, monkeypatch, hanging, count: int) -> None:
    async def main() -> None:
        async with HttpPool() as pool:
            recorder = await ask(pool, "http://a.example/", connect_s=0.1)
            failure = recorder.failure
            assert (failure.kind, failure.code, failure.http_status) == ("timeout", "connect", 504)
            assert "0.1 s" in failure.message
            assert pool.connections == 0

    names(monkeypatch, *[hanging] * count)
    run(main())


def test_a_dead_first_address_costs_one_stagger(run, monkeypatch, hanging) -> None:
    monkeypatch.setattr(dialling, "STAGGER_S", 0.05)

    async def main() -> None:
        async with loopback(answers) as server, HttpPool() as pool:
            names(monkeypatch, hanging, v4(server.port))
            recorder = await ask(pool, "http://a.example/")
            assert recorder.body == b"hi"
            await turns()

    run(main())


def test_a_refused_first_address_costs_nothing(run, monkeypatch) -> None:
    monkeypatch.setattr(dialling, "STAGGER_S", 20.0)

    async def main() -> None:
        async with loopback(answers) as server, HttpPool() as pool:
            names(monkeypatch, v4(closed_port()), v4(server.port))
            assert (await ask(pool, "http://a.example/")).body == b"hi"

    run(main())


def test_all_refused(run, monkeypatch) -> None:
    async def main() -> None:
        async with HttpPool() as pool:
            recorder = await ask(pool, "http://a.example/")
            assert recorder.failure.code == "connect_refused"

    names(monkeypatch, v4(closed_port()), v4(closed_port()))
    run(main())


def test_a_cancelled_race_leaves_nothing(run, monkeypatch, hanging) -> None:
    monkeypatch.setattr(dialling, "STAGGER_S", 0.01)

    async def main() -> None:
        async with HttpPool() as pool:
            recorder = Recorder()
            call = pool.send(HttpRequest("GET", "http://a.example/"), recorder)
            await asyncio.sleep(0.05)
            call.cancel()
            await turns()
            assert pool.connections == 0
            assert not recorder.ends

    names(monkeypatch, hanging, hanging, hanging)
    run(main())


def test_families_take_turns() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    given = [(six, 1), (six, 2), (six, 3), (four, 4)]
    assert dialling._interleaved(given) == [(six, 1), (four, 4), (six, 2), (six, 3)]
    assert dialling._interleaved(given[3:]) == [(four, 4)]


def test_a_name_is_looked_up(run) -> None:
    async def main() -> None:
        async with loopback(answers) as server, HttpPool() as pool:
            recorder = await ask(pool, f"http://localhost:{server.port}/")
            assert recorder.body == b"hi"
            assert _host(server) == f"localhost:{server.port}"

    run(main())


def _host(server: Loopback) -> str:
    head = server.requests[0][0].decode()
    return head.split("host: ")[1].split("\r\n")[0]
