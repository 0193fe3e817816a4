"""Effective couplings: the Ising model of every order that p(v) is.

``ln p(v) = Σ_S J_S Π_(i in S) v_i`` over all sets S of visible units, uniquely. Two routes lead to J_S:
the Walsh transform of −F(v) over all states, and, for any number of units, an integral over one variable
for each hidden unit: with ``ln cosh x = ∫₀^∞ (1 − cos ωx)/(ω sinh(πω/2)) dω`` the mean over all states
factorises over the spins,

    J_S = −Σ_a ∫₀^∞ Re[i^|S| e^(iωc_a)] Π_(i in S) sin(ωW_ia) Π_(i not in S) cos(ωW_ia) dω/(ω sinh(πω/2))

for |S| ≥ 1, to which b_i is added for S = {i}.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import numpy as np

from rbmflow._kernels import walsh
from rbmflow.arguments import FloatArray, check_integer, shown
from rbmflow.hardware import simd_level
from rbmflow.networks.exact import check_listed, exact_log_partition, visible_layer
from rbmflow.networks.listed import all_log_weights
from rbmflow.networks.two_layers import TwoLayers, check_machine

TOLERANCE_DIGITS = 38.0  # e^-38 is 3e-17: where the integrand ends, and the error of the rule
MAX_NODES = 10**6
NODES_AT_ONCE = 2**10
MAX_TRIPLED = 64  # units: their pairs at so many nodes take 32 MiB


def effective_couplings(rbm: TwoLayers) -> FloatArray:
    """Return J_S for every set S of visible units, by a Walsh transform.

    They are those of ``ln p(v) = Σ_S J_S Π_(i in S) v_i``. Time O(2^n (n + N)) for n visible and N hidden
    units. Beside the result of 8 · 2^n bytes there is little memory, with large weights 32 · 2^(n/2) N more.

    Parameters
    ----------
    rbm : RBM
        A machine of at most 24 visible units, one of whose layers has at most 30.

    Returns
    -------
    numpy.ndarray of float64, shape (2**n_visible,)
        Entry s belongs to the set whose members are the binary digits 1 of s, site 0 the least significant;
        entry 0 is the mean of ln p(v) over all states.

    Raises
    ------
    ValueError
        If there are more visible units.

    See Also
    --------
    effective_coupling : Of one set, at any size.
    effective_pairs : Pairs, at any size.

    References
    ----------
    N. Bulso and Y. Roudi, Neural Comput. 33, 2646 (2021).

    Examples
    --------
    >>> from rbmflow import RBM
    >>> print(round(effective_couplings(RBM.local_ring(3, 0.7))[0b011], 12))
    0.7
    """
    n = check_machine("rbm", rbm).n_visible
    check_listed("rbm.n_visible", n)
    couplings = all_log_weights(visible_layer(rbm))
    couplings /= 2**n
    walsh.transform(couplings, n, simd_level())
    couplings[0] -= exact_log_partition(rbm)
    return couplings


def effective_coupling(rbm: TwoLayers, sites: Iterable[int]) -> float:
    """Return J_S of p(v) for one set S of visible units, of any order and for any number of units.

    Parameters
    ----------
    rbm : RBM
        The machine.
    sites : iterable of int
        The visible units in S, at least one, none twice.

    Returns
    -------
    float
        To about 10⁻¹⁵ for each hidden unit.

    Raises
    ------
    ValueError
        If the weights are so large that the integral needs more than 10⁶ nodes.

    See Also
    --------
    effective_couplings : Of all sets.
    effective_pairs : Of all pairs.

    References
    ----------
    N. Bulso and Y. Roudi, Neural Comput. 33, 2646 (2021).

    Examples
    --------
    >>> from rbmflow import RBM
    >>> print(round(effective_coupling(RBM.local_ring(100, 0.7), [41, 42]), 12))
    0.7
    """
    members = _members(check_machine("rbm", rbm).n_visible, sites)
    total = 0.0
    for weights, bias in zip(rbm.weights.T, rbm.hidden_bias, strict=True):
        for omega, measure in _nodes(weights, bias):
            angles = np.outer(omega, weights)
            factors = np.cos(angles)
            factors[:, members] = np.sin(angles[:, members])
            total -= float((measure * _phase(len(members), omega * bias)) @ factors.prod(axis=1))
    return total + (float(rbm.visible_bias[members[0]]) if len(members) == 1 else 0.0)


def effective_fields(rbm: TwoLayers) -> FloatArray:
    """Return the fields J_i of p(v), those of sets of one unit, for any number of visible units.

    Parameters
    ----------
    rbm : RBM
        The machine.

    Returns
    -------
    numpy.ndarray of float64, shape (n_visible,)
        To about 10⁻¹⁵ for each hidden unit.

    Raises
    ------
    ValueError
        If the weights are so large that the integral needs more than 10⁶ nodes.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> effective_fields(RBM([[1.0], [0.0]], visible_bias=[0.25, 0.5], hidden_bias=[0.5]))
    array([0.6177, 0.5   ])
    """
    fields = np.array(check_machine("rbm", rbm).visible_bias)
    for weights, bias in zip(rbm.weights.T, rbm.hidden_bias, strict=True):
        for omega, measure in _nodes(weights, bias):
            angles = np.outer(omega, weights)
            fields += (measure * np.sin(omega * bias) * np.cos(angles).prod(axis=1)) @ np.tan(angles)
    return fields


def effective_triples(rbm: TwoLayers, sites: Iterable[int]) -> FloatArray:
    """Return the couplings J_ijk of p(v) between any three of some visible units.

    Time O(N k³) for each node of the integral, beside O(M N).

    Parameters
    ----------
    rbm : RBM
        The machine, of any number of visible units.
    sites : iterable of int
        k visible units, none twice, at most 64.

    Returns
    -------
    numpy.ndarray of float64, shape (k, k, k)
        Symmetric in the order of `sites`, zero where two indices are equal; to about 10⁻¹⁵ for each hidden
        unit.

    Raises
    ------
    ValueError
        If the weights are so large that the integral needs more than 10⁶ nodes.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> found = effective_triples(RBM(np.full((9, 1), 0.3), hidden_bias=[0.5]), [0, 1, 8])
    >>> print(round(found[0, 1, 2], 6), found[0, 0, 1])
    -0.006333 0.0
    """
    members = _members(check_machine("rbm", rbm).n_visible, sites)
    k = len(members)
    if k > MAX_TRIPLED:
        raise ValueError(f"sites holds {k} units: at most {MAX_TRIPLED} are possible")
    triples = np.zeros((k * k, k))
    for weights, bias in zip(rbm.weights.T, rbm.hidden_bias, strict=True):
        for omega, measure in _nodes(weights, bias):
            angles = np.outer(omega, weights)
            tangents = np.tan(angles[:, members])
            density = -measure * np.sin(omega * bias) * np.cos(angles).prod(axis=1)
            pairs = (tangents[:, :, None] * tangents[:, None, :]).reshape(len(omega), -1)
            triples += (pairs * density[:, None]).T @ tangents
    found = triples.reshape(k, k, k)
    same = np.eye(k, dtype=bool)
    found[same[:, :, None] | same[:, None] | same] = 0.0
    return np.asarray(sum(found.transpose(axes) for axes in permutations(range(3))) / 6)


def effective_pairs(rbm: TwoLayers) -> FloatArray:
    """Return the pair couplings J_ik of p(v) for any number of visible units.

    They are those of the Ising model ``Σ_i J_i v_i + Σ_(i<k) J_ik v_i v_k + …`` that p(v) is, with all its
    higher orders beside them; not those of a fit by pairs alone.

    Parameters
    ----------
    rbm : RBM
        The machine.

    Returns
    -------
    numpy.ndarray of float64, shape (n_visible, n_visible)
        Symmetric, zero on the diagonal; to about 10⁻¹⁵ for each hidden unit.

    Raises
    ------
    ValueError
        If the weights are so large that the integral needs more than 10⁶ nodes.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> effective_pairs(RBM.local_ring(4, 0.7))
    array([[0. , 0.7, 0. , 0.7],
           [0.7, 0. , 0.7, 0. ],
           [0. , 0.7, 0. , 0.7],
           [0.7, 0. , 0.7, 0. ]])
    """
    n = check_machine("rbm", rbm).n_visible
    pairs = np.zeros((n, n))
    for weights, bias in zip(rbm.weights.T, rbm.hidden_bias, strict=True):
        for omega, measure in _nodes(weights, bias):
            angles = np.outer(omega, weights)
            # Π cos times two tangents: a cosine next to zero keeps its relative precision, and none is zero
            tangents = np.tan(angles)
            density = measure * np.cos(omega * bias) * np.cos(angles).prod(axis=1)
            pairs += (tangents * density[:, None]).T @ tangents
    np.fill_diagonal(pairs, 0.0)
    return (pairs + pairs.T) / 2


def _members(n_visible: int, sites: Iterable[int]) -> list[int]:
    """Return visible units, or raise unless they are distinct ones."""
    if not isinstance(sites, Iterable):
        raise TypeError(f"sites={shown(sites)}: units of the visible layer are needed, such as [0, 1]")
    members = [check_integer("sites", site, 0, n_visible - 1) for site in sites]
    if not members or len(set(members)) != len(members):
        raise ValueError(f"sites={shown(members)}: distinct units are needed, at least one")
    return members


def _phase(order: int, angle: FloatArray) -> FloatArray:
    """Return ``Re[i^order e^(i angle)]``."""
    return (np.cos(angle), -np.sin(angle), -np.cos(angle), np.sin(angle))[order % 4]


def _nodes(weights: FloatArray, bias: float) -> Any:
    """Yield nodes ω and ``step/(ω sinh(πω/2))`` of the rule of midpoints, in chunks.

    A step h makes the function of the field x antiperiodic in 2π/h. Fields are at most X = |c| + Σ|W|, and
    the images that this adds are below e^(−2(2π/h − X)): h makes it e^−38. At the end sinh has e^38.
    """
    reach = abs(bias) + float(np.abs(weights).sum())
    if reach == 0.0:
        return
    step = 2 * np.pi / (reach + TOLERANCE_DIGITS / 2)
    end = 2 * TOLERANCE_DIGITS / np.pi
    number = int(np.ceil(end / step))
    if number > MAX_NODES:
        raise ValueError(
            f"weights of one hidden unit add up to {reach:.3g}: the integral would need {number} nodes, at "
            f"most {MAX_NODES} are possible"
        )
    for first in range(0, number, NODES_AT_ONCE):
        omega = (np.arange(first, min(first + NODES_AT_ONCE, number)) + 0.5) * step
        yield omega, step / (omega * np.sinh(np.pi * omega / 2))
