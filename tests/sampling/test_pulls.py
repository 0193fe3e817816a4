"""Errors of estimates along chains: the spread of pulls, for every observable and rule known exactly."""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.sampling import replica_exchange, run

OBSERVABLES = (
    "energy",
    "magnetization",
    "absolute_magnetization",
    "squared_magnetization",
    "susceptibility",
    "heat_capacity",
    "binder_cumulant",
)


def exact(lattice, K):
    """Every observable, by the exact law of V and the exact energies."""
    law = lattice.magnetization_law(K)
    m = law.values / lattice.n_sites
    moment = {name: law.probabilities @ values for name, values in (("1", abs(m)), ("2", m**2), ("4", m**4))}
    values = (
        float(lattice.energy(K)),
        0.0,
        moment["1"],
        moment["2"],
        lattice.n_sites * moment["2"],
        float(lattice.heat_capacity(K)),
        1 - moment["4"] / (3 * moment["2"] ** 2),
    )
    return dict(zip(OBSERVABLES, values, strict=True))


def repeated(lattice, K, n_repeats, n_chains, **arguments):
    """Independent runs, as parts of one."""
    chains = run(lattice, K, n_chains=n_repeats * n_chains, keep_spins=False, **arguments)
    for part in np.split(np.arange(len(chains.K)), n_repeats):
        energy, magnetization = chains.energy[part], chains.magnetization[part]
        yield replace(chains, K=chains.K[part], energy=energy, magnetization=magnetization, state=None)


def spread(estimates, wanted):
    pulls = np.array([one.deviation(wanted) for one in estimates])
    assert abs(pulls.mean()) < 4.5 * pulls.std() / np.sqrt(len(pulls))  # false alarm 7e-6
    return pulls.std()


WALK = [
    (Torus(4, 4), 0.3, "heat_bath", "checkerboard", 500),
    (Torus(4, 4), 0.3, "heat_bath", "random", 600),
    (Torus(4, 4), 0.3, "metropolis", "random", 600),
    (Torus(4, 4), 0.3, "swendsen_wang", None, 300),
    (Torus(4, 4), 0.5, "wolff", None, 400),
    (Ring(16), 0.3, "heat_bath", "sequential", 300),
    (Ring(16), 1.0, "wolff", None, 400),
]


@pytest.mark.parametrize("n_repeats", [30, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("lattice", "K", "rule", "order", "n_sweeps"), WALK)
def test_pulls_of_every_observable_under_every_rule(lattice, K, rule, order, n_sweeps, n_repeats):
    # normal pulls have a spread of 1 ± 1/√(2n): four of these (false alarm 6e-5, 49 walked), and a tenth for
    # errors taken from some hundred effective samples
    wanted = exact(lattice, K)
    runs = list(
        repeated(lattice, K, n_repeats, 8, rule=rule, order=order, n_sweeps=n_sweeps, burn_in=100, rng=41)
    )
    for name in OBSERVABLES:
        found = spread([getattr(one, f"{name}_estimate") for one in runs], wanted[name])
        assert abs(found - 1) < 0.1 + 4 / np.sqrt(2 * n_repeats), (name, found)


@pytest.mark.parametrize(
    ("lattice", "K", "rule", "order"),
    [
        (Torus(16, 16), 0.5, "wolff", None),
        (Torus(16, 16), 0.6, "wolff", None),
        (Torus(16, 16), 0.8, "wolff", None),
        (Ring(16), 2.0, "wolff", None),
        (Torus(8, 8), 0.02, "metropolis", "checkerboard"),
    ],
)
def test_pulls_of_a_magnetization_that_turns_over(lattice, K, rule, order):
    # neighbours are anticorrelated; by sums cut at five autocorrelation times the spreads were 7 to 33
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metropolis in checkerboard order")
        runs = list(repeated(lattice, K, 40, 8, rule=rule, order=order, n_sweeps=500, burn_in=100, rng=42))
    found = spread([one.magnetization_estimate for one in runs], 0.0)
    assert abs(found - 1) < 4 / np.sqrt(2 * 40)  # false alarm 6e-5
    taus = np.array([one.magnetization_estimate.tau for one in runs])
    assert taus.max() < 0.2


def test_pulls_of_replica_exchange():
    torus, couplings = Torus(4, 4), [0.2, 0.3, 0.4]
    ladders = replica_exchange(torus, couplings, n_ladders=30 * 8, n_sweeps=300, burn_in=100, rng=43)
    for rung, K in enumerate(couplings):
        found = spread(
            [
                replace(ladders, energy=ladders.energy[part]).energy_estimate(rung)
                for part in np.split(np.arange(240), 30)
            ],
            float(torus.energy(K)),
        )
        assert abs(found - 1) < 0.1 + 4 / np.sqrt(60)


@pytest.mark.slow
def test_pulls_on_a_frustrated_graph():
    # slow modes of small amplitude: by the autocorrelation within the window alone the errors of the energy
    # are too small by √2.4, and the spread 1.5; 60 pulls, 1 ± 4/√120
    rng = np.random.default_rng(1)
    bonds = [(i, (i + step) % 16) for step in (1, 3) for i in range(16)]
    couplings, fields = rng.normal(size=32), rng.normal(size=16)
    states = np.array(list(itertools.product([-1, 1], repeat=16)))
    energies = states @ fields + sum(
        J * states[:, i] * states[:, j] for J, (i, j) in zip(couplings, bonds, strict=True)
    )
    law = np.exp(1.5 * (energies - energies.max()))
    law /= law.sum()
    graph = Graph.from_bonds(16, bonds, couplings, fields)
    runs = list(repeated(graph, 1.5, 60, 64, n_sweeps=1000, burn_in=2000, rng=5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = [one.energy_estimate for one in runs]
        assert sum(one.between_chains for one in found) > 30
        assert abs(spread(found, -(law @ energies) / 16) - 1) < 4 / np.sqrt(120)
        found = [one.magnetization_estimate for one in runs]
    assert abs(spread(found, law @ states.mean(axis=1)) - 1) < 4 / np.sqrt(120)


def test_chains_that_have_not_mixed_warn_once():
    chains = run(Torus(32, 32), 0.44, n_chains=64, n_sweeps=200, rng=1, keep_spins=False)
    words = r"^energy at K = 0\.44: r_hat = 1\.3, n_effective = 2\d\d: the chains have not mixed.*burn-in"
    with pytest.warns(ConvergenceWarning, match=words) as caught:
        _ = chains.energy_estimate
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert chains.energy_estimate.r_hat > 1.2  # without another warning, which would be an error here
    with pytest.warns(ConvergenceWarning, match="^absolute magnetization at K = 0.44"):
        _ = chains.absolute_magnetization_estimate


def test_a_frozen_chain_warns_and_has_an_unknown_error():
    chain = run(Torus(4, 4), 2.0, n_sweeps=200, burn_in=100, rng=1)
    assert np.ptp(chain.energy) == 0
    for name in OBSERVABLES:
        words = (
            rf"^{name.replace('_', ' ')} at K = 2: r_hat = nan, n_effective = nan: "
            r"all 200 measurements are equal"
        )
        with pytest.warns(ConvergenceWarning, match=words) as caught:
            estimate = getattr(chain, f"{name}_estimate")
        assert len(caught) == 1
        assert np.isnan((estimate.stderr, estimate.n_effective, estimate.tau, estimate.deviation(0.5))).all()
    assert str(chain.energy_estimate) == "-2 ± nan"
    ladders = replica_exchange(Torus(4, 4), [2.0, 3.0], n_sweeps=200, burn_in=100, rng=1)
    with pytest.warns(ConvergenceWarning, match="^energy at K = 3: .* equal"):
        first = ladders.energy_estimate(1)
    assert ladders.energy_estimate(1) is first


def test_a_short_chain_warns():
    chain = run(Torus(4, 4), 0.2, n_sweeps=80, burn_in=10, rng=1)
    with pytest.warns(ConvergenceWarning, match="fewer than 100 effective samples"):
        _ = chain.energy_estimate


def test_runs_whose_chains_are_short_and_right_do_not_warn():
    # R-hat is 1.05 for the 200 sweeps of a chain with τ of 5; 500 chains give nine thousand effective samples
    chains = run(Torus(64, 64), 0.4, n_chains=512, n_sweeps=200, burn_in=100, rng=1, keep_spins=False)
    assert chains.energy_estimate.r_hat > 1.04
    assert chains.energy_estimate.n_effective > 5000


@pytest.mark.parametrize("K", [0.0, np.inf])
def test_heat_capacities_at_the_ends_vanish(K):
    chains = run(Torus(4, 4), K, n_chains=8, n_sweeps=100, rng=1, initial="random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = chains.heat_capacity_estimate
    assert found.mean == 0
    assert not found.stderr > 0
