"""Stream logs in Valkey or Redis, for many servers: see `log.ValkeyLog`."""

from headrace.store.valkey.log import ValkeyLog

__all__ = ["ValkeyLog"]
