"""A Monte Carlo number: its mean, its standard error and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import check_real


@dataclass(frozen=True)
class Estimate:
    """A mean over samples with its standard error.

    Attributes
    ----------
    mean : float
        The sample mean.
    stderr : float
        Standard error of the mean.
    tau : float
        Integrated autocorrelation time in sweeps; 0.5 for independent samples.
    n_effective : float
        Number of independent samples that would give this standard error.
    r_hat : float
        Rank-normalised split R-hat between chains; NaN for independent samples.
    """

    mean: float
    stderr: float
    tau: float
    n_effective: float
    r_hat: float

    @classmethod
    def from_independent(cls, samples: object) -> Estimate:
        """Return the estimate of the mean of independent samples.

        The standard error is s/√n with the unbiased sample variance s².

        Parameters
        ----------
        samples : array_like
            At least two finite numbers; any shape.

        Returns
        -------
        Estimate
            With ``tau = 0.5``, ``n_effective = n`` and ``r_hat = nan``.

        Raises
        ------
        ValueError
            If there are fewer than two samples, or one is not finite.

        Examples
        --------
        >>> Estimate.from_independent([1.0, 2.0, 3.0, 4.0]).mean
        2.5
        """
        values = check_real("samples", samples).ravel()
        if values.size < 2:
            raise ValueError(
                f"samples holds {values.size} values: at least 2 are needed for a standard error"
            )
        if not np.isfinite(values).all():
            raise ValueError("samples holds an infinity: finite numbers are needed")
        n = values.size
        return cls(float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)), 0.5, float(n), float("nan"))

    def deviation(self, exact: float) -> float:
        """Return ``(mean − exact) / stderr``; 0 when both differences vanish.

        Parameters
        ----------
        exact : float
            The value that the mean should have.

        Returns
        -------
        float
            The difference in standard errors, signed.

        Examples
        --------
        >>> Estimate(1.2, 0.1, 0.5, 100.0, float("nan")).deviation(1.0)
        2.0
        """
        difference = self.mean - exact
        if difference == 0.0:
            return 0.0
        return difference / self.stderr if self.stderr else float(np.copysign(np.inf, difference))

    def __str__(self) -> str:
        return f"{self.mean:.6g} ± {self.stderr:.2g}"
