"""How a stream failed, told to a client of any protocol when whoever wrote its events is gone."""

from __future__ import annotations

from headrace.core.chunk import Failure
from headrace.core.request import Request
from headrace.wire.base import Front, ParsedRequest, Says

_NOBODY = Says("", "", 0)


def last_words(front: Front | None, events: int, failure: Failure) -> bytes:
    """The last bytes of a response that has begun. events: that the client has seen.

    Empty where there is no protocol to tell it in: then only a cut tells.
    """
    if front is None:
        return b""
    if front.last_words is not None:
        return front.last_words(failure, events)
    encoder = front.encoder(_NOBODY, ParsedRequest(Request(model="", messages=()), stream=True))
    return b"".join(one for one in encoder.feed((failure,)) if isinstance(one, bytes))
