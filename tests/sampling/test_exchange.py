"""Replica exchange on any lattice, in fields, and in parts; what it was before stands in test_run.py."""

import numpy as np
import pytest

from rbmflow import Graph, Hypercubic, Ring, Torus, Triangular
from rbmflow.sampling import Exchange, ReducibleChainError, replica_exchange
from rbmflow.sampling.rungs import Rungs
from tests.sampling import operators


def random_graph(n_sites=10, seed=5):
    rng = np.random.default_rng(seed)
    bonds = [(i, j) for i in range(n_sites) for j in range(i) if rng.random() < 0.5]
    return Graph.from_bonds(n_sites, bonds, rng.normal(size=len(bonds)), rng.normal(size=n_sites) / 2)


LADDER = [0.1, 0.3, 0.6, 1.0]


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize(
    ("lattice", "field"),
    [(random_graph(), 0.0), (Torus(3, 3), 0.2), (Ring(9), -0.4), (Triangular(3, 4), 0.0)],
    ids=["graph", "torus", "ring", "triangular"],
)
@pytest.mark.parametrize(
    ("rule", "order"), [("heat_bath", None), ("metropolis", "colours"), ("metropolis", None)]
)
def test_every_rung_has_its_law(lattice, field, rule, order):
    # |z| > 4 in 6e-5 of each of 96 numbers; the last of 60 sweeps of independent ladders
    n_ladders = 2000
    found = replica_exchange(
        lattice, LADDER, n_ladders=n_ladders, n_sweeps=1, burn_in=60, rule=rule, order=order, field=field,
        rng=1, allow_reducible=True,
    )  # fmt: skip
    for rung, K in enumerate(LADDER):
        p, energy, magnetization = operators.boltzmann(lattice.to_graph(field), K)
        for drawn, exact in ((found.energy, energy), (found.magnetization, magnetization)):
            mean = p @ exact
            spread = np.sqrt(p @ (exact - mean) ** 2 / n_ladders)
            assert abs(drawn[:, rung, 0].mean() * lattice.n_sites - mean) < 4 * spread


CASES = [
    (random_graph(), 0.0, "heat_bath", None, 3),
    (random_graph(), 0.0, "heat_bath", "colours", 40),
    (Hypercubic((2, 2, 2)), 0.3, "metropolis", "sequential", 7),
    (Torus(3, 4), 0.0, "heat_bath", None, 129),  # 512 chains together, the last rungs by themselves
    (Torus(3, 3), 0.5, "metropolis", None, 2),
    (Torus(3, 3), 0.0, "metropolis", None, 1),  # one by one
]


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize(("lattice", "field", "rule", "order", "n_ladders"), CASES)
class TestParts:
    def test_a_run_in_parts_is_the_whole(self, tmp_path, lattice, field, rule, order, n_ladders):
        common = {"thin": 2, "rule": rule, "order": order, "field": field}
        whole = replica_exchange(
            lattice, LADDER, n_ladders=n_ladders, n_sweeps=50, burn_in=6, rng=1, **common
        )
        source = np.random.default_rng(1)
        part = replica_exchange(
            lattice, LADDER, n_ladders=n_ladders, n_sweeps=22, burn_in=6, rng=source, **common
        )
        source.random(9)  # the state does not follow what the caller does
        part.save(tmp_path / "part")
        for before in (part, Exchange.load(tmp_path / "part")):
            assert before.equals(part)
            rest = replica_exchange(lattice, LADDER, n_sweeps=28, initial=before, **common)
            for name in ("energy", "magnetization"):
                joined = np.concatenate([getattr(part, name), getattr(rest, name)], axis=-1)
                np.testing.assert_array_equal(joined, getattr(whole, name))
            for name in ("spins", "rates", "round_trips"):
                np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name))
            assert rest._ladders.generators.tobytes() == whole._ladders.generators.tobytes()

    def test_series_and_spins_agree(self, lattice, field, rule, order, n_ladders):
        found = replica_exchange(
            lattice, LADDER, n_ladders=n_ladders, n_sweeps=20, rule=rule, order=order, field=field, rng=2
        )
        # the last exchange came after the last measurement: the same energies, on other rungs
        graph = lattice.to_graph(field)
        rows, spins = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr)), found.spins.astype(float)
        energy = -(spins[..., rows] * spins[..., graph.indices]) @ graph.couplings / 2 - spins @ graph.fields
        np.testing.assert_allclose(
            np.sort(energy / graph.n_sites, axis=1), np.sort(found.energy[..., -1], axis=1), atol=1e-13
        )
        for other in (1, 8):
            again = replica_exchange(
                lattice, LADDER, n_ladders=n_ladders, n_sweeps=20, rule=rule, order=order, field=field,
                rng=2, n_threads=other,
            )  # fmt: skip
            assert again.equals(found)


def test_starts():
    cube = Hypercubic((2, 2, 2))
    up = replica_exchange(cube, [50.0, 60.0], n_sweeps=2, rng=1, initial="up")
    assert (up.magnetization == 1).all()
    given = np.ones((3, 2, 8))
    given[1] = -1
    kept = replica_exchange(cube, [50.0, 60.0], n_ladders=3, n_sweeps=2, rng=1, initial=given)
    np.testing.assert_array_equal(kept.magnetization[..., 0], given[..., 0])
    # rates count from the first sweep after the burn-in, whatever comes between
    first = replica_exchange(cube, [0.1, 0.2], n_ladders=50, n_sweeps=10, burn_in=4, rng=1)
    rest = replica_exchange(cube, [0.1, 0.2], n_sweeps=10, burn_in=5, rng=1, initial=first)
    assert rest._ladders.rungs.tried[0] == 50 * (5 + 5)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"lattice": Ring(8)}, "lattice"),
        ({"couplings": [0.2, 0.5]}, "couplings"),
        ({"n_ladders": 3}, "n_ladders"),
        ({"rule": "metropolis"}, "rule"),
        ({"order": "colours"}, "order"),
        ({"field": 0.1}, "field"),
    ],
)
def test_a_run_goes_on_only_as_it_was(change, name):
    first = replica_exchange(Ring(6), [0.2, 0.4], n_ladders=2, n_sweeps=3, rng=1)
    arguments = {"lattice": Ring(6), "couplings": [0.2, 0.4], "n_ladders": 2} | change
    with pytest.raises(ValueError, match=f"another {name}"):
        replica_exchange(
            arguments.pop("lattice"), arguments.pop("couplings"), n_sweeps=3, initial=first, **arguments
        )


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"initial": "down"}, ValueError, "initial='down'.*an Exchange"),
        ({"initial": np.ones((2, 6))}, ValueError, r"\(6,\) or \(1, 2, 6\) is needed"),
        ({"initial": np.zeros(6)}, ValueError, "initial holds 0"),
        ({"field": np.inf}, ValueError, "finite field"),
        ({"field": 0.1, "lattice": random_graph()}, ValueError, "fields of its own"),
        ({"allow_reducible": 1}, TypeError, "allow_reducible"),
        ({"rule": "metropolis", "order": "colours"}, ReducibleChainError, "allow_reducible"),
    ],
)
def test_bad_input(change, error, match):
    arguments = {"lattice": Ring(6), "couplings": [0.2, 0.4], "n_sweeps": 3, "rng": 1} | change
    with pytest.raises(error, match=match):
        replica_exchange(arguments.pop("lattice"), arguments.pop("couplings"), **arguments)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("generators", lambda words: words[:-1], "generators of shape"),
        ("generators", np.zeros_like, "a generator is zero"),
        ("rungs", lambda _: Rungs(1, 4), "rungs of shape"),
        ("turn", lambda _: "3", "turn"),
    ],
)
def test_states_of_files_are_checked(name, change, match):
    first = replica_exchange(Ring(6), [0.2, 0.4], n_ladders=2, n_sweeps=3, rng=1)
    setattr(first._ladders, name, change(getattr(first._ladders, name)))
    with pytest.raises((TypeError, ValueError), match=match):
        replica_exchange(Ring(6), [0.2, 0.4], n_sweeps=3, initial=first)
