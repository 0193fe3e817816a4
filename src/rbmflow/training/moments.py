"""Averages that the gradient of the log-likelihood is the difference of, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.networks.exact import exact_moments
from rbmflow.networks.two_layers import log_two_cosh
from rbmflow.training.parameters import Parameters, Vector, join

SMALL = 0.01  # the series ends with d^6: its remainder is below 1e-13 of the first term


@dataclass(frozen=True)
class Moments:
    """⟨v_i h_a⟩, ⟨v_i⟩ and ⟨h_a⟩ under one law."""

    pairs: Vector
    visible: Vector
    hidden: Vector


def gradient(data: Moments, model: Moments, *, centred: bool) -> Vector:
    """Return the gradient of the log-likelihood per sample (thesis eq. 37-38), as the vector of all parameters.

    Centred, it is the gradient in the parameters of the machine whose units are counted from the mean of data and model, taken
    back to the usual ones: ``ΔW = cov_data − cov_model``, ``Δb = Δ⟨v⟩ − ΔW λ``, ``Δc = Δ⟨h⟩ − ΔWᵀ μ``, with
    ``μ, λ`` the means of v and h over data and model (K. Cho, T. Raiko and A. Ilin, Neural Comput. 25, 805 (2013)).
    """
    pairs = data.pairs - model.pairs
    visible, hidden = data.visible - model.visible, data.hidden - model.hidden
    if centred:
        half = pairs.dtype.type(0.5)
        offset_visible = half * (data.visible + model.visible)
        offset_hidden = half * (data.hidden + model.hidden)
        pairs = pairs - np.outer(visible, offset_hidden) - np.outer(offset_visible, hidden)
        visible, hidden = visible - pairs @ offset_hidden, hidden - offset_visible @ pairs
    return join(pairs, visible, hidden)


def clamped(parameters: Parameters, rows: Vector, weights: Vector | None) -> Moments:
    """Return the moments with the visible units on `rows`, which count alike or with weights."""
    means = np.tanh(rows @ parameters.weights + parameters.hidden_bias)
    if weights is None:
        share = rows.dtype.type(1 / len(rows))
        return Moments(rows.T @ means * share, rows.sum(axis=0) * share, means.sum(axis=0) * share)
    weighted = rows * weights[:, None]
    return Moments(weighted.T @ means, weighted.sum(axis=0), weights @ means)


def free_energy(parameters: Parameters, rows: Vector) -> Vector:
    """Return ``F(v)`` of each row, ``p(v) = e^(−F(v))/Z``."""
    fields = rows @ parameters.weights + parameters.hidden_bias
    return np.asarray(-(rows @ parameters.visible_bias + log_two_cosh(fields).sum(axis=1)))


def divergence(parameters: Parameters, rows: Vector, weights: Vector, log_z: float) -> float:
    """Return KL(q‖p) of a law over distinct states, with ln Z of the model.

    As ``Σ q (e^δ − 1 − δ)`` with ``δ = ln p/q``, plus p where q = 0: terms that are not negative, so that a small divergence keeps
    its digits.
    """
    used = weights > 0
    log_p = -free_energy(parameters, rows) - log_z
    delta = log_p[used] - np.log(weights[used])
    near = np.abs(delta) < SMALL
    d = np.where(near, delta, 0.0)
    series = d * d / 2 * (1 + d / 3 * (1 + d / 4 * (1 + d / 5 * (1 + d / 6))))
    excess = np.where(near, series, np.expm1(delta) - delta)
    value = float(weights[used] @ excess)
    if len(rows) == 2.0 ** rows.shape[1]:
        return value + float(np.exp(log_p[~used]).sum())
    return value + max(0.0, 1 - float(np.exp(log_p[used]).sum()))


def exact(parameters: Parameters) -> tuple[Moments, float]:
    """Return the model's moments and ln Z, by enumeration of the smaller layer, in double precision."""
    found = exact_moments(parameters.model())
    real = parameters.vector.dtype
    return (
        Moments(found.coupled.astype(real), found.visible.astype(real), found.hidden.astype(real)),
        found.log_partition,
    )
