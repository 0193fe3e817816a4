"""Plain twins: sums over all states of small systems, in float64 or with mpmath."""

import itertools

import mpmath
import numpy as np


def ring_states(n_sites):
    """All configurations with their alpha and magnetization."""
    states = np.array(list(itertools.product((-1, 1), repeat=n_sites)))
    return states, (states * np.roll(states, -1, axis=1)).sum(axis=1), states.sum(axis=1)


def chain_states(n_sites):
    states = np.array(list(itertools.product((-1, 1), repeat=n_sites)))
    return states, (states[:, 1:] * states[:, :-1]).sum(axis=1), states.sum(axis=1)


def private(dps):
    ctx = mpmath.MPContext()
    ctx.dps = dps
    return ctx


def relative(ctx, value, reference):
    """Relative difference of two multiprecision numbers, as a float."""
    value, reference = ctx.convert(value), ctx.convert(reference)
    return float(abs(value - reference) / abs(reference)) if reference else float(abs(value))


def literal_sides(ctx, W, K, n_visible, n_hidden):
    """f(W) by the hidden sum of eq. 73 and g(W, K) by eq. 69 over all states."""
    _, alpha, V = ring_states(n_visible)
    classes = {}
    for pair in zip(alpha.tolist(), V.tolist(), strict=True):
        classes[pair] = classes.get(pair, 0) + 1
    weights = {pair: count * ctx.exp(K * pair[0]) for pair, count in classes.items()}
    g = ctx.fsum(w * v * ctx.tanh(W * v) for (_, v), w in weights.items()) / ctx.fsum(weights.values())
    H = [sum(h) for h in itertools.product((-1, 1), repeat=n_hidden)] if n_hidden <= 12 else None
    assert H is not None
    Z = ctx.fsum(ctx.cosh(W * h) ** n_visible for h in H)
    slope = ctx.fsum(n_visible * h * ctx.tanh(W * h) * ctx.cosh(W * h) ** n_visible for h in H)
    return slope / Z / n_hidden, g
