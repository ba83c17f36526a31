"""Sound as the wires speak of it: the names of formats, their media types, raw samples as a WAV file.

Names are those of `AudioDelta.format`: mp3, wav, opus, flac, aac, ogg, webm, ... and pcm16, which is raw
samples (16 bits, signed, little-endian) and is read only by who knows their rate.
"""

from __future__ import annotations

import re
import struct

ASKED_FORMAT = "asked_format"  # what decoders are told beside the quirks: the format that was asked for
STREAM_FORMAT = "stream_format"  # OpenAI's field for how sound is framed, which is for who encodes it
PCM_RATE_HZ = 24_000  # of OpenAI's and Gemini's raw samples, one channel
_TYPES = {"pcm16": "audio/pcm", "mp3": "audio/mpeg", "m4a": "audio/mp4"}
_FORMATS = {
    "pcm": "pcm16",
    "l16": "pcm16",
    "mpeg": "mp3",
    "mpga": "mp3",
    "wave": "wav",
    "x-wav": "wav",
    "vnd.wave": "wav",
    "x-flac": "flac",
    "mp4": "m4a",
    "x-m4a": "m4a",
}
_MAGIC = (
    (b"RIFF", "wav"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"\x1a\x45\xdf\xa3", "webm"),
)
_RATE = re.compile(r"rate=(\d{1,6})")
_CHANNELS = re.compile(r"channels=(\d)")
_UNKNOWN_BYTES = 0xFFFFFFFF  # what a WAV file says of its size while it is being written


def format_of(media_type: str) -> str:
    """The format that a media type (with or without parameters) names; empty where it is no sound's."""
    kind, slash, name = media_type.partition(";")[0].strip().lower().partition("/")
    if not slash or kind not in ("audio", "video"):
        return ""
    return _FORMATS.get(name, "" if name == "*" else name)


def media_type_of(format: str, sample_rate_hz: int = 0, channels: int = 0) -> str:
    """The media type of a format; raw samples tell their rate and channels where they are known."""
    kind = format if "/" in format else _TYPES.get(format, f"audio/{format or 'wav'}")
    if kind != "audio/pcm":
        return kind
    rate = f";rate={sample_rate_hz}" if sample_rate_hz else ""
    return f"{kind}{rate};channels={channels}" if channels else kind + rate


def samples_in(media_type: str) -> tuple[int, int]:
    """(sample rate in Hz, channels) as a media type's parameters tell them, 0 where they do not."""
    rate, channels = _RATE.search(media_type), _CHANNELS.search(media_type)
    return int(rate[1]) if rate else 0, int(channels[1]) if channels else 0


def container_of(data: bytes) -> str:
    """The format whose files begin like `data`, empty where it is none of those that tell."""
    return next((format for magic, format in _MAGIC if data.startswith(magic)), "")


def wav_head(sample_rate_hz: int, channels: int, size_bytes: int | None = None) -> bytes:
    """What stands before samples of 16 bits in a WAV file. size_bytes: of the samples, None while unknown.

    Source: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991.
    """
    frame_bytes = channels * 2
    size = _UNKNOWN_BYTES if size_bytes is None else size_bytes
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        _UNKNOWN_BYTES if size_bytes is None else size + 36,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        sample_rate_hz,
        sample_rate_hz * frame_bytes,
        frame_bytes,
        16,
        b"data",
        size,
    )
