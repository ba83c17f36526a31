"""The official client as the judge."""

from __future__ import annotations

from tests.wire.answering import answering

__all__ = ["answering"]
