"""What can be set of who may ask, how much, and what waits: `[keys]`, `[limits]`, `[queue]`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from headrace.config.secret import Secret

PositiveSeconds = Annotated[float, msgspec.Meta(gt=0)]
PositiveInt = Annotated[int, msgspec.Meta(gt=0)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Priority = Annotated[int, msgspec.Meta(ge=0, le=9)]
DEFAULT_PRIORITY = 5


class RateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much one key may take; None: no bound of this kind, or the installation's.

    max_streams: answers under way at once, those that wait included. events_per_s: of each stream, held
    back at its source.
    """

    requests_per_minute: PositiveInt | None = None
    tokens_per_minute: PositiveInt | None = None
    max_streams: PositiveInt | None = None
    events_per_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


class KeySettings(RateSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[keys.ID]`: one API key, as it is stored.

    sha256: the key's digest in hex; the key itself is kept nowhere. owner: whose streams its streams are, by
    default the id's. models: ids, aliases or patterns (`openai/*`) of what it may ask, empty: everything.
    priority: 0 goes first, 9 last. created, expires: without a time zone they are UTC.
    """

    sha256: Digest
    name: str = ""
    owner: str = ""
    models: tuple[str, ...] = ()
    priority: Priority = DEFAULT_PRIORITY
    created: datetime | None = None
    expires: datetime | None = None
    revoked: bool = False


class LimitSettings(RateSettings, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[limits]`: of every key that does not say otherwise, and of everybody together where none is needed.

    store: the URL of the Valkey or Redis server in which several servers count together; else each counts
    for itself.
    """

    store: Secret | None = None


class QueueSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[queue]`: what is answered at once, and what waits.

    max_streams: answers of models at once. models: the same for one model, by its id. max_waiting: requests
    that may wait; one more is 429, and so is one whose body would make those of all that wait more than
    max_waiting_bytes. max_wait_s: how long one may wait (504); a client may ask for less.
    ageing_turns: after so many turns that others had, what waits counts as one priority more urgent.
    max_lag_s: how late the event loop may be before new requests are refused (503); None: it is not watched.
    """

    max_streams: PositiveInt = 10_000
    models: dict[str, PositiveInt] = {}
    max_waiting: Annotated[int, msgspec.Meta(ge=0)] = 1000
    max_waiting_bytes: PositiveInt = 256 * 2**20
    max_wait_s: PositiveSeconds = 60.0
    ageing_turns: PositiveInt = 16
    max_lag_s: PositiveSeconds | None = None
