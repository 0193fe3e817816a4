"""Doctests of the package print arrays to four digits."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _short_arrays():
    with np.printoptions(precision=4, suppress=True):
        yield
