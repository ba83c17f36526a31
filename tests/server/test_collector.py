"""The collector looks at everything seldom, and at what is young as ever."""

from __future__ import annotations

import subprocess
import sys

MAIN = """
import gc
from headrace.server.collector import quieten_collector

before = gc.get_threshold()
quieten_collector()
after = gc.get_threshold()
assert after[:2] == before[:2] and after[2] >= 100 * before[2], (before, after)
assert gc.isenabled() and gc.get_freeze_count() > 1000, gc.get_freeze_count()


class Node: ...


full = gc.get_stats()[2]["collections"]
held = []
for number in range(200_000):
    node = Node()
    node.itself = node
    held.append([number])
assert gc.get_stats()[2]["collections"] == full, "it looked at everything"
assert sum(isinstance(one, Node) for one in gc.get_objects()) < 20_000, "young garbage stays"
"""


def test_in_a_process_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
