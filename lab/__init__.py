"""Virtual machines of several kernels, for tests that only a kernel can answer. ``python -m lab --help``; README.md."""
