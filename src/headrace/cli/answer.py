"""One answer on the terminal: its text as it comes, its speed at the end, stopped by cancelling."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from headrace.cli.speed import Speed
from headrace.cli.terminal import clean, has_colour, note, one_line, paint
from headrace.core.chunk import Cancelled, Chunk, ReasoningDelta, RefusalDelta, Terminal
from headrace.core.fold import ReplyFold
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.dispatch.runtime import Runtime


class Printer:
    """A sink that prints the answer to stdout and, on a terminal, the reasoning dimmed to stderr."""

    def __init__(self) -> None:
        self._fold = ReplyFold()
        self.speed = Speed(time.monotonic_ns)
        self.ended = asyncio.Event()
        self.broken: OSError | None = None
        self._clean = sys.stdout.isatty()
        self._thoughts = has_colour(sys.stderr)
        self._last = ""

    @property
    def reply(self) -> Reply:
        """The answer as far as it came."""
        return self._fold.reply()

    def push(self, batch: Sequence[Chunk], /) -> None:
        self.speed.see(batch)
        self._fold.feed(batch)
        try:
            for chunk in batch:
                if isinstance(chunk, ReasoningDelta):
                    self._aside(chunk.reasoning)
                else:
                    self._say(chunk.refusal if isinstance(chunk, RefusalDelta) else chunk.text)
            sys.stdout.flush()
        except OSError as error:  # our reader went away; a sink must not raise into its source
            self.broken = error
            self.ended.set()

    def end(self, terminal: Terminal, /) -> None:
        self._fold.feed([terminal])
        self.ended.set()

    def finish_line(self) -> None:
        """End the line that the answer left open."""
        if self._last and not self._last.endswith("\n"):
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _say(self, text: str) -> None:
        if text:
            self._last = text
            sys.stdout.write(clean(text) if self._clean else text)

    def _aside(self, reasoning: str) -> None:
        if self._thoughts:
            sys.stderr.write(paint(clean(reasoning), sys.stderr, dim=True))
            sys.stderr.flush()


async def answer(runtime: Runtime, request: Request, printer: Printer, *, stats: bool) -> None:
    """Ask `request` and print what comes. Cancelling the caller stops the source at once.

    Raises: the failure's error, after what came before it was printed; BrokenPipeError where the reader of
    our output went away.
    """
    opened = runtime.resolve(request.model).open(request)
    for warning in opened.warnings:
        note(f"warning: {one_line(warning)}", fg="yellow")
    opened.source.start(printer)
    try:
        await printer.ended.wait()
    except asyncio.CancelledError:
        opened.source.cancel()
        await printer.ended.wait()
        _close(printer, stats)
        raise
    if printer.broken is not None:
        opened.source.cancel()
        raise printer.broken
    _close(printer, stats)
    failure = printer.reply.failure
    if failure is not None:
        raise failure.error()


def _close(printer: Printer, stats: bool) -> None:
    printer.finish_line()
    if stats and (printer.speed.began or printer.reply.failure is None):
        note(_summary(printer.reply, printer.speed), dim=True)


def _summary(reply: Reply, speed: Speed) -> str:
    line = speed.line(reply.usage)
    if isinstance(reply.terminal, Cancelled):
        return f"{line} · stopped"
    return line if reply.finish_reason in ("stop", "error") else f"{line} · ended by {reply.finish_reason}"
