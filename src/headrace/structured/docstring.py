"""What a docstring says: the function, and each of its parameters. Google, NumPy and Sphinx forms."""

from __future__ import annotations

import re
from typing import NamedTuple

_SECTIONS = (
    "Args|Arguments|Parameters|Params|Returns?|Raises|Yields?|Examples?|Notes?|See Also|Warns?|Attributes"
)
_GOOGLE = re.compile(rf"^({_SECTIONS}):\s*$", re.IGNORECASE)
_NUMPY = re.compile(rf"^({_SECTIONS})\s*$", re.IGNORECASE)
_RULE = re.compile(r"^-{3,}\s*$")
_PARAMETERS = frozenset({"args", "arguments", "parameters", "params"})
_SPHINX = re.compile(r"^:(\w+)\s*([^:]*):\s*(.*)$")
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?::.*)?$")


class Docstring(NamedTuple):
    """summary: all before the first section. parameters: name -> what it is."""

    summary: str
    parameters: dict[str, str]


def read_docstring(text: str) -> Docstring:
    """Read a docstring as `inspect.getdoc` gives it: without the indent of its code."""
    reading = _Reading()
    lines = text.splitlines()
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        reading.take(line, following)
    return Docstring("\n".join(reading.summary).strip(), reading.parameters())


class _Reading:
    def __init__(self) -> None:
        self.summary: list[str] = []
        self._section = ""  # empty: the summary still
        self._numpy = False
        self._name = ""
        self._told: dict[str, list[str]] = {}

    def parameters(self) -> dict[str, str]:
        return {name: " ".join(said).strip() for name, said in self._told.items()}

    def take(self, line: str, following: str) -> None:
        sphinx = _SPHINX.match(line)
        google = _GOOGLE.match(line)
        numpy = _NUMPY.match(line) if _RULE.match(following) else None
        if sphinx is not None:
            self._sphinx(sphinx[1], sphinx[2], sphinx[3])
        elif google is not None or numpy is not None:
            found = google or numpy
            assert found is not None
            self._section, self._numpy, self._name = found[1].lower(), numpy is not None, ""
        elif not self._section:
            self.summary.append(line)
        elif self._section in _PARAMETERS and not _RULE.match(line):
            self._item(line)

    def _sphinx(self, kind: str, names: str, said: str) -> None:
        """`:param int size: metres` names the parameter last."""
        self._section, self._name = "sphinx", ""
        if kind in ("param", "parameter", "arg", "argument") and names.split():
            self._section, self._name = "parameters", names.split()[-1]
            self._numpy = False
            self._told[self._name] = [said]

    def _item(self, line: str) -> None:
        indent = len(line) - len(line.lstrip())
        begins = None
        if self._numpy and indent == 0:
            begins = _NUMPY_ITEM.match(line)
        elif not self._numpy and 0 < indent <= 4:
            begins = _GOOGLE_ITEM.match(line.strip())
        if begins is not None:
            self._name = begins[1]
            self._told[self._name] = [] if self._numpy else [begins[2]]
        elif self._name and line.strip():
            self._told[self._name].append(line.strip())
