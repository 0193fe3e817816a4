"""Structured machines refuse what they cannot represent."""

import numpy as np
import pytest

from rbmflow import RBM, Chain, Ring, Torus


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: RBM.local_ring(2, 1.0), ValueError, "n_visible=2: at least 3"),
        (lambda: RBM.local_ring(4, -0.1), ValueError, "K=-0.1.*K >= 0"),
        (lambda: RBM.local_ring(4, np.inf), ValueError, "K=inf"),
        (lambda: RBM.local_ring(4, np.nan), ValueError, "NaN"),
        (lambda: RBM.local_ring(4, [1.0, 2.0]), ValueError, "one number"),
        (lambda: RBM.decimating(Ring(7), 1.0, 2.0), ValueError, "n_sites=7: only even"),
        (lambda: RBM.decimating(Torus(4, 3), 1.0, 2.0), ValueError, "n_cols=3: only even"),
        (lambda: RBM.decimating(Torus(3, 4), 1.0, 2.0), ValueError, "n_rows=3: only even"),
        (lambda: RBM.decimating(Chain(4), 1.0, 2.0), TypeError, "Ring or a Torus"),
        (lambda: RBM.decimating(8, 1.0, 2.0), TypeError, "lattice=8"),
        (lambda: RBM.decimating(Ring(4), np.inf, 2.0), ValueError, "K=inf"),
        (lambda: RBM.decimating(Ring(4), 1.0, np.inf), ValueError, "copy_weight=inf"),
        (lambda: RBM.decimating(Ring(10**6), 1.0, 2.0), ValueError, "at most 1000000000 weights"),
    ],
)
def test_bad_structures(call, error, message):
    with pytest.raises(error, match=message):
        call()
