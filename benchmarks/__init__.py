"""One script a claim, peers measured beside us in the same run. `python -m benchmarks` runs them all."""
