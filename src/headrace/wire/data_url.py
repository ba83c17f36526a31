"""Data that stands in an address itself: `data:` URLs in base64. Source: RFC 2397."""

from __future__ import annotations

from base64 import b64encode

from headrace.errors import RequestError
from headrace.wire.reading import base64_bytes


def data_url(data: bytes, media_type: str) -> str:
    """The data as an address."""
    return f"data:{media_type};base64,{b64encode(data).decode()}"


def opened(url: str, field: str) -> tuple[str, bytes, str]:
    """(url, data, media type): a `data:` URL is unpacked, another stays a URL.

    Raises RequestError that names `field`.
    """
    if not url.startswith("data:"):
        return url, b"", ""
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise RequestError(f"{field}: a data: URL must be in base64", field=field, value=url[:80])
    return "", base64_bytes(data, field), head[len("data:") : -len(";base64")]
