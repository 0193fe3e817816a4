"""The free energy that the mean-field flow descends, a bound on the machine's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbmflow.arguments import shown
from rbmflow.networks import RBM
from rbmflow.networks.two_layers import traced_out
from rbmflow.spins import check_means

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


def mean_field_free_energy(rbm: RBM, v: ArrayLike) -> Any:
    """Return the free energy of independent visible units of means v, the hidden ones at their best.

    ``F(v) = −b·v − Σ_a ln 2cosh(c_a + Σ_i W_ia v_i) − Σ_i S(v_i)`` with the entropy
    ``S(m) = −½(1+m) ln ½(1+m) − ½(1−m) ln ½(1−m)``. `mean_field` never raises it, and rests where it is
    stationary. By Gibbs' inequality ``−F(v) ≤ ln Z`` for every v.

    Time O(M N) for each configuration.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Means between −1 and 1; of spins it is `RBM.free_energy`.

    Returns
    -------
    float or numpy.ndarray
        In the leading shape.

    Examples
    --------
    >>> import numpy as np
    >>> from rbmflow import log_partition
    >>> rbm = RBM.uniform(8, 4, 0.3063)
    >>> print(round(-mean_field_free_energy(rbm, np.full(8, 0.8286)), 4), round(float(log_partition(rbm)), 4))
    10.5298 11.2898
    """
    from scipy.special import entr

    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    means = check_means("v", v, rbm.n_visible)
    entropy = (entr((1 + means) / 2) + entr((1 - means) / 2)).sum(axis=-1)
    return -traced_out(means, rbm.visible_bias, rbm.field_on_hidden(means)) - entropy
