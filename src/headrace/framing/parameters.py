"""Header values with parameters, such as `form-data; name="file"`. Source: RFC 9110 5.6.6, RFC 5987."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

# One after the other from where the last ended: an open quote ends the reading, it does not start it again.
_PARAMETER = re.compile(
    r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*+)"|([^\s;"]*))[ \t]*', re.DOTALL
)
_QUOTED = re.compile(r'\\(["\\])')
_PERCENT = re.compile(r"%(?:22|0[aAdD])")


def parameters_of(value: str) -> tuple[str, dict[str, str]]:
    """(the value before its parameters, in lower case; the parameters by their names in lower case).

    A parameter in its extended spelling (`filename*=UTF-8''...`) stands under its plain name and wins over
    the plain spelling. What cannot be read ends the reading; of a name given twice the first counts.
    """
    main, semicolon, _ = value.partition(";")
    told: dict[str, str] = {}
    extended: dict[str, str] = {}
    at = len(main)
    while semicolon and at < len(value):
        found = _PARAMETER.match(value, at)
        if found is None:
            break
        at = found.end()
        name = found[1].lower()
        if name.endswith("*"):
            text = _extended(found[3] or found[2] or "")
            if text is not None:
                extended.setdefault(name[:-1], text)
        else:
            told.setdefault(name, found[3] if found[2] is None else _unquoted(found[2]))
    return main.strip().lower(), {**told, **extended}


def _unquoted(text: str) -> str:
    r"""A quoted text: `\"` and `\\`, and the three escapes that browsers write. Other backslashes stand."""
    text = _QUOTED.sub(r"\1", text)
    return _PERCENT.sub(lambda found: unquote_to_bytes(found[0]).decode("ascii"), text)


def _extended(text: str) -> str | None:
    """A text in RFC 5987's spelling, None where it is none or in a charset that is not UTF-8."""
    charset, quote, rest = text.partition("'")
    _, second, encoded = rest.partition("'")
    if not quote or not second or charset.lower() != "utf-8":
        return None
    return unquote_to_bytes(encoded).decode("utf-8", "replace")
