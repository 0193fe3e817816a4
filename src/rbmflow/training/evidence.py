"""The evidence of a weight decay: how likely targets are when weights are not known (thesis eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import shown
from rbmflow.networks import Neuron
from rbmflow.networks.neuron import check_training_set, cross_entropy, shortfall
from rbmflow.networks.parameters import positive_number
from rbmflow.records import Record

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

FURTHEST = 0.01
"""Nats that the error may lie above its minimum, by a Newton step."""


@dataclass(frozen=True)
class Evidence(Record):
    """What the data say of a weight decay.

    Attributes
    ----------
    log_evidence : float
        ``ln P(targets | λ)``, in nats, of a flat prior of density 1 for the bias: differences between
        decays have a meaning.
    n_determined : float
        γ, the number of weights that the data determine, from 0 to n_inputs; the prior does the others.
    better_decay : float
        ``γ/|w|²``, where the evidence would be stationary if γ and w stayed as they are: fit again with it, a
        few times. How γ moves with w is left out: with few examples the end of this is near the decay of most
        evidence, not at it.
    """

    log_evidence: float
    n_determined: float
    better_decay: float


def neuron_evidence(neuron: Neuron, inputs: ArrayLike, targets: ArrayLike, *, decay: float) -> Evidence:
    """Return the evidence of a weight decay λ, by Laplace's approximation.

    The decay is a prior ``P(w) = (λ/2π)^(I/2) e^(−λ|w|²/2)``, and ``P(D) = ∫ P(D|w) P(w) dw`` is the
    denominator of thesis eq. 5. Around the minimum of ``M = G + λ|w|²/2``, with the curvature
    ``A = ∇∇M`` of I weights and a bias,
    ``ln P(D) ≈ −M + (I/2) ln λ − ½ ln det A + ½ ln 2π``
    and ``γ = I − λ tr(A⁻¹)`` over the weights (D. J. C. MacKay, Neural Comput. 4, 415 (1992)). Its error
    falls as 1/n with the number of examples.

    Time O(n I² + I³).

    Parameters
    ----------
    neuron : Neuron
        At the minimum of M, as `fit_neuron` finds it with this decay.
    inputs : array_like, shape (n, n_inputs)
        The training set.
    targets : array_like, shape (n,)
        0 or 1, both of them.
    decay : float
        λ > 0.

    Returns
    -------
    Evidence
        The evidence, and a decay that has more of it.

    Raises
    ------
    ValueError
        If the neuron is not at the minimum, or all targets are equal.

    Examples
    --------
    >>> from rbmflow.training import fit_neuron
    >>> x, t = [[-2.0], [-1.0], [0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 0, 1, 1]
    >>> def log_evidence(decay):
    ...     fit = fit_neuron(x, t, decay=decay, method="Newton-CG")
    ...     return neuron_evidence(fit.neuron, x, t, decay=decay).log_evidence
    >>> max([0.1, 0.7, 5.0], key=log_evidence)
    0.7
    """
    if not isinstance(neuron, Neuron):
        raise TypeError(f"neuron={shown(neuron)}: a Neuron is needed")
    x, t = check_training_set(inputs, targets, neuron.n_inputs)
    strength = positive_number("decay", decay)
    if (t == t[0]).all():
        raise ValueError(f"targets are all {t[0]:g}: no bias has the most evidence, it grows for ever")
    w, n = neuron.weights, neuron.n_inputs
    a, ones = x @ w + neuron.bias, np.column_stack([x, np.ones(len(x))])
    prior = np.append(np.full(n, strength), 0.0)
    slope = prior * np.append(w, 0.0) - shortfall(a, t) @ ones
    weight = shortfall(a, np.zeros(len(a))) * -shortfall(a, np.ones(len(a)))  # y (1 − y)
    curvature = (ones.T * weight) @ ones + np.diag(prior)
    sign, log_det = np.linalg.slogdet(curvature)
    above = float(slope @ np.linalg.solve(curvature, slope)) / 2 if sign > 0 else np.inf
    if not 0 <= above < FURTHEST:
        raise ValueError(
            f"neuron is {above:.3g} nats above the minimum of the error with decay={strength:g}: fit it with"
            " this decay, and further"
        )
    size = float(w @ w)
    error = cross_entropy(a, t) + strength * size / 2
    log_evidence = -error + n / 2 * np.log(strength) - log_det / 2 + np.log(2 * np.pi) / 2
    determined = n - strength * float(np.trace(np.linalg.inv(curvature)[:n, :n]))
    return Evidence(float(log_evidence), determined, determined / size if size else np.inf)
