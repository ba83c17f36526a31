"""A worker whose parent was killed is gone at once, whatever it was at: dead and reaped, no mere zombie."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper to see an orphan's end")

_PR_SET_CHILD_SUBREAPER = 36

SCRIPT = textwrap.dedent(
    """
    import asyncio, os, signal, sys, threading
    from tests.runners.hosting import PLACE, asked
    from headrace.runners.host import EngineHost

    what, where = sys.argv[1:]

    async def main():
        async def ready():
            return {}
        host = EngineHost("local/scripted", PLACE, ready)
        await host.warm()
        if what in ("busy", "blocked"):
            await asked(host, say=2, then={"busy": "hang", "blocked": "block"}[what]).some(3)
        if what == "stopped":
            os.kill(host.worker_pid, signal.SIGSTOP)
        print(host.worker_pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    def run():
        asyncio.run(main())

    if where == "thread":
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    else:
        run()
    """
)


@pytest.fixture
def reaper() -> Iterator[None]:
    """Orphans below us become our children, so that their end can be waited for."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(_PR_SET_CHILD_SUBREAPER, 1) == 0
    yield
    assert prctl(_PR_SET_CHILD_SUBREAPER, 0) == 0


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("idle", "main"),
        ("busy", "main"),
        ("blocked", "main"),
        ("stopped", "main"),
        # Here no signal comes with the parent's death: the closed socket must do.
        ("idle", "thread"),
        ("busy", "thread"),
        ("blocked", "thread"),
    ],
)
@pytest.mark.usefixtures("reaper")
def test_the_worker_ends_with_its_parent(what: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], os.getcwd()]))
    ran = subprocess.run([sys.executable, "-c", SCRIPT, what, where], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    worker = int(ran.stdout)
    _, status = os.waitpid(worker, 0)  # the test's time limit is the bound; a worker that lives blocks it
    # By the kernel's signal, or of its own will because the socket closed: whichever came first.
    assert os.waitstatus_to_exitcode(status) in (-signal.SIGKILL, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
