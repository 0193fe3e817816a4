"""The singular values of a weight matrix, which tell what a flow amplifies, and the spread of the vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.networks import RBM
from rbmflow.records import Record


@dataclass(frozen=True, eq=False)
class Spectrum(Record):
    """Singular values of W, descending; the linearised flow without biases multiplies mode k by s_k².

    Attributes
    ----------
    singular_values : numpy.ndarray, shape (k,)
        ``k = min(n_visible, n_hidden)`` of them.
    visible_participation, hidden_participation : numpy.ndarray, shape (k,)
        ``1 / Σ u_i⁴`` of each singular vector on the visible and on the hidden layer: the number of units
        over which it is spread, from 1 to that of the layer.
    """

    singular_values: FloatArray
    visible_participation: FloatArray
    hidden_participation: FloatArray

    @property
    def orders(self) -> bool:
        """Whether ``s₁ > 1``: the mean-field flow of a machine without biases leaves v = 0.

        With equal weights it then ends at ±m*, in general at one of many fixed points,
        which need not be magnetized.
        """
        return bool(self.singular_values[0] > 1)


def spectrum(rbm: RBM) -> Spectrum:
    """Return the singular values of the weights and the participation ratios of their vectors.

    Near v = 0 the mean-field flow of a machine without biases is ``v' = W Wᵀ v``: v = 0 is stable if and only
    if ``s₁ ≤ 1``. For uniform weights ``s₁² = M N W²``.

    Time O(M N n), n the size of the smaller layer.

    Parameters
    ----------
    rbm : RBM
        The machine; its biases do not enter.

    Returns
    -------
    Spectrum
        Singular values and participation ratios.

    See Also
    --------
    mean_field_jacobian : The linear map at any v.
    singular_value_bound : What s₁ is at least, whatever the machine, if it has the law of a lattice.

    Examples
    --------
    >>> found = spectrum(RBM.uniform(8, 2, 0.5))
    >>> found.singular_values.round(6).tolist(), found.visible_participation[0].round(6).item()
    ([2.0, 0.0], 8.0)
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    left, values, right = np.linalg.svd(rbm.weights, full_matrices=False)
    return Spectrum(values, 1 / (left**4).sum(axis=0), 1 / (right**4).sum(axis=1))
