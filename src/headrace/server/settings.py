"""The configuration -> the server's door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.config.door import LimitSettings
from headrace.config.load import keys_path
from headrace.config.settings import Settings
from headrace.server.cors import Cors
from headrace.server.door import Door
from headrace.server.keys import Keys

if TYPE_CHECKING:
    from headrace.sessions.rates import Rates


def door_of(settings: Settings, *, no_keys: bool = False) -> Door:
    """Who comes in, as the settings want it: with keys where there are any, unless `no_keys`.

    Raises ConfigError.
    """
    keys = Keys(settings.keys, keys_path(settings))
    needs_keys = bool(keys) and not no_keys
    rated = [settings.limits, *settings.keys.values()]
    counts = needs_keys or any(each.requests_per_minute or each.tokens_per_minute for each in rated)
    server = settings.server
    return Door(
        keys=keys if needs_keys else None,
        limits=settings.limits,
        rates=_rates(settings.limits) if counts else None,
        queue=settings.queue,
        cors=Cors(server.cors_origins) if server.cors_origins else None,
        compress=server.compress,
    )


def _rates(limits: LimitSettings) -> Rates:
    from headrace.sessions.rates import LocalRates, SharedRates  # only where something is counted

    if limits.store is None:
        return LocalRates()
    return SharedRates(limits.store.reveal())
