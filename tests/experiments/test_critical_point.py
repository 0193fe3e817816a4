"""The critical point of a lattice: what it rests on, and what is known."""

from dataclasses import replace

import numpy as np
import pytest

from rbmflow.experiments.critical_point import CriticalPoint, Parameters, run
from rbmflow.experiments.critical_point.parameters import quick
from rbmflow.experiments.critical_point.universality import LATTICES, UNIVERSALITY


@pytest.fixture(scope="module")
def found():
    return run(Parameters("square", (6, 9, 14), n_measurements=60), rng=1)


def test_numbers_are_those_that_are_known(found):
    """Within 4 standard errors and what so small sizes leave: K_c to 1 %, exponents to 5 %."""
    for quantity, by, exact, share in (
        ("K_c", "crossings of binder_cumulant", np.log(1 + np.sqrt(2)) / 2, 0.01),
        ("K_c", "crossings of correlation_length_ratio", np.log(1 + np.sqrt(2)) / 2, 0.01),
        ("1/nu", "binder_cumulant_slope", 1.0, 0.05),
        ("gamma/nu", "susceptibility", 1.75, 0.05),
        ("-beta/nu", "absolute_magnetization", -0.125, 0.05),
    ):
        row = found.value(quantity, by)
        assert row["exact"] == pytest.approx(exact)
        assert abs(row["value"] - exact) < 4 * row["stderr"] + share * abs(exact)
        assert row["stderr"] < 0.1 * max(abs(exact), 1)
        np.testing.assert_allclose(row["deviation"], (row["value"] - exact) / row["stderr"], rtol=1e-12)
        np.testing.assert_allclose(row["relative"], row["value"] / exact - 1, rtol=0, atol=1e-14)


def test_tables_fit_together(found):
    pairs = list(
        zip(*(found.tables["crossings"].columns[name] for name in ("smaller", "larger")), strict=True)
    )
    assert pairs == 2 * [(6.0, 9.0), (9.0, 14.0)]
    assert found.tables["sizes"].columns["side"] == [6, 9, 14]
    assert len(found.tables["curves"].columns["K"]) == 3 * 41
    assert len(found.remarks(1, 1.0)) == 3
    assert found.value("K_c", "nothing") is None


def test_what_short_runs_do_not_say_is_left_empty():
    short = run(Parameters("cubic", (3, 4, 5), n_chains=32, n_measurements=4), rng=1)
    assert None in short.tables["peaks"].columns["K"]
    assert CriticalPoint.read(_written(short)).equals(short)


def _written(result):
    import io

    stream = io.BytesIO()
    result.write(stream)
    return stream.getvalue()


def test_every_lattice_has_its_universality():
    for name, make in LATTICES.items():
        parameters = Parameters(name)
        assert parameters.universality is UNIVERSALITY[make(4).dimension]
        assert 0.2 < parameters.on(3).critical_coupling < 0.7
        assert len(parameters.couplings(8)) == 3
        assert replace(quick(parameters), sides=()).sizes == parameters.sizes
    bootstrap = UNIVERSALITY[3]
    np.testing.assert_allclose(bootstrap.gamma_over_nu + 2 * bootstrap.beta_over_nu, 3, rtol=0, atol=1e-5)


def test_bad_parameters():
    for arguments in (
        {"lattice": "kagome"},
        {"sides": (4, 6)},
        {"sides": (6, 4, 8)},
        {"sides": (2, 4, 8)},
        {"n_chains": 8},
        {"n_measurements": 2},
    ):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            Parameters(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("lattice", LATTICES)
def test_the_critical_points(lattice):
    """K_c within 4 standard errors, exponents within 2 % and 4 standard errors, from smaller sizes."""
    sides = (8, 16, 32) if lattice != "cubic" else (6, 8, 12, 18)
    found = run(Parameters(lattice, sides), rng=1)
    for quantity, by in (
        ("K_c", "crossings of binder_cumulant"),
        ("1/nu", "binder_cumulant_slope"),
        ("gamma/nu", "susceptibility"),
    ):
        row = found.value(quantity, by)
        assert abs(row["deviation"]) < 4
        assert abs(row["relative"]) < 0.02 + 3 * row["stderr"] / row["exact"]
