"""`[telemetry]` of the configuration -> what streams are measured against, and where it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.config.settings import TelemetrySettings
from headrace.errors import ConfigError
from headrace.metrics.clock import Targets

if TYPE_CHECKING:
    from headrace.metrics.otel import Telemetry


def targets_of(settings: TelemetrySettings) -> Targets:
    """The deadlines and the bound of a stall."""
    return Targets(settings.stall_s, settings.first_token_s, settings.token_s)


def telemetry_of(settings: TelemetrySettings) -> Telemetry | None:
    """What sends traces and metrics; None where nothing is to be sent, and then nothing is loaded.

    Raises: ConfigError where what it needs is not installed.
    """
    if settings.otlp is None:
        return None
    try:
        from headrace.metrics.otel import otlp_telemetry
    except ModuleNotFoundError as error:
        said = f"telemetry.otlp: sending needs {error.name}: pip install 'headrace[otel]'"
        raise ConfigError(said, field="telemetry.otlp") from error
    return otlp_telemetry(settings.otlp)
