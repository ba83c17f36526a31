"""Get one file over HTTP(S) or from disk, going on where an earlier try was cut. Blocking: for a thread."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit, urlunsplit

from headrace.errors import RunnerError, StreamCancelledException
from headrace.runners.address import Address

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (bytes done, bytes in all; 0 where unknown)."""

_READ_BYTES = 256 * 1024
_STALL_S = 60.0
_TRIES = 5  # in a row without a single new byte
_LOST = (OSError, http.client.HTTPException, TimeoutError)  # URLError is an OSError


def download(
    address: Address,
    target: Path,
    sha256: str,
    *,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    backoff_s: float = 0.5,
) -> None:
    """Fetch into `target`, which is there only once it is whole and its hash is right.

    What came so far is kept in `target` + ".part", for the next try or the next run.
    Raises RunnerError (E500) where it cannot be had; OSError for the local disk; StreamCancelledException
    when `stop` is set.
    """
    part = target.with_name(target.name + ".part")
    stop = stop or threading.Event()
    for fresh in (False, True):
        _fill(address, part, on_progress, stop, backoff_s)
        found = sha256_of(part, stop)
        if found == sha256:
            os.replace(part, target)
            return
        part.unlink()  # a damaged or foreign beginning: once more from nothing
        if fresh:
            raise RunnerError(
                f"what {address.shown} gives is not the pinned file (sha256 {found}, pinned {sha256})",
                code="E500",
            )


def sha256_of(path: Path, stop: threading.Event | None = None) -> str:
    """Of a whole file, in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
            _check(stop)
    return digest.hexdigest()


def _check(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise StreamCancelledException("the download was stopped")


def _fill(
    address: Address, part: Path, on_progress: Progress | None, stop: threading.Event, backoff_s: float
) -> None:
    """Until the whole body is in `part`; connections that break are made again."""
    idle_tries = 0
    while True:
        before = _size(part)
        try:
            _read_on(address, part, on_progress, stop)
            return
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (408, 425, 429) and error.code < 500:
                    raise _failed(address, f"HTTP {error.code}") from error
            reason: Exception = error
        except _Disk as error:
            raise error.cause from None
        except _LOST as error:
            reason = error
        idle_tries = 0 if _size(part) > before else idle_tries + 1
        if idle_tries >= _TRIES:
            raise _failed(address, _told(reason)) from reason
        stop.wait(min(backoff_s * 2**idle_tries, 8.0))
        _check(stop)


class _Disk(Exception):
    """The disk failed, not the network: not tried again."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _read_on(address: Address, part: Path, on_progress: Progress | None, stop: threading.Event) -> None:
    have = _size(part)
    try:
        request, context = _request(address, have), _context(address)
        response = urllib.request.urlopen(request, timeout=_STALL_S, context=context)  # noqa: S310 - checked
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing beyond what we have: whole, or of another file
            error.close()
            return
        raise
    with response:
        if getattr(response, "status", None) != 206:
            have = 0  # the whole file again: a server without ranges, or a file URL
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else 0
        _copy(response, part, have, total, on_progress, stop)
        if total and _size(part) < total:
            raise http.client.IncompleteRead(b"", total - _size(part))


def _copy(
    response: Any, part: Path, have: int, total: int, on_progress: Progress | None, stop: threading.Event
) -> None:
    with _opened(part, "ab" if have else "wb") as file:
        while data := response.read(_READ_BYTES):
            try:
                file.write(data)
                file.flush()
            except OSError as error:
                raise _Disk(error) from error
            have += len(data)
            if on_progress is not None:
                on_progress(have, total)
            _check(stop)


def _opened(part: Path, mode: str) -> Any:
    try:
        return part.open(mode)
    except OSError as error:
        raise _Disk(error) from error


def _request(address: Address, have: int) -> urllib.request.Request:
    parts = urlsplit(address.url)
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(url, headers={"User-Agent": "headrace"})  # noqa: S310 - the scheme was checked
    if parts.username is not None:
        # Kept out of logs and errors, and not sent on when the index redirects to another host.
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header(
            "Authorization", "Basic " + base64.b64encode(secret.encode()).decode()
        )
    if have:
        request.add_header("Range", f"bytes={have}-")
    return request


def _context(address: Address) -> ssl.SSLContext | None:
    if not address.url.startswith("https:"):
        return None
    return ssl.create_default_context(cafile=address.ca_file or None)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _told(reason: Exception) -> str:
    return f"{type(reason).__name__}: {reason}"


def _failed(address: Address, why: str) -> RunnerError:
    return RunnerError(f"cannot download {address.shown}: {why}", code="E500", http_status=503)
