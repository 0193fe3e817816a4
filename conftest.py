"""Doctests of the package print arrays to four digits."""

import pytest


@pytest.fixture(autouse=True)
def _short_arrays():
    import numpy as np  # here, so that the benchmarks choose what numpy may use before it is loaded

    with np.printoptions(precision=4, suppress=True):
        yield
