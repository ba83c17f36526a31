"""`headrace decode`: recorded vendor streams -> chunks, or whole replies, as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from headrace.cli.reframe import Framing, Reframe
from headrace.cli.terminal import clean_json
from headrace.core.chunk import Chunk, Failure
from headrace.core.fold import ReplyFold
from headrace.core.reply import Reply
from headrace.core.stage import Stage, pipe
from headrace.wire import WIRES, wire_named
from headrace.wire.base import Wire

PIECE_BYTES = 64 * 1024


@click.command("decode")
@click.option("--wire", required=True, type=click.Choice(WIRES), help="The protocol the recording speaks.")
@click.option("--final", is_flag=True, help="One JSON object a file: what the stream adds up to.")
@click.option(
    "--framing",
    type=click.Choice(["auto", "sse", "jsonl"]),
    default="auto",
    show_default=True,
    help="Raw SSE bytes, or one event a line without SSE around it.",
)
@click.option("-e", "--exit-status", is_flag=True, help="Exit with 1 when a stream did not end well.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def command(wire: str, final: bool, framing: Framing, exit_status: bool, files: tuple[str, ...]) -> int:
    """Decode recorded vendor streams into chunks or final replies.

    Reads FILES, or standard input where there is none (or it is `-`), in pieces, and prints each chunk as
    one line of JSON as soon as it is complete. A stream that failed or was cut is printed as such.

    \b
    Examples:
      headrace decode --wire openai_chat recording.sse
      headrace decode --wire openai_chat --final *.sse | jq -r .text
      curl -sN ... | headrace decode --wire openai_chat
    """
    encode = _encoder()
    out = sys.stdout.buffer
    failed = False
    for name in files or ("-",):
        fold = ReplyFold()
        stage = _stage(wire_named(wire), framing)
        with _opened(name) as file:
            for batch in _batches(file, stage):
                fold.feed(batch)
                if not final:
                    out.writelines(encode(chunk) + b"\n" for chunk in batch)
                    out.flush()
        reply = fold.reply()
        failed = failed or isinstance(reply.terminal, Failure)
        if final:
            out.write(encode(final_of(reply)) + b"\n")
            out.flush()
    return 1 if failed and exit_status else 0


def _stage(wire: Wire, framing: Framing) -> Stage[bytes, Chunk]:
    """The wire's decoder; lines of JSON are framed for it where it reads event streams."""
    events = wire.content_type == "text/event-stream"
    return pipe(Reframe(framing), wire.decoder()) if events else wire.decoder()


def _encoder() -> Callable[[object], bytes]:
    encode = msgspec.json.Encoder().encode
    if not sys.stdout.isatty():
        return encode
    return lambda value: clean_json(encode(value).decode()).encode()


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _batches(file: BinaryIO, stage: Stage[bytes, Chunk]) -> Iterator[list[Chunk]]:
    # read1 gives what is there, so that a pipe is decoded while it fills.
    read = getattr(file, "read1", file.read)
    while data := read(PIECE_BYTES):
        yield list(stage.feed([data]))
    yield list(stage.close())


def final_of(reply: Reply) -> dict[str, Any]:
    """The object that `--final` prints for one stream (candidate 0; `error` is None where it ended well)."""
    usage = reply.usage
    failure = reply.failure
    return {
        "text": reply.text,
        "reasoning": reply.reasoning,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls
        ],
        "refusal": reply.refusal,
        "finish_reason": reply.finish_reason,
        "usage": usage and {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "error": failure and {"kind": failure.kind, "code": failure.code, "message": failure.message},
    }
