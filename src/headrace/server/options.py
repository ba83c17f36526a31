"""What can be said of a server besides its models and its address: one list for all that make one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from headrace.metrics.clock import Targets
from headrace.metrics.measures import Watcher
from headrace.server.door import Door
from headrace.server.limits import Limits
from headrace.sessions.table import Sessions


class AppOptions(TypedDict, total=False):
    """Keyword arguments of `App`, and of `make_app`, `asgi_app`, `running_server` and `serve`.

    limits: bounds on what one client can take. sessions: the streams and their log, in memory where not
    given. door: who comes in, everybody where not given. access_log: one JSON line a request to the logger
    `headrace.access`. watchers: are told of every answer that has ended, on the loop's thread. targets: what
    streams are measured against.
    """

    limits: Limits | None
    sessions: Sessions | None
    door: Door | None
    access_log: bool
    watchers: Sequence[Watcher]
    targets: Targets


def checked(options: AppOptions) -> AppOptions:
    """The options. Raises TypeError for one that there is not: none is accepted and ignored."""
    unknown = options.keys() - AppOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"a server has no option {', '.join(sorted(unknown))}")
    return options
