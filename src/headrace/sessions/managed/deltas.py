"""The `delta` objects of streamed answers: what is given stands in them, and nothing else."""

from __future__ import annotations

from typing import Any


class DeltaGenerator:
    """Makes deltas in OpenAI's form (sound: `audio` as bytes and `transcript`). It keeps nothing."""

    def generate_chat_delta(
        self,
        role: str | None = None,
        content: str | None = None,
        tool_calls: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Of a chat: `role` in its first chunk, then `content` or pieces of `tool_calls`."""
        return _given(role=role, content=content, tool_calls=tool_calls)

    def generate_completion_delta(self, text: str | None = None) -> dict[str, Any]:
        """Of a completion."""
        return _given(text=text)

    def generate_audio_delta(
        self, audio_chunk: bytes | None = None, transcript_delta: str | None = None
    ) -> dict[str, Any]:
        """Of sound, and of the text that is spoken in it."""
        return _given(audio=audio_chunk, transcript=transcript_delta)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
