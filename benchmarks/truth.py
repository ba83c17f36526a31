"""The gateway that is measured is the real one: it counts, and it sees a stream that goes wrong."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.rig.farend import ask
from benchmarks.rig.gateways import Gateway
from benchmarks.rig.health import fetched, health
from benchmarks.rig.result import Check
from benchmarks.rig.verify import Answer, read_answer

PIECES = 20
FAULTS = {"cut-5": "truncated", "reset-5": "reset", "unfinished-5": "truncated", "garbled-5": "wire"}


def answered(gateway: Gateway, model: str) -> Answer:
    """A streamed chat answer through a gateway, whatever became of it."""
    status, body = fetched(gateway.port, "POST", gateway.path, ask(gateway.prefix + model))
    return read_answer(b"HTTP/1.1 %d x\r\n\r\n" % status + body)


def truth_checks(gateway: Gateway) -> list[Check]:
    """Feed the gateway one good stream and every fault; ask it before and after what it has counted."""
    before = health(gateway.port)["counters"]
    checks = [good_stream(gateway), *(fault(gateway, *row) for row in FAULTS.items()), refusal(gateway)]
    return [*checks, counted(before, health(gateway.port)["counters"])]


def counted(before: dict[str, Any], after: dict[str, Any]) -> Check:
    """The gateway's own counters know what went through it: outcomes, usage, times to the first token."""
    streams = 1 + len(FAULTS)
    expected = {
        "relayed": streams + 1,  # with the refusal
        "finished": 1,
        "failed": streams,
        "output_tokens": PIECES,
        "ttft_counts": streams,
    }
    found = {name: _total(after[name]) - _total(before[name]) for name in expected}
    name = "its own counters agree: outcomes, usage, first tokens"
    return Check(name, found == expected, json.dumps(found))


def _total(value: int | list[int]) -> int:
    return sum(value) if isinstance(value, list) else value


def good_stream(gateway: Gateway) -> Check:
    """A whole stream arrives whole, with the usage that was asked for."""
    answer = answered(gateway, f"spread-{PIECES}")
    passed = answer.done and answer.finish == "stop" and answer.output_tokens == PIECES
    return Check("a good stream passes with its usage", passed, f"{answer.output_tokens} output tokens")


def fault(gateway: Gateway, model: str, code: str) -> Check:
    """A stream that goes wrong after its first text ends in one error event of the client's protocol."""
    answer = answered(gateway, model)
    error: dict[str, Any] = answer.error or {}
    passed = error.get("code") == code and not answer.garbled and not answer.finish
    return Check(f"{model.partition('-')[0]} stream: typed error {code!r}", passed, json.dumps(error))


def refusal(gateway: Gateway) -> Check:
    """An upstream that refuses before its stream gives the client a real status."""
    status, body = fetched(gateway.port, "POST", gateway.path, ask(gateway.prefix + "refused-1"))
    passed = status >= 500 and b'"error"' in body
    return Check("refused stream: a real HTTP status", passed, f"status {status}")
