"""A program in a real pseudo-terminal: what it shows is read, keys are typed, Ctrl-C is a signal."""

import asyncio
import contextlib
import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

PATIENCE_S = 30.0  # only a broken program takes so long


class Terminal:
    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._more = asyncio.Event()
        self._seen = 0
        self._over = False
        self.shown = ""
        self._loop.add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so when the last writer is gone
            data = b""
        self.shown += data.decode()
        if not data:
            self._over = True
            self._loop.remove_reader(self._master)
        self._more.set()

    async def interrupted(self, text: str) -> None:
        """Press Ctrl-C at a prompt until `text` comes, as a person would.

        A signal that arrives just before readline begins to wait is seen only at the next key: Python's own.
        """
        for _ in range(int(PATIENCE_S)):
            self.type("\x03")
            with contextlib.suppress(TimeoutError):
                await self.until(text, patience_s=1.0)
                return
        raise TimeoutError(f"{text!r} never came: {self.shown!r}")

    async def until(self, text: str, patience_s: float = PATIENCE_S) -> str:
        """What is shown up to and with the next `text`."""
        async with asyncio.timeout(patience_s):
            while (at := self.shown.find(text, self._seen)) < 0:
                assert not self._over, f"{text!r} never came: {self.shown!r}"
                self._more.clear()
                await self._more.wait()
        start, self._seen = self._seen, at + len(text)
        return self.shown[start : self._seen]

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def exit_code(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            while not self._over:
                self._more.clear()
                await self._more.wait()
        return await self._loop.run_in_executor(None, self._process.wait)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if not self._over:
            self._loop.remove_reader(self._master)
        os.close(self._master)


@asynccontextmanager
async def headrace_in_terminal(*args: str, env: Mapping[str, str]) -> AsyncIterator[Terminal]:
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "headrace", *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
    finally:
        os.close(slave)
    terminal = Terminal(master, process)
    with contextlib.closing(terminal):
        yield terminal
