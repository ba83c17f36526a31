"""Recorded streams, and the official client's own accumulator as the judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from anthropic._streaming import SSEDecoder
from anthropic.lib.streaming._beta_messages import accumulate_event

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"


_LAST = b'data: {"type":"message_stop"}\n\n'


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream."""

    name: str
    body: bytes


def recording_paths() -> list[Path]:
    lines = sorted((RECORDINGS / "json_lines" / "anthropic").glob("*.jsonl"))
    return [*sorted((RECORDINGS / "anthropic").glob("*.sse")), *lines]


def read_recordings(path: Path) -> list[Recording]:
    """The answers in a file: a recorded conversation holds several, one behind the other."""
    body = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = [line for line in body.splitlines() if line.strip()]
        body = b"".join(b"data: " + line + b"\n\n" for line in lines)
    *answers, rest = body.split(_LAST)
    assert not rest.strip() or not answers
    name = str(path.relative_to(RECORDINGS))
    bodies = [answer + _LAST for answer in answers] or [body]
    return [Recording(f"{name}#{at}" if at else name, one) for at, one in enumerate(bodies)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    found = [one for path in recording_paths() for one in read_recordings(path)]
    if not found:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, pytest.mark.recordings])])
        return
    marks = pytest.mark.recordings
    metafunc.parametrize("recording", [pytest.param(one, id=one.name[-70:], marks=marks) for one in found])


def sdk_message(body: bytes) -> dict[str, Any]:
    """What the official client's accumulator makes of an answer's bytes, as plain data."""
    snapshot: Any = None
    bufs: dict[int, bytes] = {}
    for one in SSEDecoder().iter_bytes(iter([body])):
        if one.event == "ping" or not one.data or (event := one.json())["type"] == "ping":
            continue
        snapshot = accumulate_event(
            event=event, current_snapshot=snapshot, json_bufs=bufs, request_headers=None
        )
    said: dict[str, Any] = snapshot.model_dump(warnings=False)
    return said


@pytest.fixture(name="sdk_message")
def sdk_message_fixture() -> Callable[[bytes], dict[str, Any]]:
    return sdk_message
