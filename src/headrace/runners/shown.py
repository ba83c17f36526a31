"""What a reply says of a local failure: the file's name, never the folder it is in.

Whoever reads a reply may sit at another machine, and a reply cannot know. The log, `warm()` and `health()`
speak to this machine's owner and tell the whole path.
"""

from __future__ import annotations

import re

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import HeadraceError, RunnerError

# A quoted path may hold blanks. Not after a letter, a slash or a colon: a/b and https://a/b are no folders.
_QUOTED = re.compile(r"""(?<=['"])(?:~?/|[A-Za-z]:\\)[^'"\n]*(?=['"])""")
_BARE = re.compile(r"""(?<![\w/\\.:~-])(?:~?/|[A-Za-z]:\\)[^\s'"|,;:()]*""")


def without_folders(text: str) -> str:
    """`text` with every absolute path cut down to its last name."""
    return _BARE.sub(_name, _QUOTED.sub(_name, text))


def _name(path: re.Match[str]) -> str:
    return re.split(r"[/\\]", path[0].rstrip("/\\"))[-1] or path[0]


def unavailable(error: HeadraceError) -> Failure:
    """`error` as a reply that waited for the model ends: with 503, for the fault is not in its request."""
    failure = Failure.of(error)
    ours = isinstance(error, RunnerError) and failure.http_status == RunnerError.default_http_status
    return msgspec.structs.replace(
        failure,
        message=without_folders(failure.message),
        http_status=503 if ours else failure.http_status,
    )
