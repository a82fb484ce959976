"""Serve a small web site on loopback addresses: for the demo, the tests and the benchmarks."""
