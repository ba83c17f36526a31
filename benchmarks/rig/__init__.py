"""What the benchmarks share: cheap far ends, gateways under test, CPU and memory meters, results."""
