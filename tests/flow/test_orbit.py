"""Orbits: observables of every step, maps that draw, what is refused; spectra of weights."""

import numpy as np
import pytest

from rbmflow import RBM, Ring, Torus, flow
from rbmflow.flow import lattice_observables, spectrum
from rbmflow.ising import Graph, Honeycomb, Hypercubic, Triangular


def literal(spins, shape, r):
    """Mean of v_i v_(i+r) over sites and axes, site by site."""
    lattice = spins.reshape(shape)
    total = 0.0
    for site in np.ndindex(*shape):
        for axis, side in enumerate(shape):
            other = list(site)
            other[axis] = (other[axis] + r) % side
            total += lattice[site] * lattice[tuple(other)]
    return total / spins.size / len(shape)


@pytest.mark.parametrize("lattice", [Ring(9), Torus(4, 6)])
def test_observables_site_by_site(lattice):
    shape = (9,) if isinstance(lattice, Ring) else (4, 6)
    batch = np.random.default_rng(1).uniform(-1, 1, (5, lattice.n_sites))
    found = {name: f(batch) for name, f in lattice_observables(lattice, [1, 2]).items()}
    half = len(shape)  # neighbours on one side
    for k, row in enumerate(batch):
        m = row.mean()
        assert found["energy"][k] == pytest.approx(-half * literal(row, shape, 1), abs=1e-14)
        assert found["excess"][k] == pytest.approx(half * (m**2 - literal(row, shape, 1)), abs=1e-14)
        assert found["correlation_2"][k] == pytest.approx(literal(row, shape, 2) - m**2, abs=1e-14)


def test_the_energy_is_the_exact_one_and_the_excess_tells_a_magnet_from_a_product_state():
    ring, n = Ring(32), 20_000
    spins = ring.sample(0.8, n, rng=3)
    path = flow.orbit(
        flow.sign, RBM.uniform(32, 4, 1.0), spins, 0, observables=lattice_observables(ring, [3])
    )
    # four standard errors, false alarm 6e-5 each; seed fixed
    assert abs(path.observables["energy"][0].deviation(ring.energy(0.8))) < 4
    second = float(ring.susceptibility(0.8)) / 32
    assert abs(path.observables["correlation_3"][0].deviation(ring.correlation(0.8, 3) - second)) < 4
    torus = Torus(16, 16)
    product = np.where(np.random.default_rng(2).random((n // 10, 256)) < 0.85, 1, -1)  # m = 0.7
    excess = lattice_observables(torus)["excess"](product)
    assert abs(excess.mean() - 2 * (1 - 0.49) / 256) < 4 * excess.std() / np.sqrt(len(excess))


def test_displacement_and_callback():
    rbm, spins = RBM.uniform(6, 3, 0.5), Ring(6).sample(0.3, 50, rng=1)
    seen = []
    path = flow.orbit(
        flow.mean_field, rbm, spins, 3, callback=lambda k, batch: seen.append((k, batch.copy()))
    )
    assert [k for k, _ in seen] == [0, 1, 2, 3]
    np.testing.assert_array_equal(seen[-1][1], path.final)
    assert np.isnan(path.observables["displacement"][0].mean)
    for k in (1, 2, 3):
        change = np.sqrt(((seen[k][1] - seen[k - 1][1]) ** 2).mean(axis=1))
        assert path.observables["displacement"][k].mean == pytest.approx(change.mean(), rel=1e-14, abs=0)


@pytest.mark.parametrize("step", [flow.gibbs, flow.mean_field_sampled])
def test_maps_that_draw_repeat_with_the_seed(step):
    rbm, spins = RBM.local_ring(6, 0.5), Ring(6).sample(0.5, 50, rng=1)
    ends = [flow.orbit(step, rbm, spins, 4, rng=seed).final for seed in (1, 1, 2)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()
    with pytest.raises(ValueError, match="rng=None"):
        flow.orbit(step, rbm, spins, 1)


@pytest.mark.parametrize(
    ("observables", "error", "words"),
    [
        (["energy"], TypeError, "observables="),
        ({"magnetization": len}, ValueError, "always recorded"),
        ({"energy": 3}, TypeError, r"observables\['energy'\]=3"),
        ({"sum": lambda batch: batch.sum()}, ValueError, r"gives the shape \(\)"),
        (lattice_observables(Ring(5)), ValueError, "does not lie on"),
    ],
)
def test_observables_that_are_none(observables, error, words):
    with pytest.raises(error, match=words):
        flow.orbit(flow.sign, RBM.uniform(6, 3, 1.0), np.ones((2, 6)), 1, observables=observables)


def test_more_steps_than_memory_holds_are_refused_before_work(monkeypatch):
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**35)
    with pytest.raises(MemoryError, match=r"n_steps=1000000000: .* there are 32 GiB; at most 45812984 fit"):
        flow.orbit(flow.sign, RBM.uniform(6, 3, 1.0), np.ones((2, 6)), 10**9)


def test_lattices_and_distances_that_are_refused():
    with pytest.raises(TypeError, match="lattice=3"):
        lattice_observables(3)
    for r in (0, 3, 1.5):
        with pytest.raises((ValueError, TypeError), match="distances"):
            lattice_observables(Torus(4, 8), [r])


def test_the_spectrum_of_known_machines():
    found = spectrum(RBM.uniform(8, 4, 0.3))
    assert found.singular_values[0] == pytest.approx(np.sqrt(32) * 0.3, rel=1e-14, abs=0)
    assert found.hidden_participation[0] == pytest.approx(4, rel=1e-12, abs=0)
    assert found.orders == (flow.critical_weight(8, 4) < 0.3)
    w = RBM.local_ring(10, 0.4).weights[0, 0]
    local = spectrum(RBM.local_ring(10, 0.4)).singular_values
    # a cyclic bond matrix: 2w |cos(πk/10)|
    wanted = np.sort(2 * w * np.abs(np.cos(np.pi * np.arange(10) / 10)))[::-1]
    np.testing.assert_allclose(local, wanted, rtol=0, atol=1e-14)
    one = np.zeros((5, 3))
    one[2, 1] = 2.0
    assert spectrum(RBM(one)).visible_participation[0] == pytest.approx(1)
    for shape in ((5, 2), (2, 5)):
        u, w = np.zeros((5, 2)), np.eye(2)
        u[:3, 0], u[3:, 1] = 1, 1
        given = u @ np.diag([2.0, 1.0]) @ w
        found = spectrum(RBM(given if shape == (5, 2) else given.T))
        np.testing.assert_allclose(found.singular_values, [2 * np.sqrt(3), np.sqrt(2)], rtol=1e-14)
        parts = found.visible_participation, found.hidden_participation
        long, short = parts if shape == (5, 2) else parts[::-1]
        np.testing.assert_allclose(long, [3, 2], rtol=1e-13)
        np.testing.assert_allclose(short, [1, 1], rtol=1e-13)
    with pytest.raises(TypeError, match="rbm="):
        spectrum(np.eye(2))


CRYSTALS = [
    (Triangular(4, 5), 3.0), (Honeycomb(3, 4), 1.5), (Hypercubic((3, 4, 5)), 3.0),
    (Hypercubic((4, 6), couplings=(1.0, -0.5)), 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("lattice", "aligned"), CRYSTALS, ids=str)
def test_observables_of_crystals_by_their_bonds(lattice, aligned):
    rng = np.random.default_rng(1)
    spins = rng.choice([-1, 1], (50, lattice.n_sites)).astype(np.int8)
    found = {name: f(spins) for name, f in flow.lattice_observables(lattice, [1]).items()}
    first, second = lattice.bonds().T
    energy = -(spins[:, first] * spins[:, second]) @ lattice.bond_couplings() / lattice.n_sites
    m = spins.mean(axis=1)
    np.testing.assert_allclose(found["energy"], energy, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["excess"], energy + aligned * m**2, rtol=0, atol=1e-12)
    # one along an axis is the next site of the same place, which translations lead to
    index = np.arange(lattice.n_sites).reshape(*lattice.cells, lattice.basis)
    steps = lattice.steps if lattice.basis == 1 else Hypercubic(lattice.cells).steps
    moved = [np.roll(index, [-x for x in step], range(lattice.dimension)).ravel() for step in steps]
    pairs = np.mean([(spins * spins[:, there]).mean(axis=1) for there in moved], axis=0)
    np.testing.assert_allclose(found["correlation_1"], pairs - m**2, rtol=0, atol=1e-12)


def test_observables_of_lattices_with_ends_and_of_graphs():
    graph = Graph.from_bonds(3, [(0, 1), (1, 2)], [1.0, 0.5], fields=[0.0, 0.3, 0.0])
    spins = np.array([[1, 1, 1], [1, -1, 1]], dtype=np.int8)
    found = flow.lattice_observables(graph)
    assert found["energy"](spins) == pytest.approx([-1.8 / 3, 1.8 / 3])
    assert found["excess"](np.full((1, 3), 0.5)) == pytest.approx([0.0])  # independent spins of one mean
    for lattice in (graph, Hypercubic((3, 4), periodic=False)):
        assert list(flow.lattice_observables(lattice)) == ["energy", "excess"]
        with pytest.raises(TypeError, match="periodic along each axis"):
            flow.lattice_observables(lattice, [1])
    with pytest.raises(ValueError, match="does not lie on"):
        flow.lattice_observables(Honeycomb(3, 3), [1])["correlation_1"](np.ones((1, 4)))
