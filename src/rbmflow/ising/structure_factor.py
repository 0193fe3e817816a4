"""Correlations of configurations and their Fourier transforms, on lattices that close upon themselves."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_flag
from rbmflow.hardware import check_memory
from rbmflow.ising.crystal import Crystal, check_periodic
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

EQUAL = 1e-9
"""Relative difference of lengths that are one, and differ in rounding."""


def wave_vectors(lattice: Crystal) -> FloatArray:
    """Return the wave vectors that fit on a lattice.

    ``k·a_i = 2π n_i/L_i`` with the vectors a_i from a cell to the next and L_i cells along each axis.

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells and has no ends
        The lattice.

    Returns
    -------
    numpy.ndarray of float64, shape ``(*cells, dimension)``
        In units of one over the length of a bond; in the order of `numpy.fft.fftn` over the cells.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> wave_vectors(Torus(4, 4))[1, 0].round(3)
    array([1.571, 0.   ])
    """
    on = check_periodic(lattice)
    check_memory(f"wave vectors of {on.n_sites} sites", 24 * on.n_sites * on.dimension, "a smaller lattice")
    phases = np.stack(np.meshgrid(*(np.fft.fftfreq(side) for side in on.cells), indexing="ij"), axis=-1)
    return np.asarray(2 * np.pi * phases @ np.linalg.inv(_axes(on)).T)


def lattice_momenta(lattice: Crystal) -> FloatArray:
    """Return the length of each wave vector as the lattice's Laplacian sees it.

    ``k̂² = (2d/(z a²)) Σ_a (1 − cos k·a)`` over the z shortest vectors of length a from a cell to others: on a
    hypercubic lattice ``4 Σ_i sin²(k_i/2)``, and |k| where that is small.

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells and has no ends
        The lattice.

    Returns
    -------
    numpy.ndarray of float64, shape cells
        In units of one over the length of a bond.

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> momenta = lattice_momenta(Triangular(6, 6))  # six smallest, by symmetry
    >>> int(np.isclose(momenta, np.partition(momenta.ravel(), 1)[1]).sum())
    6
    """
    k, on = wave_vectors(lattice), check_periodic(lattice)
    shortest = _shortest(on)
    total = sum(1 - np.cos(k @ vector) for vector in shortest)
    scale = 2 * on.dimension / (len(shortest) * float(shortest[0] @ shortest[0]))
    return np.asarray(np.sqrt(scale * np.asarray(total)), dtype=np.float64)


def structure_factor(lattice: Crystal, spins: ArrayLike) -> FloatArray:
    """Return the structure factor of configurations.

    ``S(k) = |Σ_j v_j e^(−i k·r_j)|²/n`` with the positions r_j of all sites, those of one cell included. Its
    mean is the Fourier transform of ⟨v_0 v_r⟩; ``S(0) = n m²``.

    Time O(n log n) for each configuration.

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells and has no ends
        Where the spins are.
    spins : array_like, shape (..., n_sites)
        Configurations of ±1.

    Returns
    -------
    numpy.ndarray of float64, shape ``(..., *cells)``
        At the wave vectors of `wave_vectors`.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> structure_factor(Ring(4), [1, -1, 1, -1])
    array([0., 0., 4., 0.])
    """
    on, configurations = _configurations(lattice, spins)
    parts = np.moveaxis(_transforms(on, configurations), -1, 0)
    places = on.positions()[: on.basis]
    k = wave_vectors(on)
    amplitude = sum(np.exp(-1j * (k @ place)) * part for place, part in zip(places, parts, strict=True))
    return np.asarray(np.abs(amplitude) ** 2 / on.n_sites)


def correlations(lattice: Crystal, spins: ArrayLike, *, connected: bool = False) -> FloatArray:
    """Return the correlation of spins that are a number of cells apart, in each configuration.

    ``G_ab(r) = Σ_R v_a(R) v_b(R + r)/N`` over all N cells R, for sites a and b of a cell. Its mean over
    configurations is ⟨v_0 v_r⟩.

    Time O(n log n) for each configuration.

    Parameters
    ----------
    lattice : Ring, Torus or another that repeats cells and has no ends
        Where the spins are.
    spins : array_like, shape (..., n_sites)
        Configurations of ±1.
    connected : bool
        Whether m² of each configuration is taken off: the fluctuation within one phase.

    Returns
    -------
    numpy.ndarray of float64, shape ``(..., *cells)`` or ``(..., basis, basis, *cells)``
        By the steps r along each axis, which close upon themselves; with two axes before them for the places
        of the sites where a cell has several.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> correlations(Ring(4), [1, 1, 1, -1])
    array([1., 0., 0., 0.])
    >>> correlations(Ring(4), [1, 1, 1, -1], connected=True)
    array([ 0.75, -0.25, -0.25, -0.25])
    """
    on, configurations = _configurations(lattice, spins)
    batch = configurations.ndim - 1
    parts = np.moveaxis(_transforms(on, configurations), -1, batch)
    products = np.expand_dims(np.conj(parts), batch + 1) * np.expand_dims(parts, batch)
    found = np.fft.ifftn(products, axes=tuple(range(-on.dimension, 0))).real * on.basis / on.n_sites
    if check_flag("connected", connected):
        m = configurations.mean(axis=-1, dtype=np.float64)
        found -= (m**2).reshape(m.shape + (1,) * (found.ndim - batch))
    return found.reshape(*configurations.shape[:-1], *on.cells) if on.basis == 1 else found


@lru_cache(maxsize=16)
def smallest_waves(lattice: Crystal) -> tuple[float, FloatArray]:
    """Return the smallest k̂ above 0, and ``e^(−i k·r_j)`` of the k that have it, one of each pair ±k.

    Returns
    -------
    momentum : float
        In units of one over the length of a bond.
    waves : numpy.ndarray of float64, shape (n_sites, 2 n_k)
        Cosines, then sines; not to be written to.
    """
    momenta = lattice_momenta(lattice)
    smallest = float(momenta.ravel()[1:].min())
    k = wave_vectors(lattice)[np.isclose(momenta, smallest, rtol=EQUAL, atol=0)]
    waves = np.exp(-1j * (lattice.positions() @ k.T))
    kept: list[int] = []
    for index, vector in enumerate(k):  # −k gives the same structure factor
        if not any(_equivalent(lattice, vector + k[other]) for other in kept):
            kept.append(index)
    found = np.concatenate([waves[:, kept].real, waves[:, kept].imag], axis=1)
    found.flags.writeable = False
    return smallest, found


def _equivalent(lattice: Crystal, k: FloatArray) -> bool:
    """Whether a wave vector is one of the reciprocal lattice."""
    turns = _axes(lattice) @ k / (2 * np.pi)
    return bool(np.allclose(turns, np.round(turns), atol=1e-6, rtol=0))


def _configurations(lattice: object, spins: object) -> tuple[Crystal, npt.NDArray[Any]]:
    on = check_periodic(lattice)
    configurations = check_spins("spins", spins, on.n_sites)
    n_bytes = 64 * configurations.size * on.basis
    check_memory(f"transforms of spins of shape {configurations.shape}", n_bytes, "fewer at once need less")
    return on, configurations


def _transforms(lattice: Crystal, configurations: npt.NDArray[Any]) -> npt.NDArray[np.complex128]:
    """The Fourier transforms over the cells, shape (..., *cells, basis)."""
    sites = configurations.reshape(*configurations.shape[:-1], *lattice.cells, lattice.basis)
    return np.fft.fftn(sites, axes=tuple(range(-lattice.dimension - 1, -1)))


def _axes(lattice: Crystal) -> FloatArray:
    """Vectors from a cell to the next along each axis, as rows."""
    return np.asarray(lattice.vectors or np.eye(lattice.dimension), dtype=np.float64)


def _shortest(lattice: Crystal) -> list[FloatArray]:
    """The shortest vectors from a cell to others; those of one or two axes are all that can be."""
    axes = _axes(lattice)
    steps = [sign * axis for axis in axes for sign in (1, -1)]
    pairs = combinations(range(len(axes)), 2)
    steps += [s * axes[i] + t * axes[j] for i, j in pairs for s, t in product((1, -1), repeat=2)]
    lengths = np.linalg.norm(steps, axis=1)
    return [step for step, length in zip(steps, lengths, strict=True) if length < lengths.min() * (1 + EQUAL)]
