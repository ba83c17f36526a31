"""Docstrings in the three usual forms."""

from __future__ import annotations

import inspect

import pytest

from headrace.structured.docstring import read_docstring

GOOGLE = """Finds things.

    In two paragraphs: like this.

    Args:
        query: What to find,
            and how.

        limit (int, optional): At most.
        **rest: More.

    Returns:
        list: of things.

    Note:
        not this.
    """
NUMPY = """Finds things.

    Parameters
    ----------
    query : str
        What to find,
        and how.
    limit
        At most.

    Returns
    -------
    list
        of things
    """
SPHINX = """Finds things.

    :param query: What to find,
        and how.
    :param int limit: At most.
    :type query: str
    :returns: things: many
    """


@pytest.mark.parametrize(
    ("text", "summary", "rest"),
    [
        (GOOGLE, "Finds things.\n\nIn two paragraphs: like this.", {"rest": "More."}),
        (NUMPY, "Finds things.", {}),
        (SPHINX, "Finds things.", {}),
    ],
)
def test_forms(text: str, summary: str, rest: dict[str, str]) -> None:
    read = read_docstring(inspect.cleandoc(text))
    assert read.summary == summary
    assert read.parameters == {"query": "What to find, and how.", "limit": "At most.", **rest}


@pytest.mark.parametrize(
    "text", ["", "One line.", "Says: this\nand that: too", "Parameters are good.\n\nArgs"]
)
def test_plain_ones_are_all_summary(text: str) -> None:
    assert read_docstring(text) == (text, {})
