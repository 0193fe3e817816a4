"""Functions of spins that chains measure on the way, and the runs that hold what they gave."""

import importlib
import re
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus, flow
from rbmflow.ising import Chain, Honeycomb, Hypercubic, Triangular
from rbmflow.records.equality import same
from rbmflow.sampling import Run, run
from rbmflow.sampling.reducibility import RULES

loop = importlib.import_module("rbmflow.sampling.run")

GRAPH = Graph.from_bonds(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2)], [1, -1, 0.5, 2, 1, 0.3], 0.2)
# one for each engine: single sites, clusters, bytes, bits
WAYS = [
    (GRAPH, {"n_chains": 3}),
    (Torus(4, 6), {"n_chains": 2, "rule": "metropolis"}),
    (Ring(7), {"n_chains": 2, "rule": "wolff"}),
    (Torus(4, 6), {"n_chains": 2, "rule": "swendsen_wang"}),
    (Torus(4, 6), {"n_chains": 2}),
    (Ring(8), {"n_chains": 20}),
]
FUNCTIONS = {
    "end_to_end": lambda spins: spins[:, 0] * spins[:, -1],
    "first_three": lambda spins: spins[:, :3].cumsum(axis=1),
    "squared": lambda spins: spins.mean(axis=1) ** 2,
}


@pytest.mark.parametrize(("lattice", "how"), WAYS)
def test_observables_are_those_of_the_spins(lattice, how, monkeypatch):
    how = {"n_sweeps": 23, "thin": 2, "burn_in": 3, "rng": 1, **how}
    plain = run(lattice, 0.3, **how)
    whole = run(lattice, 0.3, observables=FUNCTIONS, **how)
    monkeypatch.setattr(loop, "SPINS_AT_ONCE", 5 * how["n_chains"] * lattice.n_sites)
    seen = []
    parts = run(
        lattice, 0.3, observables=FUNCTIONS, keep_spins=False, progress=lambda *at: seen.append(at), **how
    )
    for one in (whole, parts):
        for name in ("energy", "magnetization", "state"):
            assert same(getattr(one, name), getattr(plain, name)), name
        assert list(one.observables) == list(FUNCTIONS)
        for name, function in FUNCTIONS.items():
            expected = np.stack([function(spins) for spins in plain.spins]).astype(float)
            np.testing.assert_array_equal(one.observables[name], expected)
    np.testing.assert_array_equal(whole.spins, plain.spins)
    assert parts.spins is None
    total = how["n_chains"] * 26
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)


LATTICES = [
    Ring(9),
    Chain(7),
    Torus(3, 4),
    Torus(4, 4),
    Triangular(3, 4, couplings=(1, 0.5, -1)),
    Honeycomb(3, 3, periodic=(True, False)),
    Hypercubic((2, 3, 4)),
    GRAPH,
]


@pytest.mark.parametrize("lattice", LATTICES, ids=lambda lattice: lattice.name)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n_chains", [3, 70])
def test_runs_are_saved_and_go_on_to_the_same_bits(lattice, rule, n_chains, tmp_path):
    K = np.linspace(-0.2, 0.6, n_chains)
    how = {"observables": FUNCTIONS, "keep_spins": n_chains == 3, "rule": rule}
    whole = run(lattice, K, n_sweeps=30, burn_in=4, rng=5, **how)
    first = run(lattice, K, n_sweeps=11, burn_in=4, rng=5, **how)
    first.save(tmp_path / "first")
    again = Run.load(tmp_path / "first")
    assert again.equals(first)
    assert not again.equals(run(lattice, K, n_sweeps=11, burn_in=4, rng=6, **how))
    more = run(lattice, K, n_sweeps=19, initial=again, **how)
    joined = {name: np.concatenate([one, more.series[name]], axis=1) for name, one in again.series.items()}
    assert more._with_series(joined).equals(whole)


@pytest.mark.parametrize(("rule", "n_chains"), [("heat_bath", 20), ("wolff", 3)])
def test_states_of_other_chains_are_refused(rule, n_chains):
    whole = run(Torus(4, 4), 0.4, n_chains=n_chains, n_sweeps=4, rng=1, rule=rule)
    for change, said in [
        ({"spins": whole.state.spins[1:]}, f"are not {n_chains} chains"),
        ({"spins": whole.state.spins.astype(float)}, f"float64, are not {n_chains} chains"),
        ({"generators": whole.state.generators[:, 1:]}, "is needed"),
    ]:
        other = replace(whole, state=replace(whole.state, **change))
        with pytest.raises(ValueError, match=said):
            run(Torus(4, 4), 0.4, n_sweeps=4, initial=other, rule=rule)


def test_what_lattices_observe_has_estimates():
    observables = flow.lattice_observables(Ring(16), [1, 2])
    del observables["energy"]  # which is measured anyway
    chains = run(Ring(16), 0.4, n_chains=64, n_sweeps=200, burn_in=20, rng=3, observables=observables)
    m2 = chains.squared_magnetization_estimate.mean
    for r in (1, 2):  # 4 standard errors: one in 16,000; the mean of m^2 has an error of its own
        found = chains.estimate(f"correlation_{r}") + m2
        error = np.hypot(found.stderr, chains.squared_magnetization_estimate.stderr)
        assert abs(found.mean - Ring(16).correlation(0.4, r)) < 4 * error
    assert chains.estimate("energy") is chains.energy_estimate
    part = run(Ring(8), [0.1, 0.2] * 20, n_sweeps=50, rng=1, observables=FUNCTIONS).at(0.2)
    assert part.observables["first_three"].shape == (20, 50, 3)
    vector = part.observables["first_three"]
    assert part.estimate("first_three", 2).mean == vector[..., 2].mean()
    with pytest.raises(ValueError, match="component=None: first_three has 3 numbers"):
        part.estimate("first_three")
    with pytest.raises(ValueError, match="component=3"):
        part.estimate("first_three", 3)
    for name in ("squared", "energy"):
        with pytest.raises(ValueError, match=f"component=0: {name} is one number"):
            part.estimate(name, 0)
    with pytest.raises(ValueError, match="name='heat'"):
        part.estimate("heat")


def test_datasets_have_the_observables():
    pytest.importorskip("xarray")
    chains = run(Ring(8), [0.1, 0.5, 0.1, 0.5], n_sweeps=9, rng=1, observables=FUNCTIONS)
    data = chains.to_xarray()
    assert data.first_three.dims == ("chain", "draw", "K", "first_three_component")
    assert data.squared.dims == ("chain", "draw", "K")
    np.testing.assert_array_equal(data.squared.sel(K=0.5).values, chains.at(0.5).observables["squared"])


def _boom(spins):
    spins[:] = 1
    return spins[:, 0]


@pytest.mark.parametrize(
    ("observables", "error", "message"),
    [
        ([len], TypeError, "observables=.*functions of spins by name"),
        ({"energy": len}, ValueError, "'energy' is taken"),
        ({"a b": len}, ValueError, "'a b' is not a name"),
        ({3: len}, ValueError, "3 is not a name"),
        ({"m": 3}, TypeError, r"observables\['m'\]=3: a function"),
        ({"m": lambda s: s.mean()}, ValueError, r"shape \(\) for 1 configurations: \(1,\) or \(1, k\)"),
        ({"m": lambda s: s[:, :0]}, ValueError, r"shape \(1, 0\)"),
        ({"m": lambda s: s[:, :, None]}, ValueError, r"shape \(1, 6, 1\)"),
        ({"m": lambda s: s[:, 0] * 1j}, TypeError, "gives complex128: real numbers"),
        ({"m": lambda _: ["up"]}, TypeError, "gives <U2"),
        ({"m": _boom}, ValueError, "read-only"),
    ],
)
def test_bad_observables_are_refused_before_any_work(observables, error, message):
    with pytest.raises(error, match=message):
        run(Ring(6), 0.5, n_chains=2, n_sweeps=10**9, thin=10**8, rng=1, observables=observables)


def test_observables_that_do_not_fit_are_refused():
    with pytest.raises(MemoryError, match=re.escape("observables of 1 chains")):
        run(Ring(6), 0.5, n_sweeps=10**7, rng=1, observables={"m": lambda s: np.zeros((len(s), 10**5))})
