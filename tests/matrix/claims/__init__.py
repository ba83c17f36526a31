"""What each vendor's schema has no place for, and what follows for every pair."""

from __future__ import annotations

from importlib import import_module

from tests.matrix.claims.base import Claims
from tests.matrix.providers import WIRES

CLAIMS: dict[str, Claims] = {wire: import_module(f"tests.matrix.claims.{wire}").CLAIMS for wire in WIRES}
