"""Moments as vendors write them (RFC 3339) and as we keep them (whole Unix seconds)."""

from __future__ import annotations

from datetime import UTC, datetime


def seconds_of(text: str) -> int:
    """Unix seconds, 0 for what is no moment."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        return 0


def time_text(seconds: int) -> str:
    """Unix seconds as the wires write them, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
