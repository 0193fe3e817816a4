"""Orders of update that do not connect all states: refused, warned of, guarded; the right default."""

import warnings

import numpy as np
import pytest

from rbmflow import Chain, Graph, ReducibleChainError, Ring, Torus, Triangular
from rbmflow.sampling import ReducibleChainWarning, is_irreducible, run
from rbmflow.sampling.reducibility import frozen

EXACT = Ring(64).energy(0.5)


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ("heat_bath", None),
        ("heat_bath", "random"),
        ("heat_bath", "sequential"),
        ("heat_bath", "checkerboard"),
        ("metropolis", None),
        ("metropolis", "random"),
        ("wolff", None),
        ("swendsen_wang", None),
    ],
)
@pytest.mark.parametrize("n_chains", [4, 64])
def test_every_allowed_rule_and_order_gives_the_energy_of_the_ring(rule, order, n_chains):
    # false alarm per case: |z| > 4 in 6e-5
    n_sweeps = 20_000 if rule == "wolff" else 3000
    chains = run(
        Ring(64),
        0.5,
        n_chains=n_chains,
        n_sweeps=n_sweeps,
        burn_in=300,
        rule=rule,
        order=order,
        rng=1,
        keep_spins=False,
    )
    assert pytest.approx(-0.46212, abs=1e-5) == EXACT
    assert abs(chains.energy_estimate.deviation(EXACT)) < 4
    assert chains.energy_estimate.stderr < 0.005


@pytest.mark.parametrize("order", ["sequential", "checkerboard"])
def test_metropolis_in_a_fixed_order_on_the_ring_is_refused(order):
    for n_sites in (4, 64, 1000):
        with pytest.raises(ReducibleChainError, match=r"heat_bath.*order='random'.*allow_reducible=True"):
            run(Ring(n_sites), 0.5, n_sweeps=10, rule="metropolis", order=order, rng=1)


def test_a_ring_that_is_all_but_one_is_refused_too():
    # h = 1e-12 left the energy at -0.02 where it is -0.46
    for n_sites in (8, 64):
        with pytest.raises(ReducibleChainError, match="heat_bath"):
            run(Ring(n_sites), 0.5, field=1e-12, n_sweeps=2, rule="metropolis", order="sequential", rng=1)
    bonds = [(i, (i + 1) % 20) for i in range(20)]
    uneven = Graph.from_bonds(20, bonds, 1 + 1e-12 * np.arange(20))
    with pytest.raises(ReducibleChainError, match="all but so"):
        run(uneven, 0.5, n_sweeps=2, rule="metropolis", order="sequential", rng=1)


@pytest.mark.parametrize(
    ("order", "initial", "wrong"),
    [
        ("sequential", "random", -0.025),
        ("sequential", "up", -0.944),
        ("checkerboard", "random", -0.460),
        ("checkerboard", "up", -0.470),
    ],
)
def test_what_the_refused_chains_answer(order, initial, wrong):
    # the known wrong answers, from single starts where they depend on it: to two digits
    chains = run(
        Ring(64),
        0.5,
        n_chains=400,
        n_sweeps=2000,
        burn_in=200,
        rule="metropolis",
        order=order,
        initial=initial,
        rng=2,
        allow_reducible=True,
        keep_spins=False,
    )
    assert chains.energy.mean() == pytest.approx(wrong, abs=0.01)


def test_checkerboard_needs_even_sides():
    for lattice in (Ring(5), Torus(3, 4), Torus(4, 3), Torus(5, 5), Graph.from_bonds(4, [(0, 1)])):
        with pytest.raises(ValueError, match="checkerboard"):
            run(lattice, 0.5, n_sweeps=1, order="checkerboard", rng=1)


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize("order", ["sequential", "checkerboard"])
def test_a_frozen_state_is_refused_as_a_start(order):
    # found among all states of a small torus: stripes of width one for the colours
    states = 2 * (np.arange(2**16)[:, None] >> np.arange(16) & 1).astype(np.int8) - 1
    lost = states[frozen(Torus(4, 4), order, states)]
    assert len(lost) == {"sequential": 64, "checkerboard": 36}[order]
    for state in lost[:3]:
        with pytest.raises(ValueError, match="never leaves"):
            run(
                Torus(4, 4),
                0.4,
                n_sweeps=1,
                rule="metropolis",
                order=order,
                initial=state,
                rng=1,
                allow_reducible=False,
            )
        # it really never leaves: alone it flips for ever between itself and its mirror image
        chain = run(
            Torus(4, 4),
            0.4,
            n_sweeps=6,
            rule="metropolis",
            order=order,
            initial=state,
            rng=1,
            allow_reducible=True,
        )
        for kept in range(6):
            np.testing.assert_array_equal(chain.spins[0, kept], state * (-1) ** (kept + 1))
        run(Torus(4, 4), 0.4, n_sweeps=1, rule="heat_bath", order=order, initial=state, rng=1)


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
def test_random_starts_avoid_frozen_states():
    chains = run(Torus(2, 6), 0.3, n_chains=9000, n_sweeps=0, rule="metropolis", order="sequential", rng=1)
    assert not frozen(Torus(2, 6), "sequential", chains.state.spins).any()  # 4 states of 4096


def test_stripes_of_width_one_on_a_large_torus():
    stripes = np.tile(np.array([1, -1], dtype=np.int8), 32 * 64)
    with pytest.raises(ValueError, match="never leaves"):
        run(Torus(64, 64), 0.4, n_sweeps=1, rule="metropolis", order="checkerboard", initial=stripes, rng=1)


@pytest.mark.parametrize("lattice", [Ring(6), Ring(7), Torus(3, 4), Torus(4, 4), Chain(6)], ids=str)
@pytest.mark.parametrize("n_chains", [2, 300])
@pytest.mark.parametrize("rule", ["metropolis", "wolff"])
def test_at_zero_coupling_draws_are_independent(lattice, rule, n_chains):
    chains = run(lattice, 0.0, n_chains=n_chains, n_sweeps=400, burn_in=1, rule=rule, rng=3, initial="up")
    up = (chains.spins > 0).sum(axis=-1)
    # both parities of the number of up-spins occur after every sweep, in every chain
    assert 0.2 < (up % 2).mean() < 0.8
    assert ((up % 2).min(axis=1) == 0).all()
    assert ((up % 2).max(axis=1) == 1).all()


def test_small_graphs_are_decided_and_large_ones_warned_of():
    ring = Graph.from_bonds(6, [(i, (i + 1) % 6) for i in range(6)])
    with pytest.raises(ReducibleChainError, match="ring of equal bonds"):
        run(ring, 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)
    fields = Graph.from_bonds(6, [(i, (i + 1) % 6) for i in range(6)], fields=0.1)
    assert is_irreducible(fields, "metropolis", "sequential")
    run(fields, 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)
    large = Graph.from_bonds(60, [(0, 30), *((i, (i + 1) % 60) for i in range(60))])
    with pytest.warns(ReducibleChainWarning, match="60 sites"):
        run(large, 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)


def test_small_lattices_without_ends_are_decided_too():
    # on 3 x 3 sites colours never reach 56 of the 512 states, 3 to 10 % of the law where |K| <= 0.5
    triangles = Triangular(3, 3)
    assert not is_irreducible(triangles, "metropolis", "colours")
    with pytest.raises(ReducibleChainError, match="Triangular"):
        run(triangles, -0.2, n_sweeps=1, rule="metropolis", order="colours", rng=1)
    assert is_irreducible(triangles, "metropolis", "sequential")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(triangles, -0.2, n_sweeps=1, rule="metropolis", order="sequential", rng=1)


def test_bad_questions_are_refused():
    with pytest.raises(ValueError, match="at most 20"):
        is_irreducible(Ring(21))
    with pytest.raises(ValueError, match="rule"):
        is_irreducible(Ring(5), "glauber")
    with pytest.raises(ValueError, match="order"):
        is_irreducible(Ring(5), "metropolis", "typewriter")
    with pytest.raises(TypeError, match="lattice"):
        is_irreducible(5)
    with pytest.raises(ValueError, match="clusters have no order"):
        run(Ring(5), 0.5, n_sweeps=1, rule="wolff", order="random", rng=1)


def test_graphs_that_hold_a_ring_and_graphs_without_bonds():
    bonds = [(i, (i + 1) % 40) for i in range(40)]
    ring_and_pair = Graph.from_bonds(42, [*bonds, (40, 41)])
    with pytest.raises(ReducibleChainError, match="ring of equal bonds"):
        run(ring_and_pair, 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)
    with pytest.raises(ReducibleChainError, match="ring of equal bonds"):
        run(Graph.from_bonds(40, bonds * 2), 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)
    # spins without bonds are drawn independently, whatever the rule
    loose = Graph.from_bonds(12, [])
    for order in ("random", "sequential"):
        spins = run(loose, 1.0, n_sweeps=400, rule="metropolis", order=order, rng=1).spins[0]
        assert set(np.prod(spins, axis=1)) == {-1, 1}
        assert abs(spins.mean()) < 5 / np.sqrt(400 * 12 / 4)
    pair = Graph.from_bonds(4, [(0, 1)])
    spins = run(pair, 1.0, n_chains=4, n_sweeps=4000, rule="metropolis", order="sequential", rng=1).spins
    assert abs((spins[..., 2] * spins[..., 3]).mean()) < 0.05
    assert (spins[..., 0] * spins[..., 1]).mean() == pytest.approx(np.tanh(1.0), abs=0.05)


@pytest.mark.parametrize("rule", ["metropolis", "wolff"])
@pytest.mark.parametrize("K", [1e-12, -1e-5, 1e-300])
def test_weak_couplings_do_not_keep_the_parity(rule, K):
    for lattice in (Torus(2, 2), Ring(6), Torus(16, 16), Chain(6), Graph.from_bonds(4, [(0, 1)], -0.5)):
        chains = run(lattice, K, n_chains=3, n_sweeps=200, rule=rule, rng=1, initial="up")
        parity = (chains.spins > 0).sum(axis=-1) % 2
        assert (parity.min(axis=1) == 0).all()
        assert (parity.max(axis=1) == 1).all()
    run(Ring(8), 0.0, n_sweeps=5, rule="metropolis", order="sequential", rng=1)


def test_ladders_avoid_frozen_starts_too():
    from rbmflow.sampling import replica_exchange

    with pytest.warns(ReducibleChainWarning, match="Torus"):
        ladder = replica_exchange(
            Torus(2, 6),
            [0.2, 0.4],
            n_ladders=200,
            n_sweeps=400,
            burn_in=50,
            rule="metropolis",
            order="checkerboard",
            rng=1,
        )
    for rung, K in enumerate((0.2, 0.4)):
        # the frozen class holds 4 of 4096 states, which the chains never see: their weight bounds the bias
        states = 2 * (np.arange(4096)[:, None] >> np.arange(12) & 1).astype(np.int8) - 1
        from tests.sampling import operators

        p, energy, _ = operators.boltzmann(Torus(2, 6), K)
        kept = ~frozen(Torus(2, 6), "checkerboard", states)
        exact = (p * energy)[kept].sum() / p[kept].sum() / 12
        assert abs(ladder.energy_estimate(rung).deviation(exact)) < 4.5
