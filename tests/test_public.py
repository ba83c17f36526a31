"""Every public name is importable from `headrace`, and importing it loads next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import headrace

HEAVY = (
    "numpy",
    "uvicorn",
    "uvloop",
    "httptools",
    "aiohttp",
    "xllamacpp",
    "rich",
    "click",
    "msgspec",
    "ssl",
    "asyncio",
)


@pytest.mark.parametrize("name", headrace.__all__)
def test_a_public_name_is_there_and_is_listed(name: str) -> None:
    assert getattr(headrace, name) is not None
    assert name in dir(headrace)


def test_the_typed_imports_the_rooms_and_all_agree() -> None:
    tree = ast.parse(Path(headrace.__file__).read_text(encoding="utf-8"))
    typed = {
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == {(room, name) for room, names in headrace._ROOMS.items() for name in names.split()}
    assert sorted(headrace.__all__) == sorted(name for _, name in typed)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        headrace.nonsense  # noqa: B018


def test_importing_headrace_loads_no_server_no_engine_and_no_dependency() -> None:
    code = f"import headrace, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
