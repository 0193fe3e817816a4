"""Exact values of Boltzmann machines by enumeration.

The units are cut into a half and two quarters. With ``x = (u, k, l)`` the weight of a state is a factor of
(u, k), one of (u, l) and one of (k, l): given u the sum over the other half is a bilinear form, and for all u
together it is one matrix product. So are the moments. Where couplings are so large that the factors
underflow, blocks of the logarithms of all 2^n weights take its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_real_scalar, shown
from rbmflow.networks.boltzmann import BoltzmannMachine
from rbmflow.networks.pairwise import Pairwise, check_pairwise
from rbmflow.records import Record
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, law_of_all

MAX_ENUMERATED = 28
MAX_VISIBLE, MAX_HIDDEN = 20, 20
BLOCK = 2**22  # weights in memory at a time
FACTORS = 2**16  # of a block of the products
LARGEST_SPREAD = (
    690.0  # of logarithms of products of three factors, each at most 1: e^−690 is a normal number
)


@dataclass(frozen=True, eq=False)
class PairMoments(Record):
    """Averages over units and pairs of units.

    Attributes
    ----------
    means : numpy.ndarray, shape (n_units,)
        ⟨x_i⟩.
    correlations : numpy.ndarray, shape (n_units, n_units)
        ⟨x_i x_j⟩, 1 on the diagonal; means are not taken off.
    """

    means: FloatArray
    correlations: FloatArray


def boltzmann_log_partition(machine: Pairwise, *, temperature: float = 1.0) -> float:
    """Return ln Z over all 2^n states (thesis eq. 18).

    Time O(2^n), a tenth of a nanosecond or so for each state, and a few megabytes of memory. Where the
    logarithms of weights differ by more than 690 it takes 50 times as long, and 100 MB.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Of at most 28 units.
    temperature : float
        T, above 0.

    Returns
    -------
    float
        ln Z.

    Raises
    ------
    ValueError
        If the machine has more units than that: their states cannot be listed.

    Examples
    --------
    >>> machine = BoltzmannMachine([[0, 0.5], [0.5, 0]])
    >>> bool(np.isclose(boltzmann_log_partition(machine), np.log(4 * np.cosh(0.5))))
    True
    """
    return _enumeration(_scaled(machine, temperature)).log_partition


def boltzmann_moments(
    machine: Pairwise, *, temperature: float = 1.0, clamped: StateLaw | None = None
) -> PairMoments:
    """Return ⟨x_i⟩ and ⟨x_i x_j⟩ of the free or the clamped phase (thesis eq. 23).

    Clamped, the visible units have the states of a law. Free, it takes three times as long as ln Z.

    Time O(2^n), as for `boltzmann_log_partition`.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Free: of at most 28 units; clamped: of at most 20 hidden ones.
    temperature : float
        T, above 0.
    clamped : StateLaw, optional
        Law of the visible units.

    Returns
    -------
    PairMoments
        Of all units.

    Raises
    ------
    ValueError
        If the machine has more units than that: their states cannot be listed.

    Examples
    --------
    >>> machine = BoltzmannMachine([[0, 0.5], [0.5, 0]])
    >>> bool(np.isclose(boltzmann_moments(machine).correlations[0, 1], np.tanh(0.5)))
    True
    """
    scaled = _scaled(machine, temperature)
    if clamped is None:
        return _enumeration(scaled).moments()
    _check_law(machine, clamped)
    n, v, p = machine.n_visible, clamped.states.astype(np.float64), clamped.probabilities
    means, correlations = np.empty(machine.n_units), np.empty((machine.n_units, machine.n_units))
    means[:n], correlations[:n, :n] = clamped.means, clamped.correlations
    hidden = _Hidden(scaled)
    cross, of_state = np.zeros((machine.n_hidden, n)), np.zeros(len(hidden.states))
    for rows, log in hidden.blocks(v):
        given = np.exp(log - log.max(axis=1, keepdims=True))
        joint = p[rows, None] * given / given.sum(axis=1, keepdims=True)
        of_state += joint.sum(axis=0)
        cross += (joint @ hidden.states).T @ v[rows]
    means[n:] = of_state @ hidden.states
    correlations[n:, :n], correlations[:n, n:] = cross, cross.T
    correlations[n:, n:] = (of_state[:, None] * hidden.states).T @ hidden.states
    return PairMoments(means, (correlations + correlations.T) / 2)


def boltzmann_visible_law(machine: Pairwise, *, temperature: float = 1.0) -> StateLaw:
    """Return the law of the visible units, hidden ones summed out (thesis eq. 19).

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Of at most 20 visible and 20 hidden units, 28 together.
    temperature : float
        T, above 0.

    Returns
    -------
    StateLaw
        Over all 2^n_visible states.

    Raises
    ------
    ValueError
        If the machine has more units than that: their states cannot be listed.

    Examples
    --------
    >>> boltzmann_visible_law(BoltzmannMachine([[0, 0.5], [0.5, 0]], n_visible=1)).probabilities
    array([0.5, 0.5])
    """
    scaled = _scaled(machine, temperature)
    if machine.n_visible > MAX_VISIBLE:
        raise ValueError(
            f"machine has {machine.n_visible} visible units: the law of at most {MAX_VISIBLE} can be listed"
        )
    if machine.n_units > MAX_ENUMERATED:
        raise ValueError(
            f"machine has {machine.n_units} units to enumerate: at most {MAX_ENUMERATED} are possible"
        )
    states = all_states(machine.n_visible)
    return law_of_all(log_visible(scaled, states))


def boltzmann_kl(machine: Pairwise, law: StateLaw, *, temperature: float = 1.0) -> float:
    """Return ``KL(law ‖ p)`` of a law over the visible units from that of the machine (thesis eq. 22).

    In the form of `StateLaw.divergence`, in which nothing cancels.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Of at most 28 units, 20 of them hidden.
    law : StateLaw
        Over the visible units.
    temperature : float
        T, above 0.

    Returns
    -------
    float
        In nats, not negative.

    Raises
    ------
    ValueError
        If the machine has more units than that: their states cannot be listed.

    Examples
    --------
    >>> machine = BoltzmannMachine([[0, 0.5], [0.5, 0]])
    >>> boltzmann_kl(machine, boltzmann_visible_law(machine)) < 1e-29
    True
    """
    scaled = _scaled(machine, temperature)
    _check_law(machine, law)
    log_partition = _enumeration(scaled).log_partition
    return law.divergence(lambda states: log_visible(scaled, states) - log_partition)


def _check_law(machine: Pairwise, law: object) -> None:
    if not isinstance(law, StateLaw):
        raise TypeError(f"law={shown(law)}: a StateLaw is needed")
    if law.n_sites != machine.n_visible:
        raise ValueError(
            f"law holds states of {law.n_sites} spins: the machine has n_visible={machine.n_visible}"
        )


def _scaled(value: object, temperature: object) -> BoltzmannMachine:
    """Return the machine that has the law at T = 1."""
    machine = check_pairwise("machine", value)
    T = check_real_scalar("temperature", temperature)
    if not 0 < T < np.inf:
        raise ValueError(f"temperature={shown(temperature)}: a finite number above 0 is needed")
    with np.errstate(over="ignore"):
        couplings, bias = machine.couplings / T, machine.bias / T
    if not (np.isfinite(couplings).all() and np.isfinite(bias).all()):
        raise ValueError(f"temperature={shown(temperature)}: couplings over the temperature are too large")
    return BoltzmannMachine(couplings, bias, machine.n_visible)


def log_visible(machine: BoltzmannMachine, states: SpinArray) -> FloatArray:
    """Return the logarithm of the sum of weights over the hidden units, for each visible state."""
    n, hidden = machine.n_visible, _Hidden(machine)
    visible = BoltzmannMachine(machine.couplings[:n, :n], machine.bias[:n])
    result = np.empty(len(states))
    for rows, log in hidden.blocks(states.astype(np.float64)):
        top = log.max(axis=1)
        result[rows] = top + np.log(np.exp(log - top[:, None]).sum(axis=1))
    return np.asarray(result - visible.energy(states))


class _Hidden:
    """All states of the hidden units, given states of the visible ones."""

    def __init__(self, machine: BoltzmannMachine) -> None:
        n = machine.n_visible
        if machine.n_hidden > MAX_HIDDEN:
            raise ValueError(
                f"machine has {machine.n_hidden} hidden units: at most {MAX_HIDDEN} can be summed out"
            )
        self.states, self.log = _side(machine.couplings[n:, n:], machine.bias[n:])
        self.between = machine.couplings[:n, n:]

    def blocks(self, v: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Yield logarithms of the weights of hidden states, a row for each visible one."""
        step = max(1, BLOCK // len(self.states))
        for first in range(0, len(v), step):
            rows = slice(first, first + step)
            yield rows, self.log + (v[rows] @ self.between) @ self.states.T


def _enumeration(machine: BoltzmannMachine) -> _Products | _Listed:
    """Return the sums over all states of a machine at T = 1, or raise if it is too large."""
    if machine.n_units > MAX_ENUMERATED:
        raise ValueError(
            f"machine has {machine.n_units} units to enumerate: at most {MAX_ENUMERATED} are possible"
        )
    products = _Products(machine)
    return products if products.spread <= LARGEST_SPREAD else _Listed(machine)


class _Products:
    """Sums over all states (u, k, l) by products of factors of (u, k), (u, l) and (k, l).

    Of use where ``spread``, the range of the logarithms of the products, is at most LARGEST_SPREAD.
    """

    def __init__(self, machine: BoltzmannMachine) -> None:
        n, W, b = machine.n_units, machine.couplings, machine.bias
        half, quarter = n // 2, (n - n // 2) // 2
        u, k, l = parts = slice(half), slice(half, half + quarter), slice(half + quarter, n)
        sides = [_side(W[part, part], b[part]) for part in parts]
        self.states, self.logs = [states for states, _ in sides], [logs for _, logs in sides]
        self.to_k, self.to_l = W[u, k] @ self.states[1].T, W[u, l] @ self.states[2].T
        log_inner = self.states[1] @ W[k, l] @ self.states[2].T
        self.largest = log_inner.max()
        self.inner = np.exp(log_inner - self.largest)
        self.spread, spread_inner, logs = 0.0, self.largest - log_inner.min(), []
        for _, of_k, of_l, shift, spread in self._blocks():
            self.spread = max(self.spread, spread_inner + spread)
            if self.spread > LARGEST_SPREAD:
                return
            logs.append(shift + np.log(np.einsum("ij,ij->i", of_k @ self.inner, of_l)))
        self.log_partition = _log_sum(np.concatenate(logs))

    def _blocks(self) -> Iterator[tuple[slice, FloatArray, FloatArray, FloatArray, float]]:
        """Yield factors of (u, k) and (u, l), u to rows; what their logarithms lost; their spread."""
        u, (in_u, in_k, in_l) = self.states[0], self.logs
        step = max(1, FACTORS // len(in_l))
        for first in range(0, len(u), step):
            rows = slice(first, first + step)
            logs = u[rows] @ self.to_k + in_k, u[rows] @ self.to_l + in_l
            tops = [log.max(axis=1) for log in logs]
            lows = [log.min(axis=1) for log in logs]
            of_k, of_l = (np.exp(log - top[:, None]) for log, top in zip(logs, tops, strict=True))
            shift = in_u[rows] + sum(tops) + self.largest
            yield rows, of_k, of_l, shift, float((sum(tops) - sum(lows)).max())

    def moments(self) -> PairMoments:
        """Return the moments."""
        u, k, l = self.states
        of_u, uk, ul = np.empty(len(u)), np.zeros((u.shape[1], len(k))), np.zeros((u.shape[1], len(l)))
        kl = np.zeros((len(k), len(l)))
        for rows, relative, of_l, shift, _ in self._blocks():
            of_k = relative * np.exp(shift - self.log_partition)[:, None]
            joint = of_k * (of_l @ self.inner.T)
            of_u[rows] = joint.sum(axis=1)
            uk += u[rows].T @ joint
            ul += u[rows].T @ (of_l * (of_k @ self.inner))
            kl += of_k.T @ of_l
        kl *= self.inner
        return _pair_moments(
            [(u, of_u), (k, kl.sum(axis=1)), (l, kl.sum(axis=0))],
            {(0, 1): uk @ k, (0, 2): ul @ l, (1, 2): k.T @ kl @ l},
        )


class _Listed:
    """The same sums over the logarithms of all weights, its units cut into two halves."""

    def __init__(self, machine: BoltzmannMachine) -> None:
        self.half = machine.n_units // 2
        W, b = machine.couplings, machine.bias
        self.upper, self.log_upper = _side(W[: self.half, : self.half], b[: self.half])
        self.lower, self.log_lower = _side(W[self.half :, self.half :], b[self.half :])
        self.between = W[: self.half, self.half :] @ self.lower.T
        self.log_partition = _log_sum(np.array([_log_sum(log) for _, log in self._blocks()]))

    def _blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield logarithms of weights, upper halves to rows and lower ones to columns."""
        step = max(1, BLOCK // len(self.lower))
        for first in range(0, len(self.upper), step):
            rows = slice(first, first + step)
            yield rows, self.log_upper[rows, None] + self.log_lower + self.upper[rows] @ self.between

    def moments(self) -> PairMoments:
        """Return the moments."""
        of_upper, of_lower = np.zeros(len(self.upper)), np.zeros(len(self.lower))
        cross = np.zeros((self.upper.shape[1], self.lower.shape[1]))
        for rows, log in self._blocks():
            p = np.exp(log - self.log_partition)
            of_upper[rows] = p.sum(axis=1)
            of_lower += p.sum(axis=0)
            cross += self.upper[rows].T @ (p @ self.lower)
        return _pair_moments([(self.upper, of_upper), (self.lower, of_lower)], {(0, 1): cross})


def _pair_moments(
    parts: list[tuple[FloatArray, FloatArray]], between: dict[tuple[int, int], FloatArray]
) -> PairMoments:
    """Return moments from the states of parts with their probabilities, and those between parts."""
    norm = parts[-1][1].sum()
    means = np.concatenate([p @ states for states, p in parts]) / norm
    within = {(i, i): (p[:, None] * states).T @ states for i, (states, p) in enumerate(parts)}
    blocks = within | between | {(j, i): block.T for (i, j), block in between.items()}
    correlations = np.block([[blocks[i, j] for j in range(len(parts))] for i in range(len(parts))])
    # symmetric to the last bit, whatever the products round
    return PairMoments(means, np.asarray((correlations + correlations.T) / (2 * norm)))


def _log_sum(logs: FloatArray) -> float:
    """Return the logarithm of a sum of numbers whose logarithms are given."""
    top = logs.max()
    return float(top + np.log(np.exp(logs - top).sum()))


def _side(W: Any, b: Any) -> tuple[FloatArray, FloatArray]:
    """Return all states of one half, and the logarithms of their weights alone."""
    if not len(b):
        return np.zeros((1, 0)), np.zeros(1)
    states = all_states(len(b)).astype(np.float64)
    return states, ((states @ W / 2 + b) * states).sum(axis=1)
