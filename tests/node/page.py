"""A web page under Node: the unmodified npm package `ai`, driven over a pipe."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from typing import Any

HERE = Path(__file__).parent
READY = HERE / "node_modules" / ".ready"
VERSIONS = (7, 6)  # of the package, that the lock pins
ANSWER_S = 60.0


def missing() -> str:
    """Why there is no page, empty where there is one."""
    if shutil.which("node") is None:
        return "node is not installed: the npm package `ai` cannot judge"
    return (
        "" if READY.exists() else "the npm package `ai` is not installed: `make test` does it, where npm is"
    )


class Page:
    """A running driver (`driver.mjs`). It may be asked from several threads."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._ids = count()
        self._lock = threading.Lock()
        self._waiting: dict[int, Queue[dict[str, Any]]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, op: str, **command: Any) -> dict[str, Any]:
        """What the driver answers to a command."""
        id, answers = next(self._ids), Queue[dict[str, Any]]()
        self._waiting[id] = answers
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"id": id, "op": op, **command}) + "\n")
            self._process.stdin.flush()
        try:
            answer = answers.get(timeout=ANSWER_S)
        except Empty:
            raise AssertionError(f"no answer within {ANSWER_S} s to {op}") from None
        finally:
            del self._waiting[id]
        assert "broken" not in answer, answer["broken"]
        return answer

    def read(self, version: int = VERSIONS[0], **command: Any) -> dict[str, Any]:
        """Read one answer: `message`, `parts`, `error`."""
        return self.ask("read", version=version, **command)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            self._waiting[answer.pop("id")].put(answer)
        for waiting in list(self._waiting.values()):
            waiting.put({"broken": f"the driver has ended ({self._process.poll()})"})


@contextmanager
def running_page() -> Iterator[Page]:
    """A page, stopped with the block."""
    argv = ["node", str(HERE / "driver.mjs")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        page = Page(process)
        try:
            yield page
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
            page._reader.join(5)
