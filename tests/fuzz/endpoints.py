"""Every endpoint of the description, asked what its schema allows and what it does not: none may answer 5xx.

`python -m tests.fuzz.endpoints` asks long; tests/server/test_openapi.py asks briefly.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from headrace.server.limits import Limits
from headrace.server.serve import running_server
from headrace.simulate.echo import EchoModel, EchoScript
from tests.server.doubles import Models

SAYS = EchoScript(reply="Hello")  # a model that says nothing is a 502, and rightly


@contextmanager
def serving() -> Iterator[str]:
    """A server with a simulated model, in a thread; its URL."""
    urls: list[str] = []
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        over = asyncio.Event()
        async with running_server(Models(EchoModel(SAYS)), limits=Limits(drain_s=2)) as server:
            urls.append(server.url)
            loops.append((asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        if not ready.wait(10):
            raise RuntimeError("the server did not start")
        yield urls[0]
    finally:
        for loop, over in loops:
            loop.call_soon_threadsafe(over.set)
        thread.join(10)


def ask_all(url: str, max_examples: int) -> Counter[int]:
    """Ask each operation so often; statuses and how often they came. Raises AssertionError at a 5xx."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    seen: Counter[int] = Counter()
    for found in schema.get_all_operations():
        _ask(found.ok(), max_examples, seen)
    return seen


def _ask(operation: Any, max_examples: int, seen: Counter[int]) -> None:
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(modes), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known and isinstance(case.body, dict) and "model" in case.body:
            case.body["model"] = "sim/echo"  # else hardly any request would get as far as a model
        if known and "model" in (case.path_parameters or {}):
            case.path_parameters["model"] = "sim/echo"
        response = case.call(timeout=10)
        seen[response.status_code] += 1
        told = f"{operation.method} {operation.path}: {response.status_code} {response.content[:500]!r}"
        assert response.status_code < 500, told
        assert b"Traceback" not in response.content, told

    ask()


def main() -> int:
    """Ask long."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.endpoints", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="of each endpoint (default 2000)")
    asked = parser.parse_args()
    with serving() as url:
        seen = ask_all(url, asked.examples)
    print(", ".join(f"{count} x {status}" for status, count in sorted(seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
