"""Listening sockets, and clear words for why there can be none."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any

from headrace.errors import ConfigError


def bind(host: str, port: int) -> list[socket.socket]:
    """A listening address for each address of `host`. port: 0 for any free one (then one address only).

    Raises: ConfigError that names the port and the flag to change.
    """
    sockets: list[socket.socket] = []
    trouble: OSError | None = None
    for family, address in _addresses(host, port):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(2048)
        except OSError as error:
            sock.close()
            trouble = error
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                break
            continue  # such as ::1 on a machine without IPv6
        sock.setblocking(False)
        sockets.append(sock)
        if port == 0:
            break
    if trouble is not None and (not sockets or trouble.errno in (errno.EADDRINUSE, errno.EACCES)):
        for sock in sockets:
            sock.close()
        raise _refusal(host, port, trouble) from trouble
    return sockets


def is_loopback(sockets: Sequence[socket.socket]) -> bool:
    """Whether only this machine can reach every one of them."""
    return all(str(sock.getsockname()[0]).startswith(("127.", "::1")) for sock in sockets)


def url_of(sock: socket.socket) -> str:
    """http://host:port of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(
            f"cannot listen on host {host!r}: {error}; choose another with --host",
            source="--host",
            field="host",
        ) from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _refusal(host: str, port: int, error: OSError) -> ConfigError:
    where = f"port {port} on {host or 'every address'}"
    if error.errno == errno.EADDRINUSE:
        message = f"{where} is in use: stop what listens there, or choose another with --port"
        return ConfigError(message, source="--port", field="port", code="port_in_use")
    if error.errno == errno.EACCES:
        message = f"{where} needs more rights than this process has: choose one above 1023 with --port"
        return ConfigError(message, source="--port", field="port", code="port_forbidden")
    message = f"cannot listen on {where}: {error.strerror}; choose another with --host"
    return ConfigError(message, source="--host", field="host", code="host_unusable")
