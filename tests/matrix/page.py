"""`docs/reference/matrix.md`, made of the claims that the tests hold to what they measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from headrace.wire import wire_named
from tests.matrix.claims import CLAIMS
from tests.matrix.claims.base import READ, READ_IN_NODE, READ_ON, Gap
from tests.matrix.claims.pairs import PAIRS
from tests.matrix.clients import CLIENTS
from tests.matrix.features import FEATURES, Feature
from tests.matrix.providers import PROVIDERS
from tests.matrix.verdict import Verdict, verdict

PATH = Path(__file__).parents[2] / "docs" / "reference" / "matrix.md"
COMMAND = "python -m tests.matrix"
_SIGNS = {Verdict.KEPT: "●", Verdict.DEGRADED: "◐", Verdict.IMPOSSIBLE: "○"}
_SIDES = {
    "client": "its clients",
    "provider": "its places",
    "both": "clients and places",
    "whole": "its clients, where the answer is not streamed",
}
_RELAYED = ", ".join(f"`{wire}`" for wire in PROVIDERS if wire_named(wire).relay is not None)
_INTRO = f"""# Which protocol carries what

A client of any protocol can ask a model behind any other. This page says what arrives, for every pair of
protocols and every feature. It is written by `{COMMAND}` and held by the tests beside it: the official
clients, unmodified, ask a running server, behind which each vendor's own bytes answer; every facet of every
feature is compared, streamed and whole, and a cell that does worse, or better, than it says fails.

| sign | meaning |
| --- | --- |
| ● | kept: all that is said arrives in the other's own fields, counts and ids in its own convention |
| ◐ | degraded: something of it is left out, or comes in another form |
| ○ | impossible: one of the two protocols has no place for it |

Behind ◐ and ○ stand the gaps it falls into, each told [below](#gaps) with the vendor's type that has it. What
is asked and cannot be carried is also told in the answer's header `x-headrace-warnings`. What only has sound
written down or a text spoken (`openai_audio`) asks nothing of a protocol without sound: there the client
gets its own error for a wrong request, and no provider is asked. Between a client and a provider of one
protocol streams are passed on as their very bytes:
{_RELAYED}.
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRO, *_features(), *_tables(), *_gaps(), *_exceptions()]
    return "\n".join(parts).rstrip("\n") + "\n"


def _features() -> Iterator[str]:
    yield "## Features\n"
    yield "| feature | what is looked at | facets |\n| --- | --- | --- |"
    for feature in FEATURES:
        yield f"| {feature.name} | {feature.meaning} | {', '.join(feature.facets)} |"
    yield ""


def _tables() -> Iterator[str]:
    yield "## Pairs\n"
    for client in CLIENTS.values():
        yield f"### Clients of {client.wire}\n"
        yield f"Asked and shown by the package `{client.package}`; a column is a provider's protocol.\n"
        yield "| | " + " | ".join(PROVIDERS) + " |"
        yield "| --- |" + " --- |" * len(PROVIDERS)
        for feature in FEATURES:
            cells = " | ".join(_cell(client.wire, provider, feature) for provider in PROVIDERS)
            yield f"| {feature.name} | {cells} |"
        yield ""


def _cell(client: str, provider: str, feature: Feature) -> str:
    found, facets = verdict(client, provider, feature)
    numbers = dict.fromkeys(NUMBERS[gap] for facet in facets for gap in facet.gaps)
    noted = ["*"] if any(facet.why for facet in facets) else []
    return " ".join([_SIGNS[found], *numbers, *noted])


def _numbered() -> dict[Gap, str]:
    """Each gap's number; one that a client and a place have in common is one."""
    numbers: dict[Gap, str] = {}
    for claims in CLAIMS.values():
        count = 0
        for gap in (*claims.client.values(), *claims.provider.values(), *claims.whole.values()):
            if gap not in numbers:
                count += 1
                numbers[gap] = f"{claims.letter}{count}"
    return numbers


NUMBERS = _numbered()


def _gaps() -> Iterator[str]:
    yield '<a id="gaps"></a>\n'
    yield "## What a protocol has no place for\n"
    read = ", ".join(f"{package} {number}" for package, number in {**READ, **READ_IN_NODE}.items())
    yield f"Types are those of the vendors' official packages, read {READ_ON}: {read}.\n"
    for claims in CLAIMS.values():
        yield f"### {claims.wire}\n"
        yield "| | who | what | why | read in |\n| --- | --- | --- | --- | --- |"
        for gap, (sides, what) in _by_gap(claims.wire).items():
            side = "both" if {"client", "provider"} <= sides else min(sides)
            where = f"`{gap.schema.replace(':', '.')}`" if gap.schema else gap.read
            yield f"| {NUMBERS[gap]} | {_SIDES[side]} | {'; '.join(what)} | {gap.why} | {where} |"
        yield ""


def _by_gap(wire: str) -> dict[Gap, tuple[set[str], dict[str, None]]]:
    """The gap -> on which sides it is, and the features and facets that fall into it."""
    found: dict[Gap, tuple[set[str], dict[str, None]]] = {}
    for side in ("client", "provider", "whole"):
        for (feature, facets), gap in getattr(CLAIMS[wire], side).items():
            sides, what = found.setdefault(gap, (set(), {}))
            sides.add(side)
            what[f"{feature}: {', '.join(facets)}"] = None
    return found


def _exceptions() -> Iterator[str]:
    yield "## Pairs that carry more or less than that\n"
    for (client, provider), exceptions in PAIRS.items():
        for (feature, facet), exception in exceptions.items():
            arrives = "arrives" if exception.arrives else "does not arrive"
            yield f"- {provider} to clients of {client}, {feature}: {facet} {arrives}: {exception.why}."
