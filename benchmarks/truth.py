"""The gateway that is measured is the real one: it counts, and it sees a stream that goes wrong."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.rig.farend import ask
from benchmarks.rig.gateways import Gateway
from benchmarks.rig.health import fetched
from benchmarks.rig.result import Check
from benchmarks.rig.verify import Answer, read_answer

FAULTS = {"cut-5": "truncated", "reset-5": "truncated", "unfinished-5": "truncated", "garbled-5": "wire"}


def answered(gateway: Gateway, model: str) -> Answer:
    """A streamed chat answer through a gateway, whatever became of it."""
    status, body = fetched(gateway.port, "POST", gateway.path, ask(gateway.prefix + model))
    return read_answer(b"HTTP/1.1 %d x\r\n\r\n" % status + body)


def truth_checks(gateway: Gateway) -> list[Check]:
    """Feed the gateway one good stream and every fault; ask it afterwards what it has counted."""
    return [good_stream(gateway), *(fault(gateway, *row) for row in FAULTS.items()), refusal(gateway)]


def good_stream(gateway: Gateway) -> Check:
    """A whole stream arrives whole, with the usage that was asked for."""
    answer = answered(gateway, "spread-20")
    passed = answer.done and answer.finish == "stop" and answer.output_tokens == 20
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
