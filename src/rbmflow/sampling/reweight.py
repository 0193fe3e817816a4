"""Runs, gathered for what they say together of couplings nearby."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, check_integer, shown
from rbmflow.autocorrelation import autocorrelation
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.sampling.equilibration import DRIFT, drift
from rbmflow.sampling.exchange import Exchange
from rbmflow.sampling.result import Run
from rbmflow.sampling.reweighting import Reweighting

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

BLOCK_TIMES = 10
"""Autocorrelation times, about, that a block has to hold where it is a part of a chain."""
MAX_BLOCKS = 1000


def reweight(
    runs: Run | Exchange | Sequence[Run | Exchange],
    *,
    series: Mapping[str, Sequence[ArrayLike]] | None = None,
    n_blocks: int = 32,
) -> Reweighting:
    """Return runs as measurements for any coupling nearby.

    One run is weighted with ``exp[−(K − K₀) E]`` (A. M. Ferrenberg and R. H. Swendsen, Phys. Rev. Lett. 61,
    2635 (1988)), several with what their histograms together give (*ibid.* 63, 1195 (1989); M. R. Shirts and
    J. D. Chodera, J. Chem. Phys. 129, 124105 (2008)); energies are not binned. Errors come from leaving out
    parts of all runs in turn, with the partition functions solved anew each time.

    Time O(measurements) for each new quantity, and O(n_blocks × energies) for each coupling.

    Parameters
    ----------
    runs : Run, Exchange or sequence of them
        In equilibrium, on one lattice, in one field, at finite couplings, several if one likes.
    series : mapping of str to sequence of array_like, optional
        What `Quantity` can ask for beside energy, magnetization and the observables that all runs measured,
        by name: for each run an array of the shape of its energies. One called ``"magnetization"`` takes
        the place of the magnetization, as the staggered one of an antiferromagnet.
    n_blocks : int
        Blocks of the jackknife, 4 to 1000: groups of chains, or parts of them where these are few.

    Returns
    -------
    Reweighting
        Quantities at couplings, with errors, and how far to trust them.

    Raises
    ------
    ValueError
        When a quantity is asked for, if the runs have too few energies in common to be put together.

    Warns
    -----
    ConvergenceWarning
        If blocks are parts of chains and shorter than some ten autocorrelation times, or a run was not in
        equilibrium from its first measurement, see `equilibration`.

    See Also
    --------
    finite_size.crossing : Crossings, peaks and exponents from several sizes.

    Examples
    --------
    >>> from rbmflow import Torus, sampling
    >>> ladder = sampling.run(Torus(8, 8), [0.4] * 32 + [0.44] * 32, n_sweeps=500, burn_in=100, rng=1)
    >>> found = sampling.reweight(ladder)
    >>> abs(found.estimate("heat_capacity", 0.42).deviation(Torus(8, 8).heat_capacity(0.42))) < 4
    True
    """
    runs = [runs] if isinstance(runs, (Run, Exchange)) else runs
    if not isinstance(runs, (list, tuple)) or not all(isinstance(one, (Run, Exchange)) for one in runs):
        raise TypeError(f"runs={shown(runs)}: results of `run` or `replica_exchange` are needed")
    if not runs:
        raise ValueError("runs=[]: at least one is needed")
    lattice, h = runs[0].lattice, getattr(runs[0], "field", 0.0)
    for one in runs[1:]:
        if one.lattice != lattice or getattr(one, "field", 0.0) != h:
            raise ValueError(f"runs on {one.lattice.label}: all have to be on {lattice.label}, in one field")
    n_blocks = check_integer("n_blocks", n_blocks, 4, MAX_BLOCKS)
    parts = list(_parts(runs, _check_series(runs, series)))
    K, tau, blocks = [], [], []
    for coupling, measured in parts:
        shape = measured["energy"].shape
        size = math.prod(shape)
        if size < n_blocks or shape[1] < 4:
            raise ValueError(f"n_blocks={n_blocks}: a run has {shape} measurements, too few for them")
        if not np.isfinite(coupling):
            raise ValueError(f"a run has K = {coupling}: finite couplings are needed")
        moved = max(drift(one) for one in (measured["energy"], measured["magnetization"] ** 2))
        if moved > DRIFT:
            warn_caller(
                f"reweighting at K = {coupling:.6g}: the first measurements are {moved:.3g} standard errors "
                "from the later ones: equilibration(run) says how many to leave out",
                ConvergenceWarning,
            )
        times = [autocorrelation(one).tau for one in (measured["energy"], measured["magnetization"] ** 2)]
        K.append(coupling)
        tau.append(float(np.nanmax([0.5, *times])))
        blocks.append(np.arange(size) * n_blocks // size)
        if size / n_blocks < min(shape[1], BLOCK_TIMES * tau[-1]):
            warn_caller(
                f"reweighting at K = {coupling:.6g}: blocks of {size / n_blocks:.0f} measurements are "
                f"shorter than {BLOCK_TIMES} autocorrelation times ({tau[-1]:.3g}), errors come out too "
                "small: longer runs, more chains or fewer blocks are needed",
                ConvergenceWarning,
            )
    return Reweighting(
        lattice,
        float(h),
        np.array(K),
        np.array(tau),
        n_blocks,
        {name: np.concatenate([one[name].ravel() for _, one in parts]) for name in parts[0][1]},
        np.repeat(np.arange(len(K)), [len(one) for one in blocks]),
        np.concatenate(blocks),
    )


def _parts(
    runs: Sequence[Run | Exchange], series: Mapping[str, Sequence[FloatArray]]
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Yield each coupling of each run with its series, shape (n_chains, n_kept)."""
    own = [_flat(one) for one in runs]
    shared = [name for name in own[0] if all(name in others for others in own)]
    for index, one in enumerate(runs):
        measured = {"energy": one.energy, "magnetization": one.magnetization}
        measured |= {name: own[index][name] for name in shared}
        measured |= {name: values[index] for name, values in series.items()}
        for coupling in np.unique(one.K):
            here = np.equal(one.K, coupling)
            if isinstance(one, Exchange):
                yield float(coupling), {name: values[:, here][:, 0] for name, values in measured.items()}
            else:
                yield float(coupling), {name: values[here] for name, values in measured.items()}


def _flat(run: Run | Exchange) -> dict[str, FloatArray]:
    """The observables of a run; one of several numbers is that many series, ``name_0``, ``name_1``, ..."""
    found = {}
    for name, values in getattr(run, "observables", {}).items():
        if values.ndim == 2:
            found[name] = values
        else:
            found |= {f"{name}_{place}": values[..., place] for place in range(values.shape[-1])}
    return found


def _check_series(
    runs: Sequence[Run | Exchange], series: Mapping[Any, Any] | None
) -> dict[str, list[FloatArray]]:
    if series is None:
        return {}
    if not isinstance(series, Mapping):
        raise TypeError(f"series={shown(series)}: arrays by name are needed")
    found = {}
    for name, given in series.items():
        if not isinstance(name, str) or not isinstance(given, (list, tuple, np.ndarray)):
            raise TypeError(f"series={shown(series)}: by name, a list with an array for each run, is needed")
        if len(given) != len(runs):
            raise ValueError(
                f"series[{shown(name)}] holds {len(given)} arrays: one for each of {len(runs)} runs"
            )
        found[name] = [check_finite(f"series[{name!r}]", values) for values in given]
        for one, values in zip(runs, found[name], strict=True):
            if values.shape != one.energy.shape:
                raise ValueError(
                    f"series[{name!r}] has shape {values.shape}: that of the energies, "
                    f"{one.energy.shape}, is needed"
                )
    return found
