"""From a name to a connected protocol: lookup, a race over the addresses, TLS.

The race is RFC 8305 in its plain form: addresses in the resolver's order with the families taking turns, a
new attempt each 250 ms or as soon as one fails; the first to connect wins. (uvloop has no such option.)
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any, TypeAlias

from headrace.transport.failures import HandshakeFailed
from headrace.transport.tls import tls_context
from headrace.transport.url import Origin

STAGGER_S = 0.25
Address: TypeAlias = tuple[int, Any]  # family, socket address


async def dial(origin: Origin, protocol: asyncio.Protocol) -> None:
    """Connect `protocol` to `origin`; after this its `connection_made` has been called.

    Raises: OSError (gaierror, ConnectionRefusedError, ssl.SSLError, ...). Cancelling it leaves no socket.
    """
    loop = asyncio.get_running_loop()
    context = tls_context(origin.ca_file) if origin.tls else None
    addresses = await _addresses(origin)
    if context is None and len(addresses) == 1:
        # No race and no handshake to tell apart: the loop's own way costs less than half.
        family, where = addresses[0]
        await loop.create_connection(lambda: protocol, where[0], where[1], family=family)
        return
    sock = await _race(addresses)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.create_connection(
            lambda: protocol, sock=sock, ssl=context, server_hostname=origin.host if context else None
        )
    except ConnectionError as error:
        # TCP stood already, so this is the handshake. (Without TLS nothing is awaited that could fail so.)
        raise HandshakeFailed("the connection was closed during the handshake") from error


async def _addresses(origin: Origin) -> list[Address]:
    try:
        number = ipaddress.ip_address(origin.host)
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(
            origin.host, origin.port, type=socket.SOCK_STREAM
        )
        return _interleaved([(family, address) for family, _, _, _, address in found])
    return [(socket.AF_INET6 if number.version == 6 else socket.AF_INET, (origin.host, origin.port))]


def _interleaved(addresses: list[Address]) -> list[Address]:
    """The families take turns, beginning with the resolver's first."""
    first = [each for each in addresses if each[0] == addresses[0][0]]
    other = [each for each in addresses if each[0] != addresses[0][0]]
    mixed: list[Address] = []
    for turn in range(max(len(first), len(other))):
        mixed += first[turn : turn + 1] + other[turn : turn + 1]
    return mixed


async def _connect(address: Address) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


async def _race(addresses: list[Address]) -> socket.socket:
    if len(addresses) == 1:
        return await _connect(addresses[0])
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[OSError] = []
    left = list(reversed(addresses))
    try:
        while left or running:
            if left:
                running.add(asyncio.create_task(_connect(left.pop())))
            done, running = await asyncio.wait(
                running, timeout=STAGGER_S if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            winner = _winner(done, errors)
            if winner is not None:
                return winner
    finally:
        _drop(running)
    raise _telling(errors)


def _winner(done: set[asyncio.Task[socket.socket]], errors: list[OSError]) -> socket.socket | None:
    """One connected socket of those that ended (others are closed), the errors noted."""
    winner: socket.socket | None = None
    for task in done:
        error = task.exception()
        if isinstance(error, OSError):
            errors.append(error)
        elif error is not None:
            raise error
        elif winner is None:
            winner = task.result()
        else:
            task.result().close()
    return winner


def _drop(running: set[asyncio.Task[socket.socket]]) -> None:
    for task in running:
        task.cancel()
        task.add_done_callback(_close_result)


def _close_result(task: asyncio.Task[socket.socket]) -> None:
    """One that won the race against its own cancellation."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _telling(errors: list[OSError]) -> OSError:
    """Of all attempts' errors the one that says most: refused before unreachable."""
    refused = [error for error in errors if isinstance(error, ConnectionRefusedError)]
    return (refused or errors or [OSError("no address")])[0]
