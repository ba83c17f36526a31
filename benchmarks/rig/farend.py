"""Starts the far ends, the upstream and the load, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.rig.load import Plan, Report
from benchmarks.rig.protocols import CHAT, Protocol, words


@contextmanager
def upstream() -> Iterator[int]:
    """The scripted model server; gives its port."""
    command = [sys.executable, "-m", "benchmarks.rig.upstream"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def ask(model: str, *, include_usage: bool = True, protocol: Protocol = CHAT) -> str:
    """The JSON body of a streamed request."""
    return json.dumps(protocol.body(model, include_usage))


def plan_for(
    port: int, path: str, model: str, streams: int, *, protocol: Protocol = CHAT, **more: object
) -> Plan:
    """A plan whose answers must be whole: `model` ends in the behaviour and the number of pieces."""
    pieces = int(model.rpartition("-")[2])
    raw = {
        "port": port,
        "path": path,
        "body": ask(model, protocol=protocol),
        "streams": streams,
        "text": "".join(words(pieces)),
        "wire": protocol.name,
    }
    return msgspec.convert({**raw, **more}, Plan)


def load(plan: Plan) -> Report:
    """Run a plan to its end. Raises RuntimeError where the load process itself fails."""
    command = [sys.executable, "-m", "benchmarks.rig.load"]
    done = subprocess.run(command, input=msgspec.json.encode(plan) + b"\n", capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=Report)


@contextmanager
def held(plan: Plan) -> Iterator[None]:
    """All the plan's streams open and waiting, each with its first text; hung up on leaving.

    Raises: RuntimeError where a stream did not come so far.
    """
    plan.hold = True
    command = [sys.executable, "-m", "benchmarks.rig.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            process.stdin.flush()
            if process.stdout.readline().strip() != b"holding":
                raise RuntimeError("the load generator failed before its streams were open")
            yield
            process.stdin.close()
            report = msgspec.json.decode(process.stdout.read(), type=Report)
            if report.wrong:
                raise RuntimeError(f"{len(report.wrong)} of {plan.streams} streams failed: {report.wrong[0]}")
        finally:
            process.terminate()
