"""The rows of one installation: the known ones, changed and joined by the configuration's."""

from __future__ import annotations

import msgspec

from headrace.config import ProviderSettings, Settings, line_in, setting_error
from headrace.errors import ConfigError
from headrace.providers.quirks import checked_quirks
from headrace.providers.registry import KNOWN
from headrace.providers.row import ProviderRow
from headrace.wire import WIRES


def provider_rows(settings: Settings | None = None) -> dict[str, ProviderRow]:
    """Every row by name: the known ones, changed and joined by the configuration's.

    Raises: ConfigError for a place of one's own without an address, an unknown wire or quirk.
    """
    settings = settings or Settings()
    rows = {name: msgspec.structs.replace(row, clocks=settings.clocks) for name, row in KNOWN.items()}
    for name, wanted in settings.providers.items():
        rows[name] = _configured(name, wanted, rows.get(name), settings)
    return rows


def _configured(
    name: str, wanted: ProviderSettings, known: ProviderRow | None, settings: Settings
) -> ProviderRow:
    base = known or ProviderRow(name, wanted.wire or "openai_chat", "", clocks=settings.clocks)
    if wanted.base_url and wanted.base_url_env:
        raise _wrong(settings, name, "base_url_env", "there is a base_url already: give one of the two")
    if not (wanted.base_url or wanted.base_url_env or base.base_url or base.base_url_env):
        raise _wrong(settings, name, "base_url", "a place that is not known needs its base_url")
    if wanted.wire is not None and wanted.wire not in WIRES:
        raise _wrong(settings, name, "wire", f"no wire is called {wanted.wire!r}: {', '.join(WIRES)}")
    if _moved(wanted, base):
        base = _somewhere_else(base, wanted)
    if wanted.wire not in (None, base.wire):
        base = msgspec.structs.replace(base, wire=wanted.wire, quirks={})  # they were the other wire's
    row = msgspec.structs.replace(
        base,
        auth=wanted.auth or base.auth,
        api_key=wanted.api_key,
        headers={**base.headers, **wanted.headers},
        quirks={**base.quirks, **wanted.quirks},
        clocks=wanted.clocks.over(base.clocks),
        ca_file=wanted.ca_file or base.ca_file,
        models=wanted.models or base.models,
    )
    if wanted.api_key_env is not None:
        row = msgspec.structs.replace(
            row, api_key_env=wanted.api_key_env, fallback_key_env="", key_optional=False
        )
    try:
        checked_quirks(row)
    except ConfigError as error:
        quirk = error.field.rpartition(".")[2]
        raise _wrong(settings, name, f"quirks.{quirk}", error.message.partition(": ")[2]) from error
    return row


def _moved(wanted: ProviderSettings, base: ProviderRow) -> bool:
    if wanted.base_url is not None:
        return wanted.base_url.rstrip("/") != base.base_url
    return wanted.base_url_env is not None and wanted.base_url_env != base.base_url_env


def _somewhere_else(base: ProviderRow, wanted: ProviderSettings) -> ProviderRow:
    """The row at another address. A known place's key is never sent there unless it is named for it."""
    return msgspec.structs.replace(
        base,
        base_url=(wanted.base_url or "").rstrip("/"),
        base_url_env=wanted.base_url_env or "",
        base_path="",
        region_names=(),
        api_key_env="",
        fallback_key_env="",
    )


def _wrong(settings: Settings, name: str, field: str, why: str) -> ConfigError:
    path = ("providers", name, *field.split("."))
    return setting_error(settings.source, line_in(settings.source, path), path, why)
