"""What a reader sees of a table: heads in words with units, numbers with their errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from rbmflow.experiments.tables import Cell, Digits

DIGITS = 6
"""Significant digits of a number without an error."""

J, J_PER_KB, KB, NATS = "J", "J/k_B", "k_B", "nats"
TEMPERATURE, ENERGY, LIKELIHOOD = "temperature", "energy per site", "mean log-likelihood of a row"

HEADINGS: dict[str, tuple[str, str]] = {
    "K": ("coupling K", ""),
    "K_c": ("threshold coupling K_c", ""),
    "K_ensemble": ("coupling of the ensemble", ""),
    "T": ("temperature T", J_PER_KB),
    "T_0_included": ("T = 0 included", ""),
    "T_flow": ("temperature below which the flow orders", J_PER_KB),
    "V": ("sum of spins V", ""),
    "W": ("weight W", ""),
    "W_40_digits": ("weight W to 40 digits", ""),
    "above_T_c": ("above the critical temperature by", J_PER_KB),
    "absolute_magnetization": ("mean |m|", ""),
    "alpha": ("bonds α", ""),
    "binder_cumulant": ("Binder cumulant", ""),
    "chance": ("probability of a larger difference by chance", ""),
    "count": ("number of configurations", ""),
    "deviation": ("deviation in standard errors", ""),
    "doubt": ("reason for doubt", ""),
    "energy": (ENERGY, J),
    "energy_exact": ("exact energy per site", J),
    "exact": ("exact value", ""),
    "exact_energy": ("exact energy per site", J),
    "second_energy": ("energy per site by the second rule", J),
    "second_stderr": ("its standard error", J),
    "gain": ("gain M N W²", ""),
    "heat_capacity": ("heat capacity per site", KB),
    "heat_capacity_exact": ("exact heat capacity per site", KB),
    "abs_magnetization": ("mean |m|", ""),
    "abs_magnetization_exact": ("exact mean |m|", ""),
    "susceptibility": ("susceptibility n⟨m²⟩", ""),
    "rate": ("accepted exchanges over those tried", ""),
    "kl_nats": ("Kullback-Leibler divergence", NATS),
    "kl": ("Kullback-Leibler divergence", NATS),
    "largest": ("largest", ""),
    "load": ("load P/n", ""),
    "log_likelihood": (LIKELIHOOD, NATS),
    "independent_log_likelihood": (f"{LIKELIHOOD}, independent units", NATS),
    "log_partition": ("ln Z", ""),
    "log_partition_per_site": ("ln Z per site", ""),
    "log_partition_stderr": ("standard error of ln Z", ""),
    "m": ("magnetization m", ""),
    "m_fixed": ("|m| at the fixed point", ""),
    "fixed_point_m": ("|m| at the fixed point", ""),
    "settled_m": ("|m| where the flow settles", ""),
    "uniform_m": ("|m| with equal weights", ""),
    "n_effective": ("effective samples", ""),
    "n_hidden": ("hidden units", ""),
    "n_patterns": ("patterns", ""),
    "n_samples": ("samples", ""),
    "n_sites": ("sites", ""),
    "n_units": ("units", ""),
    "n_visible": ("visible units", ""),
    "order_parameter": ("order parameter ⟨|m|⟩", ""),
    "r_hat": ("R-hat", ""),
    "reading": ("temperature read", J_PER_KB),
    "s_1": ("largest singular value s₁", ""),
    "s_2": ("second singular value s₂", ""),
    "s_3": ("third singular value s₃", ""),
    "stderr": ("standard error", ""),
    "tau": ("autocorrelation time", "sweeps"),
    "temperature": (TEMPERATURE, J_PER_KB),
    "excess": ("energy beyond that of independent spins", J),
}
"""Words and units, by the names that columns have in files."""

THERMOMETERS = {
    "energy": "from the energy",
    "magnetization": "from |m|",
    "network_mean": "by the network, mean",
    "network_peak": "by the network, peak",
    "network_per_sample": "by the network, each sample",
}
for _name, _words in THERMOMETERS.items():
    HEADINGS[f"temperature_{_name}"] = (f"temperature read {_words}", J_PER_KB)
    HEADINGS[f"{_name}_reading"] = (f"temperature read {_words}", J_PER_KB)
    HEADINGS[f"{_name}_resolution"] = (f"spread of the temperature read {_words}", J_PER_KB)


def unit_of(name: str) -> str:
    """Return the unit of a column, empty for numbers without one; an error has that of its value.

    Examples
    --------
    >>> unit_of("energy_stderr"), unit_of("K")
    ('J', '')
    """
    return HEADINGS.get(name.removesuffix("_stderr"), ("", ""))[1]


def heading_of(name: str) -> str:
    """Return the words for a column, with its unit in brackets.

    Examples
    --------
    >>> heading_of("T_flow"), heading_of("energy_stderr"), heading_of("burn_in")
    ('temperature below which the flow orders [J/k_B]', 'its standard error [J]', 'burn in')
    """
    if name.endswith("_stderr"):
        unit = unit_of(name)
        return f"its standard error [{unit}]" if unit else "its standard error"
    words, unit = HEADINGS.get(name, (name.replace("_", " "), ""))
    return f"{words} [{unit}]" if unit else words


def errors_of(header: Sequence[str]) -> dict[str, str]:
    """Return the columns of standard errors by those that they follow, and whose errors they are.

    Examples
    --------
    >>> errors_of(("T", "energy", "stderr", "m", "m_stderr", "n_stderr"))
    {'energy': 'stderr', 'm': 'm_stderr'}
    """
    return {before: name for before, name in pairwise(header) if name in ("stderr", f"{before}_stderr")}


def is_number(cell: Cell) -> bool:
    """Whether a cell holds a number, as such or as text with its digits."""
    return isinstance(cell, (int, float, Digits)) and not isinstance(cell, bool)


def error_shown(value: Cell, stderr: Cell) -> str | None:
    """Return a number and its error, None where there is no error that could be seen beside it.

    Examples
    --------
    >>> error_shown(-1.53556, 0.0385), error_shown(2.0, float("inf")), error_shown(2.0, 0.0)
    ('-1.54 ± 0.04', '2 ± inf', None)
    """
    if not is_number(value) or not is_number(stderr):
        return None
    number, error = float(value or 0), float(stderr or 0)
    if not math.isfinite(number) or math.isnan(error) or error <= 10**-DIGITS * abs(number):
        return None
    from rbmflow.estimate import with_error

    return with_error(number, error)
