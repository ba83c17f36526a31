"""`headrace convert`: a recorded stream of one protocol -> the same answer in another."""

from __future__ import annotations

from collections.abc import Sequence

import click

from headrace.cli.losses import losses
from headrace.cli.recordings import decoded, read_options, write_out
from headrace.cli.reframe import Framing
from headrace.cli.terminal import note, one_line
from headrace.core.chunk import Cancelled, Chunk, Failure
from headrace.core.fold import ReplyFold
from headrace.core.reply import Reply
from headrace.core.request import Request
from headrace.errors import StreamCancelledException
from headrace.wire import FRONTS, WIRES, front_named, reader_of, wire_named
from headrace.wire.base import ParsedRequest, Says

# The answer's own id, model and time; and all that a client may ask to be told of it.
_AS_THE_SOURCE = Says("", "", 0)
_ALL = ParsedRequest(Request(""), stream=True, include_usage=True, wanted={"details": True})


@click.command("convert")
@click.option(
    "--from", "source", required=True, type=click.Choice(WIRES), help="The protocol the recording speaks."
)
@click.option(
    "--to", "target", required=True, type=click.Choice(tuple(FRONTS)), help="The protocol to write."
)
@click.option("--final", is_flag=True, help="One JSON body a file, as an answer that is not streamed.")
@read_options
def command(
    source: str, target: str, final: bool, framing: Framing, exit_status: bool, files: tuple[str, ...]
) -> int:
    """Convert recorded vendor streams into another protocol's.

    Reads FILES, or standard input where there is none (or it is `-`), in pieces, and writes the other
    protocol's events as soon as they are complete. A stream that failed or was cut ends in that protocol's
    own error. What the other protocol has no place for is said on stderr, once.

    \b
    Examples:
      headrace convert --from anthropic --to openai_chat recording.sse
      headrace convert --from gemini --to ollama --final recording.sse
      curl -sN ... | headrace convert --from openai_chat --to anthropic
    """
    wire = wire_named(source)
    failed = False
    told: set[str] = set()
    for name in files or ("-",):
        conversion = Conversion(target)
        for batch in decoded(name, wire, framing):
            data = conversion.feed(batch)
            if not final:
                write_out(data)
        reply = conversion.said()
        if final:
            write_out(whole_body(target, reply) + b"\n")
        lost = conversion.losses()
        failed = failed or conversion.failed
        for loss in lost:
            if loss not in told:
                note(f"warning: {one_line(loss)}", fg="yellow")
            told.add(loss)
    return 1 if failed and exit_status else 0


class Conversion:
    """One answer on its way into the protocol `to`: what goes out is read again, to find what it lacks.

    Both readings are kept, so memory grows with the answer.
    """

    def __init__(self, to: str) -> None:
        self._to = to
        self._front = front_named(to)
        self._encoder = self._front.encoder(_AS_THE_SOURCE, _ALL)
        self._said = ReplyFold()
        self._reader = reader_of(to).decoder()
        self._heard = ReplyFold()

    def feed(self, batch: Sequence[Chunk]) -> bytes:
        """The bytes that `batch` makes complete."""
        self._said.feed(batch)
        data = b"".join(self._written(one) for one in self._encoder.feed(batch))
        self._heard.feed(self._reader.feed([data]))
        return data

    def _written(self, out: bytes | Failure) -> bytes:
        """A Failure is what the protocol cannot say: a server answers with its body."""
        return self._front.error_body(out) if isinstance(out, Failure) else out

    def said(self) -> Reply:
        """What came, whole."""
        return self._said.reply()

    @property
    def failed(self) -> bool:
        """Whether what came or what went out did not end well."""
        return any(isinstance(one.reply().terminal, Failure) for one in (self._said, self._heard))

    def losses(self) -> list[str]:
        """What did not go out as it came, once all has; one sentence each."""
        self._heard.feed(self._reader.close())
        return [*losses(self.said(), self._heard.reply(), self._to)]


def whole_body(to: str, reply: Reply) -> bytes:
    """The body of the answer that is not streamed; the error's where the stream ended badly."""
    front, end = front_named(to), reply.terminal
    if isinstance(end, Cancelled):
        end = Failure.of(StreamCancelledException(end.why or "the stream was cancelled"))
    if not isinstance(end, Failure):
        body = front.body(reply, _AS_THE_SOURCE, _ALL)
        if isinstance(body, bytes):
            return body
        end = body  # what the protocol cannot say
    return front.error_body(end)
