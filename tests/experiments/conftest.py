"""One small reproduction for all tests of the experiments."""

from dataclasses import replace

import pytest

from rbmflow.experiments.reproduction import reproduce

SMALL = replace(
    reproduce.Parameters.quick(),
    n_points=31,
    enumeration_sites=20,
    n_samples=2000,
    boundary_exponent=6,
    n_steps=8,
    lattice_sides=(6,),
    n_training_samples=20,
)


@pytest.fixture(scope="package")
def result(remembered_stages):
    return reproduce.run(SMALL, rng=3)
