"""ln Z, energy and heat capacity of a torus at many couplings together against one call for each."""

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import Torus

COUPLINGS = np.linspace(0.01, 0.75, 10_000)
SAMPLE = np.arange(0, len(COUPLINGS), 50)
TARGETS = {16: 100, 64: 40}


@pytest.mark.parametrize("side", TARGETS)
@pytest.mark.parametrize("quantity", ["log_partition", "energy", "heat_capacity"])
def test_many_couplings(benchmark, quantity, side):
    evaluate, few = getattr(Torus(side, side), quantity), COUPLINGS[SAMPLE]

    def plain():
        return [evaluate(K) for K in few.tolist()]

    together = benchmark(lambda: evaluate(COUPLINGS))
    np.testing.assert_array_equal(together[SAMPLE], plain())
    np.testing.assert_allclose(together[SAMPLE[::20]], evaluate(few[::20], dps=20).astype(float), rtol=1e-14)
    mine, peer = least_seconds(lambda: evaluate(COUPLINGS), plain)
    ratio = peer / len(SAMPLE) * len(COUPLINGS) / mine
    print(
        f"\n{quantity} of a torus, L = {side}, {len(COUPLINGS)} couplings: {1e3 * mine:.1f} ms, "
        f"{ratio:.0f}x a call for each (target {TARGETS[side]}x)"
    )
