"""A script that used the local model synchronously ends cleanly: no worker left, nothing on stderr."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

SCRIPT = """
import os, headrace
stream = headrace.stream_sync("local", "Count to twenty.", max_tokens=64)
next(stream)
import psutil
print([child.pid for child in psutil.Process().children()])
"""


@pytest.mark.real_model
def test_a_script_that_ends_in_the_middle_of_an_answer_leaves_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    workers = [int(pid) for pid in done.stdout.strip("[]\n").split(",")]
    assert workers
    assert not any(psutil.pid_exists(pid) for pid in workers)
