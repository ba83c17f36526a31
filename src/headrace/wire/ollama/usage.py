"""Token counts and durations: the vendor's metrics and our usage.

`eval_count` counts what the model wrote, thinking too; `prompt_eval_count` the prompt. Durations are
nanoseconds; we have no clock here, so those of another wire's answer are not told.
"""

from __future__ import annotations

from typing import Any

from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.wire.ollama.schema import METRICS, WIRE_NAME, Line


def usage_from(line: Line) -> Usage | None:
    """The last line's metrics; None where it has none."""
    told = {name: value for name in METRICS if (value := getattr(line, name)) is not None}
    if not told:
        return None
    return Usage(
        input_tokens=told.get("prompt_eval_count", 0),
        output_tokens=told.get("eval_count", 0),
        vendor=Opaque(WIRE_NAME, told),
    )


def metrics_body(usage: Usage | None) -> dict[str, Any]:
    """Ours as the vendor's metrics; what came over this wire goes back as it came."""
    if usage is None:
        return {}
    if usage.vendor is not None and usage.vendor.wire == WIRE_NAME and isinstance(usage.vendor.data, dict):
        return usage.vendor.data
    return {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
