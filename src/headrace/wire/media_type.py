"""What kind of picture or document some bytes are, by how they begin."""

from __future__ import annotations

_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF", "application/pdf"),
)


def media_type_of(data: bytes) -> str:
    """What the first bytes tell, empty where they tell nothing."""
    if data[:4] == b"RIFF":
        return "image/webp" if data[8:12] == b"WEBP" else ""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")
