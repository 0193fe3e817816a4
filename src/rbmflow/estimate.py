"""A Monte Carlo number: its mean, its standard error and what they rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import check_integer, check_real
from rbmflow.autocorrelation import (
    autocorrelation,
    check_series,
    jackknife,
    rank_normalised_r_hat,
)


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
        Integrated autocorrelation time in sweeps; 0.5 for independent samples, half the spacing for independent
        measurements along a chain.
    n_effective : float
        Number of independent samples that would give this standard error.
    r_hat : float
        Rank-normalised split R-hat between chains; NaN for independent samples.
    tau_stderr : float
        Standard error of tau; NaN where it was not measured.
    """

    mean: float
    stderr: float
    tau: float
    n_effective: float
    r_hat: float
    tau_stderr: float = float("nan")

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

    @classmethod
    def from_series(cls, series: object, *, spacing: int = 1) -> Estimate:
        """Return the estimate of the mean of measurements along Markov chains.

        ``stderr² = 2 τ s²/N`` with the integrated autocorrelation time τ by Sokal's windowing around the common mean of
        the chains; ``n_effective = N/(2τ)``.

        Parameters
        ----------
        series : array_like
            Shape ``(n_chains, n)`` or ``(n,)``, in equilibrium; at least 4 measurements to a chain.
        spacing : int
            Sweeps between measurements.

        Returns
        -------
        Estimate
            With tau in sweeps. A constant series has no error, and its R-hat is NaN.

        Raises
        ------
        TypeError, ValueError
            If the series has another shape or holds something other than finite numbers, or `spacing` is below 1.

        Examples
        --------
        >>> noise = np.random.default_rng(2).normal(size=(4, 1000))
        >>> abs(Estimate.from_series(noise).deviation(0.0)) < 4
        True
        """
        values = check_series("series", series)
        spacing = check_integer("spacing", spacing, 1)
        times = autocorrelation(values)
        return cls(
            float(values.mean()),
            float(np.sqrt(2 * times.tau / values.size)) * times.spread,
            times.tau * spacing,
            values.size / (2 * times.tau),
            rank_normalised_r_hat(values),
            times.tau_stderr * spacing,
        )

    @classmethod
    def jackknife(cls, function: Callable[..., Any], *series: object, spacing: int = 1) -> Estimate:
        """Return the estimate of a function of means, with a jackknife error over blocks of the chains.

        Parameters
        ----------
        function : callable
            Of the means of the series, elementwise for arrays of them.
        *series : array_like
            All of one shape ``(n_chains, n)``.
        spacing : int
            Sweeps between measurements.

        Returns
        -------
        Estimate
            The bias of order 1/N is taken off; tau, n_effective and r_hat are those of the function's linear part.

        Raises
        ------
        TypeError, ValueError
            If the series do not fit, or hold something other than finite numbers.

        Examples
        --------
        >>> x = np.random.default_rng(1).normal(size=(4, 2000))
        >>> variance = Estimate.jackknife(lambda second, first: second - first**2, x**2, x)
        >>> abs(variance.deviation(1.0)) < 4
        True
        """
        result = jackknife(function, *(check_series(f"series[{k}]", one) for k, one in enumerate(series)))
        linear = cls.from_series(result.linear, spacing=spacing)
        return cls(
            result.value, result.stderr, linear.tau, linear.n_effective, linear.r_hat, linear.tau_stderr
        )

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
        difference = self.mean - float(exact)
        if difference == 0.0:
            return 0.0
        return difference / self.stderr if self.stderr else float(np.copysign(np.inf, difference))

    def __str__(self) -> str:
        return f"{self.mean:.6g} ± {self.stderr:.2g}"
