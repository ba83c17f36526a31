"""The tables of the documents name what is in the code: no more, no less."""

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import get_args

import click
import msgspec

import headrace
from headrace.cli.main import COMMANDS
from headrace.core.chunk import Chunk
from headrace.errors import KINDS
from headrace.providers.registry import KNOWN
from headrace.runners.weights import ROWS
from headrace.testing.conformance import CHECKS, WireCase
from headrace.wire import FRONTS, WIRES
from headrace.wire.ui_messages import data
from headrace.wire.ui_messages.parse import RequestBody

ROOT = Path(__file__).parents[2]


def rows(page: str, columns: int) -> list[list[str]]:
    found = []
    for line in (ROOT / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == columns:
            found.append(cells)
    return found


def test_chunks() -> None:
    told = {cells[0]: (cells[1], cells[2]) for cells in rows("docs/reference/chunks.md", 3)}
    true = {}
    for chunk in get_args(Chunk):
        info = msgspec.inspect.type_info(chunk)
        fields = ", ".join(f"`{field.name}`" for field in info.fields)
        true[f"`{chunk.__name__}`"] = (f"`{info.tag}`", fields)
    assert told == true


def test_errors() -> None:
    told = {cells[0]: cells[1] for cells in rows("docs/topics/errors.md", 3)}
    assert told == {f"`{error.__name__}`": f"`{kind}`" for kind, error in KINDS.items()}


def test_every_link_leads_somewhere() -> None:
    links = [
        (page, target)
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ]
    assert len(links) > 20
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs/index.md").read_text()
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/*/*.md")]
    assert len(pages) > 15
    assert [page for page in pages if f"({page})" not in index] == []


def test_the_download_is_as_large_as_told() -> None:
    told = f"{ROWS[0].wheel_bytes / 1e6:.0f} MB"
    pages = (
        "README.md",
        "docs/tutorial/first-stream.md",
        "docs/howto/local-models.md",
        "docs/reference/runners.md",
    )
    sizes = {page: re.findall(r"\b9\d MB", (ROOT / page).read_text()) for page in pages}
    assert sizes == {page: [told] for page in pages}


def test_providers() -> None:
    page = (ROOT / "docs/howto/call-a-provider.md").read_text()
    told = re.search(r"^Known: ([^.]*)\.", page, re.M)
    assert told
    assert re.split(r",\s+", told[1]) == sorted(KNOWN)
    places = {row.shown_url for row in KNOWN.values()}  # OpenAI's is known by three wires
    assert f"OpenAI and {len(places) - 1} others" in (ROOT / "README.md").read_text()


def options_of(command: click.Command) -> set[str]:
    found = {
        flag
        for param in command.params
        if isinstance(param, click.Option)
        for flag in [*param.opts, *param.secondary_opts]
    }
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found |= options_of(command.commands[name])
    return found


def test_commands_and_options() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    sections = dict(re.findall(r"^## `headrace (\w+)[^\n]*\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert sorted(sections) == sorted(COMMANDS)
    for name, text in sections.items():
        told = set(re.findall(r"`(--?[a-z][a-z-]*)`", text))
        assert told == options_of(import_module(COMMANDS[name][0]).command), name
    for name, before, names in (("decode", "of the recording:", WIRES), ("convert", "to write:", FRONTS)):
        line = sections[name].partition(before)[2].splitlines()[0]
        assert re.findall(r"`(\w+)`", line) == list(names)


def test_what_a_page_may_ask_and_what_it_gets() -> None:
    page = "docs/howto/web-front-end.md"
    told = {name for first, _ in rows(page, 2) for name in re.findall(r"`([^`]+)`", first)}
    parts = set(re.findall(r'"(data-[a-z-]+)"', Path(data.__file__).read_text()))
    assert told == {*RequestBody.__struct_fields__, *parts} - {"messages"}
    pinned = json.loads((ROOT / "tests/node/package.json").read_text())["dependencies"]
    judges = [version.removeprefix("npm:ai@") for name, version in pinned.items() if name.startswith("ai")]
    said = re.search(r"`ai` ([\d.]+\d) and ([\d.]+\d)", (ROOT / page).read_text())
    assert said
    assert list(said.groups()) == judges


def test_every_public_name_is_in_the_api_page_and_no_other() -> None:
    page = (ROOT / "docs/reference/api.md").read_text()
    code = "\n".join(re.findall(r"`([^`\n]+)`", page))
    told = set(re.findall(r"\b[A-Za-z_]\w+", code))
    assert set(headrace.__all__) - told == set()
    classes = set(re.findall(r"`([A-Z][A-Za-z]+)`", page))
    assert {name for name in classes if name != name.upper()} - set(headrace.__all__) == set()


def test_what_coming_from_names_is_there() -> None:
    page = (ROOT / "docs/reference/coming-from.md").read_text()
    here = [line.split("|")[2] for line in page.splitlines() if line.startswith("| ")]
    names = {name for cell in here for name in re.findall(r"`\.?(\w+)(?:\(|`)", cell)}
    homes = (headrace.GenerationStream, headrace.TextResult, headrace.GenerationSettings, headrace.Finish)
    known = {*headrace.__all__, *(name for home in homes for name in dir(home))}
    assert len(names) > 20
    assert names - known == {"connect_s", "gguf", "local"}


def test_the_conformance_suite() -> None:
    page = (ROOT / "docs/howto/add-a-wire.md").read_text()
    told = [re.findall(r"^\| `([\w.]+)` \|", part, re.M) for part in page.split("\n## ")]
    *_, fields, checks = [names for names in told if names]
    assert checks == list(CHECKS)
    true = {*WireCase.__dataclass_fields__, "Sample.enough"}
    assert set(fields) == true


def test_the_layers_told_are_the_layers_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = [layer for layer in contracts[0]["layers"] if layer != "__main__"]
    page = (ROOT / "CONTRIBUTING.md").read_text()
    section = page.partition("## Who may import whom")[2].partition("\n## ")[0]
    assert re.findall(r"^    (.+)$", section, re.M) == held
