"""Averages that the gradient of the log-likelihood is the difference of, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow import state_law
from rbmflow.networks.exact import exact_moments
from rbmflow.networks.two_layers import traced_out
from rbmflow.records import Record
from rbmflow.training.parameters import Parameters, Ties, Vector, join, split

OFFSET_RATE = 0.01
"""Of the means of an update in the offsets; the kernel has it too."""


@dataclass(frozen=True, eq=False)
class Averages(Record):
    """⟨v_i h_a⟩, ⟨v_i⟩ and ⟨h_a⟩ under one law.

    Attributes
    ----------
    pairs : numpy.ndarray, shape (n_visible, n_hidden)
        ⟨v_i h_a⟩, in the precision of the run as the others are.
    visible, hidden : numpy.ndarray, shape (n_visible,) and (n_hidden,)
        ⟨v_i⟩ and ⟨h_a⟩.
    """

    pairs: Vector
    visible: Vector
    hidden: Vector


def gradient(data: Averages, model: Averages) -> Vector:
    """Return the gradient of the log-likelihood per sample (thesis eq. 37-38), by all parameters."""
    return join(data.pairs - model.pairs, data.visible - model.visible, data.hidden - model.hidden)


def centred(slope: Vector, offsets: Vector, shape: tuple[int, int], ties: Ties) -> Vector:
    """Return the centred gradient by the free parameters: units counted from μ and λ, then taken back.

    With offsets ``μ, λ`` of v and h the machine has the biases ``b' = b + Wλ``, ``c' = c + Wᵀμ``. Its
    gradient is ``ΔW = g_W − g_b λᵀ − μ g_cᵀ``, ``Δb' = g_b``, ``Δc' = g_c``, and back it is
    ``Δb = g_b − ΔW λ``, ``Δc = g_c − ΔWᵀ μ`` (K. Cho, T. Raiko and A. Ilin, Neural Comput. 25, 805 (2013)):
    where they are the means over data and model, ΔW is the difference of the covariances. Tied biases move by
    the mean of their group, in both directions, and fixed ones not at all: it is ``P Pᵀ g``, P the change of
    the free parameters, which vanishes only where the gradient g does.
    """
    mu, lam = offsets[: shape[0]], offsets[shape[0] :]
    pairs, visible, hidden = split(slope, shape)
    even = np.zeros_like(slope)
    ties.scatter(ties.mean(slope), even)
    _, even_visible, even_hidden = split(even, shape)
    turned = pairs - np.outer(even_visible, lam) - np.outer(mu, even_hidden)
    free = ties.reduce(join(turned, visible, hidden))
    change = np.zeros_like(slope)
    ties.scatter(free, change)
    weights = split(change, shape)[0]
    return np.asarray(free - ties.mean(join(np.zeros_like(weights), weights @ lam, mu @ weights)))


def follow(offsets: Vector, data: Averages, model: Averages) -> None:
    """Let offsets follow the means of both layers over data and model, in place.

    They average over about a hundred updates: with those of each update alone the noise of the model's
    averages, which is in the gradient too, drives training away (J. Melchior, A. Fischer and L. Wiskott,
    J. Mach. Learn. Res. 17, 1 (2016)).
    """
    half, share = offsets.dtype.type(0.5), offsets.dtype.type(OFFSET_RATE)
    visible, hidden = data.visible + model.visible, data.hidden + model.hidden
    offsets += share * (half * np.concatenate([visible, hidden]) - offsets)


def clamped(parameters: Parameters, rows: Vector, weights: Vector | None) -> Averages:
    """Return the moments with the visible units on `rows`, which count alike or with weights."""
    means = np.tanh(rows @ parameters.weights + parameters.hidden_bias)
    if weights is None:
        share = rows.dtype.type(1 / len(rows))
        return Averages(rows.T @ means * share, rows.sum(axis=0) * share, means.sum(axis=0) * share)
    weighted = rows * weights[:, None]
    return Averages(weighted.T @ means, weighted.sum(axis=0), weights @ means)


def free_energy(parameters: Parameters, rows: Vector) -> Vector:
    """Return ``F(v)`` of each row, ``p(v) = e^(−F(v))/Z``."""
    return -traced_out(rows, parameters.visible_bias, rows @ parameters.weights + parameters.hidden_bias)


def divergence(parameters: Parameters, rows: Vector, weights: Vector, log_z: float) -> float:
    """Return KL(q‖p) of a law over distinct states, with ln Z of the model.

    In the form of `rbmflow.state_law.divergence`, which keeps the digits of small ones;
    states that are not rows have the rest of p.
    """
    log_p = -free_energy(parameters, rows) - log_z
    value = state_law.divergence(weights, log_p)
    if len(rows) == 2.0 ** rows.shape[1]:
        return value
    return value + max(0.0, 1 - float(np.exp(log_p).sum()))


def exact(parameters: Parameters) -> tuple[Averages, float]:
    """Return the model's moments and ln Z, by enumeration of the smaller layer, in double precision."""
    found = exact_moments(parameters.model(), n_threads=1)
    real = parameters.vector.dtype
    return (
        Averages(found.coupled.astype(real), found.visible.astype(real), found.hidden.astype(real)),
        found.log_partition,
    )
