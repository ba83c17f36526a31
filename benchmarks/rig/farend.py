"""Starts the far ends, the upstream and the load, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from benchmarks.rig.crowd import Gathered
from benchmarks.rig.load import Plan, Report
from benchmarks.rig.protocols import CHAT, Protocol, words


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A model server that runs: its process and its port."""

    pid: int
    port: int


@contextmanager
def far_end(module: str) -> Iterator[FarEnd]:
    """A model server, by the module of the rig that it is."""
    command = [sys.executable, "-m", f"benchmarks.rig.{module}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield FarEnd(process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def upstream() -> Iterator[int]:
    """The scripted model server; gives its port."""
    with far_end("upstream") as found:
        yield found.port


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


class Crowd:
    """Readers of slow streams in a process of their own; see `benchmarks.rig.crowd`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def gathered(self) -> Gathered:
        """What they have, once all streams have ended. Raises RuntimeError where the process failed."""
        assert self._process.stdout is not None
        told = self._process.stdout.read()
        if self._process.wait():
            raise RuntimeError("the crowd failed before its streams had ended")
        return msgspec.json.decode(told, type=Gathered)


@contextmanager
def crowd(plan: Plan) -> Iterator[Crowd]:
    """All the plan's streams open, each with its first text.

    Raises: RuntimeError where they do not come so far.
    """
    command = [sys.executable, "-m", "benchmarks.rig.crowd"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            process.stdin.flush()
            if process.stdout.readline().strip() != b"full":
                raise RuntimeError("the crowd failed before its streams were open")
            yield Crowd(process)
        finally:
            process.terminate()
