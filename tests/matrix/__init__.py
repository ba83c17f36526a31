"""Every pair of protocols, measured: official clients on one side, vendors' own bytes on the other.

`features.py` says what is looked at, `providers/` what each vendor says and reads, `clients/` how each
official client asks and what it shows, `claims/` what each vendor's schema has no place for. `measure.py`
plays the scenes, `compare.py` compares, `verdict.py` says what was to be expected; `page.py` writes it down
in `docs/reference/matrix.md` (`python -m tests.matrix`).

A further protocol is a file in each of the three folders and its name in `providers/__init__.py`.
"""
