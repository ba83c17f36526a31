"""docs/reference/configuration.md is held to the code: its file loads, its tables are the registry's."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from headrace.config import Clocks, ProviderSettings, ServerSettings, parse_config
from headrace.config.settings import StreamSettings
from headrace.providers import provider_rows
from headrace.server.limits import Limits
from headrace.wire import WIRES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/configuration.md").read_text()


def table(title: str) -> list[list[str]]:
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_whole_file_loads_and_its_clocks_are_the_defaults() -> None:
    text = re.search(r"```toml\n(.*?)```", PAGE, re.S)
    assert text
    settings = parse_config(text[1])
    assert settings.clocks == Clocks()
    assert (settings.server.host, settings.server.port) == (ServerSettings().host, ServerSettings().port)
    assert provider_rows(settings)["up"].clocks == Clocks(idle_s=60)


def test_the_file_of_the_guide_loads() -> None:
    text = re.search(r"```toml\n(.*?)```", (ROOT / "docs/howto/add-a-provider.md").read_text(), re.S)
    assert text
    rows = provider_rows(parse_config(text[1]))
    assert rows["azure_responses"].shown_url == "$AZURE_RESPONSES_URL"
    assert rows["claude_gateway"].auth == "x-api-key"


def test_the_guide_tells_every_field_of_a_provider() -> None:
    guide = (ROOT / "docs/howto/add-a-provider.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", guide, re.M)
    assert set(told) | {"api_key"} == set(ProviderSettings.__struct_fields__)
    assert all(f"`{wire}`" in guide for wire in WIRES)


def test_every_field_is_on_the_page() -> None:
    for name in (*ServerSettings.__struct_fields__, *StreamSettings.__struct_fields__):
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_servers_bounds_and_their_defaults() -> None:
    told = {}
    for names, defaults, _ in table("The whole file"):
        told |= dict(zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True))
    units = {"KiB": 2**10, "MiB": 2**20}
    sizes = {
        name: float(text.split()[0]) * units.get(text.partition(" ")[2], 1) for name, text in told.items()
    }
    true = dataclasses.asdict(Limits())
    assert true.pop("keepalive_after_s") == 10  # stands in the file above
    assert sizes == true
