"""Fuzzing of what reads bytes from strangers: `make fuzz`, or `python -m tests.fuzz --seconds 60`.

`targets.py` says what must hold, `corpus.py` where the search begins, `one.py` runs one target under atheris,
`__main__.py` runs them all. What it finds is saved in `findings/` and replayed by the ordinary suite.
"""
