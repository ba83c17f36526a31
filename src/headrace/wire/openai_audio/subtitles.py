"""A transcript's segments as subtitles. Sources: SubRip as players read it; WebVTT (W3C, 2019) 4."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.core.chunk import Word


def srt(segments: Sequence[Word]) -> str:
    """SubRip: numbered cues."""
    return "".join(f"{number}\n{_cue(one, ',')}\n" for number, one in enumerate(segments, 1))


def vtt(segments: Sequence[Word]) -> str:
    """WebVTT."""
    return "WEBVTT\n\n" + "".join(f"{_cue(one, '.')}\n" for one in segments)


def _cue(segment: Word, point: str) -> str:
    # A blank line would end the cue, and an arrow would be taken for its times.
    text = " ".join(segment.text.split()).replace("-->", "->")
    return f"{_clock(segment.start_s, point)} --> {_clock(segment.end_s, point)}\n{text}\n"


def _clock(time_s: float, point: str) -> str:
    minutes, ms = divmod(round(time_s * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"
