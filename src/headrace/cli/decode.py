"""`headrace decode`: recorded vendor streams -> chunks, or whole replies, as JSON."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from headrace.cli.recordings import decoded, read_options, write_out
from headrace.cli.reframe import Framing
from headrace.core.chunk import Failure
from headrace.core.fold import ReplyFold
from headrace.core.reply import Reply
from headrace.wire import WIRES, wire_named


@click.command("decode")
@click.option("--wire", required=True, type=click.Choice(WIRES), help="The protocol the recording speaks.")
@click.option("--final", is_flag=True, help="One JSON object a file: what the stream adds up to.")
@read_options
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
    encode = msgspec.json.Encoder().encode
    failed = False
    for name in files or ("-",):
        fold = ReplyFold()
        last = None
        for batch in decoded(name, wire_named(wire), framing):
            last = batch[-1] if batch else last
            if final:
                fold.feed(batch)
            else:
                write_out(b"".join(encode(chunk) + b"\n" for chunk in batch))
        failed = failed or isinstance(last, Failure)
        if final:
            write_out(encode(final_of(fold.reply())) + b"\n")
    return 1 if failed and exit_status else 0


def final_of(reply: Reply) -> dict[str, Any]:
    """The object that `--final` prints for one stream (candidate 0; `error` is None where it ended well).

    text: the answer's, or what was heard where it is a transcript.
    """
    heard = reply.candidates[0].transcript if reply.candidates else ""
    usage = reply.usage
    failure = reply.failure
    return {
        "text": reply.text or heard,
        "reasoning": reply.reasoning,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls
        ],
        "refusal": reply.refusal,
        "finish_reason": reply.finish_reason,
        "usage": usage and {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "error": failure and {"kind": failure.kind, "code": failure.code, "message": failure.message},
    }
