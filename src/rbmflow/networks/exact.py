"""Exact values of a machine by enumeration: ln Z, moments, laws of its layers, KL divergences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer
from rbmflow.hardware import check_memory, resolve_threads
from rbmflow.networks.layer_sums import Enumerated, Sums, fits_tables, log_sum, moment_sums
from rbmflow.networks.listed import all_log_weights, all_probabilities
from rbmflow.networks.two_layers import TwoLayers, check_machine, traced_out
from rbmflow.records import Record
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, law_in_order
from rbmflow.workers import Progress, check_progress

MAX_ENUMERATED = 30  # units of the smaller layer
MAX_LISTED = 24  # units of a layer whose states are listed
SECONDS_UNITS = 26  # of the smaller layer, that take a few seconds
SECONDS_TERMS = 2**36  # the same of its states times the units of the other layer
PLAIN_UNITS = 18  # the same where the weights are too large for tables
CHUNK = 2**13


@dataclass(frozen=True, eq=False)
class Moments(Record):
    """Means over the law of a machine.

    Attributes
    ----------
    visible : numpy.ndarray of float64, shape (n_visible,)
        ⟨v_i⟩, the derivative of ln Z by b_i.
    hidden : numpy.ndarray of float64, shape (n_hidden,)
        ⟨h_a⟩, the derivative of ln Z by c_a.
    coupled : numpy.ndarray of float64, shape (n_visible, n_hidden)
        ⟨v_i h_a⟩, the derivative of ln Z by W_ia (thesis eq. 36).
    log_partition : float
        ln Z.
    """

    visible: FloatArray
    hidden: FloatArray
    coupled: FloatArray
    log_partition: float


def exact_log_partition(
    rbm: TwoLayers, *, n_threads: int | None = None, progress: Progress | None = None
) -> float:
    """Return ln Z, the smaller layer enumerated and the other traced out.

    ``Z = Σ_h e^(c·h) Π_i 2cosh(b_i + Σ_a W_ia h_a)``.

    Time O(2^n m), n the size of the smaller layer and m that of the other.

    Parameters
    ----------
    rbm : RBM
        A machine one of whose layers has at most 30 units.
    n_threads : int, optional
        By default ``RBMFLOW_NUM_THREADS``, else the processors available; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in blocks of states.

    Returns
    -------
    float
        Natural logarithm, to about 10⁻¹⁴ of the largest term in it.

    Raises
    ------
    ValueError
        If both layers have more than 30 units.

    See Also
    --------
    rbmflow.likelihood.log_partition : Also estimated, with bounds.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> print(round(exact_log_partition(RBM([[0.5]])), 12))
    1.506408868078
    """
    seen, threads = _smaller_layer(rbm), resolve_threads(n_threads)
    progress = check_progress(progress)
    found = log_sum(seen, threads, progress)
    if found is not None:
        return found
    # the weights are too large for tables of exponentials
    best, total = -np.inf, 0.0
    for _, log_weight in log_weights(seen):
        top = max(best, float(log_weight.max()))
        total = total * np.exp(best - top) + float(np.exp(log_weight - top).sum())
        best = top
    return float(best + np.log(total))


def exact_in_seconds(rbm: TwoLayers) -> bool:
    """Return whether `exact_log_partition` takes a few seconds at most: up to 26 units of the smaller layer.

    Parameters
    ----------
    rbm : RBM
        A machine.

    Returns
    -------
    bool
        False also where the other layer is so long, or the weights so large, that it would take minutes.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> exact_in_seconds(RBM.uniform(100, 26, 0.1)), exact_in_seconds(RBM.uniform(100, 27, 0.1))
    (True, False)
    """
    smaller, larger = sorted((check_machine("rbm", rbm).n_visible, rbm.n_hidden))
    if smaller > SECONDS_UNITS or 2**smaller * larger > SECONDS_TERMS:
        return False
    return smaller <= PLAIN_UNITS or fits_tables(_smaller_layer(rbm))


def exact_moments(
    rbm: TwoLayers, *, n_threads: int | None = None, progress: Progress | None = None
) -> Moments:
    """Return the means of both layers and of their products, and ln Z, the smaller layer enumerated.

    Time O(2^n m), n the size of the smaller layer and m that of the other.

    Parameters
    ----------
    rbm : RBM
        A machine one of whose layers has at most 30 units.
    n_threads : int, optional
        By default ``RBMFLOW_NUM_THREADS``, else the processors available; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in blocks of states, of ln Z and of the moments.

    Returns
    -------
    Moments
        ⟨v⟩, ⟨h⟩, ⟨v hᵀ⟩: the gradient of ln Z (thesis eq. 36).

    Raises
    ------
    ValueError
        If both layers have more than 30 units.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> exact_moments(RBM([[0.5]], [1.0])).coupled
    array([[0.4621]])
    """
    seen, threads = _smaller_layer(rbm), resolve_threads(n_threads)
    progress = check_progress(progress)
    log_partition = exact_log_partition(rbm, n_threads=threads, progress=progress)
    sums = moment_sums(seen, log_partition, threads, progress) or _plain_moments(seen, log_partition)
    if rbm.n_hidden <= rbm.n_visible:
        return Moments(sums.traced, sums.enumerated, sums.coupled, log_partition)
    return Moments(sums.enumerated, sums.traced, sums.coupled.T, log_partition)


def _plain_moments(seen: Enumerated, log_partition: float) -> Sums:
    """Return the means where the weights are too large for tables of exponentials."""
    n_traced, n = seen.weights.shape
    means, traced, coupled = np.zeros(n), np.zeros(n_traced), np.zeros((n_traced, n))
    for spins, log_weight in log_weights(seen):
        states = spins.astype(np.float64)
        weighted = np.exp(log_weight - log_partition)[:, None] * states
        conditional = np.tanh(states @ seen.weights.T + seen.traced_bias)
        means += weighted.sum(axis=0)
        traced += np.exp(log_weight - log_partition) @ conditional
        coupled += conditional.T @ weighted
    return Sums(means, traced, coupled)


def visible_law(rbm: TwoLayers) -> StateLaw:
    """Return p(v) over all states of the visible layer (thesis eq. 27).

    Time O(2^n N) for n visible and N hidden units, about a fifth of a nanosecond for each state and hidden
    unit; no memory to speak of beside the result, (n + 8) 2^n bytes.

    Parameters
    ----------
    rbm : RBM
        A machine of at most 24 visible units.

    Returns
    -------
    StateLaw
        The states in the order of `spins.all_states`; `StateLaw.means` and
        `StateLaw.correlations` are its moments.

    Raises
    ------
    ValueError
        If there are more visible units.

    See Also
    --------
    hidden_law : Of the other layer.
    kl_divergence : Its distance from another law.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 27.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> visible_law(RBM.uniform(2, 1, 0.5)).correlations[0, 1]
    np.float64(0.2135)
    """
    check_listed("rbm.n_visible", check_machine("rbm", rbm).n_visible)
    return law_in_order(all_probabilities(visible_layer(rbm)))


def hidden_law(rbm: TwoLayers) -> StateLaw:
    """Return p(h) over all states of the hidden layer, in the time and the memory of `visible_law`.

    Parameters
    ----------
    rbm : RBM
        A machine of at most 24 hidden units.

    Returns
    -------
    StateLaw
        The states in the order of `spins.all_states`; `StateLaw.means` and
        `StateLaw.correlations` are its moments.

    Raises
    ------
    ValueError
        If there are more hidden units.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> hidden_law(RBM.uniform(2, 1, 0.5)).probabilities
    array([0.5, 0.5])
    """
    check_listed("rbm.n_hidden", check_machine("rbm", rbm).n_hidden)
    return law_in_order(all_probabilities(_hidden_layer(rbm)))


def check_listed(name: str, n_units: int) -> None:
    """Raise unless the states of so many units can be listed, each with two numbers."""
    n = check_integer(name, n_units, 1, MAX_LISTED)
    check_memory(f"{name}={n}", 2**n * (n + 16), "a layer of one unit less needs half of it")


def kl_divergence(law: StateLaw, rbm: TwoLayers) -> float:
    """Return the divergence of a law over visible states from the machine's p(v) (thesis eq. 35).

    ``KL(q‖p) = Σ_v q(v) ln[q(v)/p(v)]``.

    As both laws sum to 1 it is computed as ``Σ q (e^d − 1 − d) + Σ_(q = 0) p`` with d = ln(p/q): no term is
    negative and no two cancel, so that divergences far below 10⁻¹⁶ keep their digits. For a law over all 2^n
    states in the order of `spins.all_states` it takes about the time of `visible_law`, and 16 · 2^n bytes.

    Parameters
    ----------
    law : StateLaw
        q, over the visible states.
    rbm : RBM
        The machine; one of its layers has at most 30 units.

    Returns
    -------
    float
        Nats, not negative.

    Raises
    ------
    ValueError
        If both layers have more than 30 units.

    See Also
    --------
    visible_law : The machine's side.
    rbmflow.ising.state_law : The law of a lattice.
    rbmflow.weight.kl_uniform : For equal weights, at any size.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 35.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> law = StateLaw([[1, 1], [-1, -1]], [0.5, 0.5])
    >>> print(round(kl_divergence(law, RBM.uniform(2, 1, 0.0)), 12))
    0.69314718056
    """
    if not isinstance(law, StateLaw):
        raise TypeError(f"law is a {type(law).__name__}: a StateLaw is needed")
    if law.n_sites != check_machine("rbm", rbm).n_visible:
        raise ValueError(f"law is over {law.n_sites} spins: the machine has {rbm.n_visible} visible units")
    log_partition = exact_log_partition(rbm)
    if law.in_order:
        listed = all_log_weights(visible_layer(rbm))
        listed -= log_partition
        return law.divergence(lambda _: listed)
    return law.divergence(lambda states: -rbm.free_energy(states) - log_partition)


def _smaller_layer(rbm: TwoLayers) -> Enumerated:
    """Return the machine seen from its smaller layer, or raise if that is too large."""
    smaller = min(check_machine("rbm", rbm).n_visible, rbm.n_hidden)
    if smaller > MAX_ENUMERATED:
        raise ValueError(
            f"rbm has {rbm.n_visible} visible and {rbm.n_hidden} hidden units: exact values need a layer of "
            f"at most {MAX_ENUMERATED}; log_partition(rbm, method='ais') estimates ln Z"
        )
    return _hidden_layer(rbm) if rbm.n_hidden <= rbm.n_visible else visible_layer(rbm)


def visible_layer(rbm: TwoLayers) -> Enumerated:
    """Return the machine seen from its visible layer."""
    return Enumerated(rbm.weights.T, rbm.hidden_bias, rbm.visible_bias)


def _hidden_layer(rbm: TwoLayers) -> Enumerated:
    return Enumerated(rbm.weights, rbm.visible_bias, rbm.hidden_bias)


def log_weights(seen: Enumerated) -> Iterator[tuple[SpinArray, FloatArray]]:
    """Yield the states of the enumerated layer in chunks, with the logarithm of the weight of each."""
    n = len(seen.bias)
    low = all_states(min(n, CHUNK.bit_length() - 1))
    for high in range(2**n // len(low)):
        bits = (high >> np.arange(n - low.shape[1])) & 1
        upper = np.broadcast_to((2 * bits - 1).astype(np.int8), (len(low), len(bits)))
        spins = np.concatenate([low, upper], axis=1)
        states = spins.astype(np.float64)
        yield spins, traced_out(states, seen.bias, states @ seen.weights.T + seen.traced_bias)
