"""Correlations and structure factors: sums over pairs of sites, exact laws, known geometry."""

import numpy as np
import pytest

from rbmflow import Graph, Ring, Torus
from rbmflow.ising import Honeycomb, Hypercubic, Triangular, correlations, structure_factor, wave_vectors
from rbmflow.ising.structure_factor import lattice_momenta, smallest_waves

LATTICES = [Ring(7), Torus(4, 6), Triangular(4, 5), Honeycomb(3, 4), Hypercubic((3, 4, 2)), Hypercubic((5,))]
IDS = [lattice.label for lattice in LATTICES]


def spins_on(lattice, n=3):
    return np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), (n, lattice.n_sites))


@pytest.mark.parametrize("lattice", LATTICES, ids=IDS)
class TestEveryLattice:
    def test_structure_factors_are_sums_over_all_pairs(self, lattice):
        spins, k, r = spins_on(lattice), wave_vectors(lattice), lattice.positions()
        apart = r[:, np.newaxis] - r
        pairs = np.cos(np.einsum("...d,ijd->...ij", k, apart))  # of e^(−i k (r_i − r_j)) the sum is real
        expected = np.einsum("...ij,ni,nj->n...", pairs, spins, spins) / lattice.n_sites
        found = structure_factor(lattice, spins)
        assert found.shape == (3, *lattice.cells)
        np.testing.assert_allclose(found, expected, atol=1e-11 * lattice.n_sites)  # rounding of a sum of n
        at_zero = found.reshape(3, -1)[:, 0]
        np.testing.assert_allclose(at_zero, lattice.n_sites * spins.mean(axis=1) ** 2, rtol=0, atol=1e-12)

    def test_wave_vectors_fit(self, lattice):
        axes = np.array(lattice.vectors or np.eye(lattice.dimension))
        turns = wave_vectors(lattice) @ axes.T * np.array(lattice.cells) / (2 * np.pi)
        np.testing.assert_allclose(turns, np.round(turns), rtol=0, atol=1e-12)

    def test_correlations_are_sums_over_cells(self, lattice):
        spins = spins_on(lattice)
        cells = spins.reshape(3, *lattice.cells, lattice.basis)
        axes = tuple(range(1, 1 + lattice.dimension))
        found = correlations(lattice, spins).reshape(3, lattice.basis, lattice.basis, *lattice.cells)
        for step in np.ndindex(*lattice.cells):
            moved = np.roll(cells, [-one for one in step], axes)
            for a, b in np.ndindex(lattice.basis, lattice.basis):
                expected = (cells[..., a] * moved[..., b]).mean(axis=axes)
                np.testing.assert_allclose(found[(slice(None), a, b, *step)], expected, rtol=0, atol=1e-12)

    def test_connected_correlations_have_no_mean(self, lattice):
        found = correlations(lattice, spins_on(lattice)[0], connected=True)
        assert abs(found.mean()) < 1e-12

    def test_the_smallest_waves(self, lattice):
        momentum, waves = smallest_waves(lattice)
        momenta, S = lattice_momenta(lattice), structure_factor(lattice, spins_on(lattice))
        smallest = np.isclose(momenta, momentum, rtol=1e-9, atol=0)
        assert momenta.ravel()[0] == 0
        assert (momenta[~smallest].ravel()[1:] > momentum).all()
        squares = ((spins_on(lattice) @ waves) ** 2).sum(axis=1) / (waves.shape[1] / 2 * lattice.n_sites)
        np.testing.assert_allclose(squares, S[:, smallest].mean(axis=1), rtol=1e-12)

    def test_momenta_are_lengths_where_they_are_small(self, lattice):
        large = type(lattice)(*[400] * 2) if lattice.dimension == 2 else Hypercubic((400,))
        momentum, _ = smallest_waves(large)
        k = np.linalg.norm(wave_vectors(large), axis=-1).ravel()[1:].min()
        np.testing.assert_allclose(momentum, k, rtol=1e-4)  # 1 − k²a²/24


class TestGeometry:
    def test_how_many_are_smallest(self):
        for lattice, n in (
            (Ring(8), 1),
            (Torus(6, 6), 2),
            (Torus(6, 8), 1),
            (Triangular(6, 6), 3),
            (Honeycomb(6, 6), 3),
            (Hypercubic((4, 4, 4)), 3),
        ):
            assert smallest_waves(lattice)[1].shape[1] == 2 * n

    def test_they_are_equal_by_symmetry(self):
        """A turn of the lattice leaves the mean over the smallest waves as it is."""
        for lattice in (Torus(6, 6), Triangular(6, 6), Honeycomb(6, 6), Hypercubic((4, 4, 4))):
            spins = spins_on(lattice)
            _, waves = smallest_waves(lattice)
            for turn in lattice.symmetries():
                turned = np.empty_like(spins)
                turned[:, turn] = spins
                np.testing.assert_allclose(
                    ((turned @ waves) ** 2).sum(axis=1), ((spins @ waves) ** 2).sum(axis=1), rtol=1e-9
                )

    def test_the_hypercubic_momentum(self):
        momenta = lattice_momenta(Hypercubic((4, 6, 5)))
        k = 2 * np.pi * np.array([1 / 4, 2 / 6, 0])
        np.testing.assert_allclose(momenta[1, 2, 0], 2 * np.sqrt((np.sin(k / 2) ** 2).sum()), rtol=1e-12)


class TestExactLaws:
    def test_the_ring(self):
        """Exact samples, within 4 standard errors for 7 distances and 7 wave vectors: one in 1,000."""
        ring, K, n = Ring(12), 0.5, 20_000
        spins = ring.sample(K, n, rng=1)
        t = np.tanh(K)
        for found, exact in (
            (correlations(ring, spins), ring.correlation(K, np.arange(12))),
            (
                structure_factor(ring, spins),
                (1 - t**12)
                / (1 + t**12)
                * (1 - t**2)
                / (1 - 2 * t * np.cos(2 * np.pi * np.arange(12) / 12) + t**2),
            ),
        ):
            error = found.std(axis=0) / np.sqrt(n)
            assert (abs(found.mean(axis=0) - exact)[:7] <= 4 * error[:7] + 1e-12).all()


class TestInput:
    def test_what_is_refused(self):
        for function in (correlations, structure_factor):
            with pytest.raises(TypeError, match="periodic"):
                function(Triangular(3, 3, periodic=False), np.ones(9))
            with pytest.raises(TypeError, match="lattice"):
                function(Graph.from_bonds(2, [(0, 1)], 1.0), np.ones(2))
            with pytest.raises(ValueError, match="spins"):
                function(Ring(4), np.ones(5))
            with pytest.raises(ValueError, match="spins"):
                function(Ring(4), [1, 1, 0, 1])

    def test_arrays_that_cannot_be_written_or_lie_apart(self):
        spins = np.asfortranarray(spins_on(Torus(4, 4), 6))
        spins.flags.writeable = False
        np.testing.assert_array_equal(
            structure_factor(Torus(4, 4), spins[::2]), structure_factor(Torus(4, 4), spins[::2].copy())
        )
        assert correlations(Torus(4, 4), np.empty((0, 16))).shape == (0, 4, 4)
