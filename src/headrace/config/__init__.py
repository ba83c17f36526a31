"""headrace.toml and the environment -> typed settings, with errors that name file, line and field.

`load_config()` is the only entry. docs/reference/configuration.md is the reader's side of this room.
"""

from headrace.config.load import config_path, line_in, load_config, parse_config, setting_error
from headrace.config.secret import Secret
from headrace.config.settings import (
    Clocks,
    ClockSettings,
    LocalSettings,
    ProviderSettings,
    ServerSettings,
    Settings,
)

__all__ = [
    "ClockSettings",
    "Clocks",
    "LocalSettings",
    "ProviderSettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "config_path",
    "line_in",
    "load_config",
    "parse_config",
    "setting_error",
]
