"""Sound and its transcript, which stand beside the items."""

from __future__ import annotations

import binascii
from base64 import b64decode

from headrace.core.chunk import AudioDelta, Chunk, TranscriptDelta
from headrace.core.opaque import Opaque
from headrace.wire.openai_responses.pieces import Block, Fields, Pieces
from headrace.wire.openai_responses.schema import WIRE_NAME
from headrace.wire.openai_responses.template import template

SOUND = (
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
)
# Such events name no item: their blocks hang on one that no answer has.
_NOWHERE = -1


def read_sound(event: Fields, pieces: Pieces, out: list[Chunk]) -> bool:
    """A piece of sound or of its transcript, or the end of it. False where it is not readable."""
    kind: str = event["type"]
    spoken = "transcript" in kind
    if kind.endswith(".done"):
        block = pieces.blocks.get((_NOWHERE, "content", int(spoken)))
        if block is None or block.ended:
            return False
        pieces.end(block, out, template(event))
        return True
    delta = event.get("delta")
    if not isinstance(delta, str):
        return False
    extra = {name: event[name] for name in event if name not in ("type", "delta", "sequence_number")}
    vendor = Opaque(WIRE_NAME, {"extra": extra}) if extra else None
    if spoken:
        out.append(TranscriptDelta(_block(pieces, True, out).number, delta, vendor=vendor))
        return True
    try:
        data = b64decode(delta, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("sound that is not valid base64") from None
    out.append(AudioDelta(_block(pieces, False, out).number, data, vendor=vendor))
    return True


def _block(pieces: Pieces, spoken: bool, out: list[Chunk]) -> Block:
    block = pieces.blocks.get((_NOWHERE, "content", int(spoken)))
    if block is None or block.ended:
        item = pieces.item(_NOWHERE)
        block = pieces.open(item, "transcript" if spoken else "audio", "content", int(spoken), out)
    return block
