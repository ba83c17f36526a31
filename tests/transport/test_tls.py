"""TLS: verification is always on, and every way it can fail is typed."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from headrace.testing.loopback import Peer, loopback
from headrace.testing.recorder import Recorder, turns
from headrace.transport.http import HttpRequest
from headrace.transport.pool import HttpPool

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served_by(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def pem(authority: trustme.CA, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


async def answers(peer: Peer) -> None:
    while True:
        await peer.request()
        peer.write(ANSWER)


async def ask(pool: HttpPool, url: str, ca_file: str = "", **more) -> Recorder:
    recorder = Recorder()
    recorder.call = pool.send(HttpRequest("GET", url, ca_file=ca_file), recorder, **more)
    await recorder.end()
    return recorder


def test_the_right_authority_is_trusted_and_connections_are_kept(run, authority, tmp_path: Path) -> None:
    async def main() -> None:
        context = served_by(authority, "localhost")
        async with loopback(answers, tls=context) as server, HttpPool() as pool:
            for _ in range(3):
                recorder = await ask(pool, server.url, pem(authority, tmp_path))
                assert recorder.body == b"hi"
            assert len(server.peers) == 1
            assert pool.idle == 1

    run(main())


def test_ssl_cert_file_is_honoured(run, authority, tmp_path: Path, monkeypatch) -> None:
    async def main() -> None:
        context = served_by(authority, "localhost")
        async with loopback(answers, tls=context) as server, HttpPool() as pool:
            assert (await ask(pool, server.url)).failure.code == "tls"
            monkeypatch.setenv("SSL_CERT_FILE", pem(authority, tmp_path))
            assert (await ask(pool, server.url)).body == b"hi"

    run(main())


def test_an_unknown_authority_fails_and_nothing_is_sent(run, authority, tmp_path: Path) -> None:
    async def main() -> None:
        context = served_by(authority, "localhost")
        async with loopback(answers, tls=context) as server, HttpPool() as pool:
            recorder = await ask(pool, server.url, pem(trustme.CA(), tmp_path))
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "tls")
            assert "not trusted" in recorder.failure.message
            assert pool.connections == 0
            assert not server.requests

    run(main())


def test_a_certificate_of_another_name_fails(run, authority, tmp_path: Path) -> None:
    async def main() -> None:
        context = served_by(authority, "other.example")
        async with loopback(answers, tls=context) as server, HttpPool() as pool:
            recorder = await ask(pool, server.url, pem(authority, tmp_path))
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "tls")

    run(main())


def test_requests_that_trust_differently_share_no_connection(run, authority, tmp_path: Path) -> None:
    async def main() -> None:
        context = served_by(authority, "localhost")
        async with loopback(answers, tls=context) as server, HttpPool() as pool:
            assert (await ask(pool, server.url, pem(authority, tmp_path))).body == b"hi"
            assert (await ask(pool, server.url)).failure.code == "tls"

    run(main())


def test_a_missing_authority_file_is_a_typed_failure(run) -> None:
    async def main() -> None:
        async with HttpPool() as pool:
            recorder = await ask(pool, "https://localhost:1/", "/nowhere/ca.pem")
            assert (recorder.failure.kind, recorder.failure.code) == ("config", "ca_file")
            assert "/nowhere/ca.pem" in recorder.failure.message

    run(main())


def test_a_server_that_speaks_no_tls(run) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            recorder = await ask(pool, server.url.replace("http:", "https:"))
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "tls")

    run(main())


def test_a_server_that_hangs_up_in_the_handshake(run) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        peer.reset()

    async def main() -> None:
        async with loopback(script) as server, HttpPool() as pool:
            recorder = await ask(pool, server.url.replace("http:", "https:"))
            assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "tls")
            assert pool.connections == 0

    run(main())


async def silent(peer: Peer) -> None:
    await peer.gone()


def test_the_connect_clock_covers_the_handshake(run) -> None:
    async def main() -> None:
        async with loopback(silent) as server, HttpPool() as pool:
            recorder = await ask(pool, server.url.replace("http:", "https:"), connect_s=0.1)
            assert (recorder.failure.kind, recorder.failure.code) == ("timeout", "connect")
            assert pool.connections == 0
            await asyncio.wait_for(server.peers[0].closed.wait(), 10)

    run(main())


def test_cancel_in_the_handshake_closes_the_socket(run) -> None:
    async def main() -> None:
        async with loopback(silent) as server, HttpPool() as pool:
            recorder = Recorder()
            call = pool.send(HttpRequest("GET", server.url.replace("http:", "https:")), recorder)
            while not server.peers:
                await asyncio.sleep(0.001)
            call.cancel()
            await asyncio.wait_for(server.peers[0].closed.wait(), 10)
            await turns()
            assert pool.connections == 0
            assert not recorder.ends

    run(main())


def test_cancel_and_pause_of_a_body_under_tls(run, authority, tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        await peer.gone()

    async def main() -> None:
        async with loopback(script, tls=served_by(authority, "localhost")) as server, HttpPool() as pool:
            recorder = Recorder()
            call = pool.send(HttpRequest("GET", server.url, ca_file=pem(authority, tmp_path)), recorder)
            await recorder.fed.wait()
            call.pause()
            call.resume()
            call.cancel()
            await asyncio.wait_for(server.peers[0].closed.wait(), 10)
            await turns()
            assert pool.connections == 0
            assert not recorder.ends

    run(main())
