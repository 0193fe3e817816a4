"""Runs in files: what they measured is read as far as it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_choice, check_flag, check_integer, check_real_scalar, shown
from rbmflow.estimate import Estimate
from rbmflow.hardware import check_memory
from rbmflow.reading import refusing
from rbmflow.records.storage import unpack
from rbmflow.sampling.averages import component_quantity, estimate_of_averages
from rbmflow.sampling.cluster_estimates import CLUSTER_ESTIMATED, CLUSTER_SERIES
from rbmflow.sampling.exchange import Exchange
from rbmflow.sampling.measurements import Observable, check_observables, measured
from rbmflow.sampling.quantities import QUANTITIES, STRUCTURE_FACTOR
from rbmflow.sampling.result import ESTIMATED, Run
from rbmflow.sampling.run_file import ARGUMENTS, AXIS, opened, read_record, row_bytes
from rbmflow.sampling.schedule import PIECE_BYTES

MOST_VALUES = 2**27
"""Of a series whose estimate is that of a run in memory; neighbours in longer ones are averaged first."""


@dataclass(frozen=True)
class StoredRun:
    """A run in its file, see `write_run` and `write_exchange`.

    Attributes
    ----------
    path : Path
        The file.
    end : Run
        Lattice, couplings, rule and state, without measurements: ``run(..., initial=stored.end)`` goes on.
    exchange : Exchange or None
        Of `write_exchange`, without measurements: ``replica_exchange(..., initial=stored.exchange)`` goes on.
    n_draws : int
        Measurements of each chain.
    names : tuple of str
        The series: ``"energy"``, ``"magnetization"``, the observables, and ``"spins"`` if they were kept.
    arguments : str
        A digest of what the run was asked for.
    draw_bytes : int
        What a measurement of all chains takes in memory.
    """

    path: Path
    end: Run = field(compare=False)
    exchange: Exchange | None = field(compare=False, repr=False)
    n_draws: int
    names: tuple[str, ...]
    arguments: str = field(repr=False)
    draw_bytes: int = field(repr=False)

    def series(self, name: str, first: int = 0, last: int | None = None) -> npt.NDArray[Any]:
        """Read a series, or some draws of it.

        Parameters
        ----------
        name : str
            One of `names`.
        first, last : int
            The first draw and the last + 1, by default all.

        Returns
        -------
        numpy.ndarray, shape (n_chains, last − first, ...)
            As a `Run` has it.

        Raises
        ------
        MemoryError
            If it does not fit into memory.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, sampling
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stored = sampling.write_run(f"{folder}/ring.nc", Ring(8), 0.5, n_sweeps=100, rng=1)
        ...     stored.series("energy", 90).shape
        (1, 10)
        """
        check_choice("name", name, self.names)
        found: npt.NDArray[Any] = self._read([name], *self._range(first, last))[name]
        return found

    def read(self, first: int = 0, last: int | None = None, *, spins: bool = False) -> Run:
        """Read a part of the run, by default all of it, into memory.

        Parameters
        ----------
        first, last : int
            The first draw and the last + 1, by default all.
        spins : bool
            Whether configurations are read, if they were kept.

        Returns
        -------
        Run
            It goes on, as `end` does, if the last draw is in it.

        Raises
        ------
        MemoryError
            If it does not fit into memory.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, sampling
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stored = sampling.write_run(f"{folder}/ring.nc", Ring(8), 0.5, n_sweeps=400, rng=1)
        ...     stored.read().energy_estimate.n_effective > 50
        True
        """
        first, last = self._range(first, last)
        check_flag("spins", spins)
        names = [name for name in self.names if spins or name != "spins"]
        part = self.end._with_series(self._read(names, first, last))
        return part if last == self.n_draws else replace(part, state=None)

    def blocks(self, n_draws: int | None = None) -> Iterator[Run]:
        """Return what reads the run from begin to end, configurations too, a block at a time.

        Parameters
        ----------
        n_draws : int, optional
            Draws of a block; by default such that it takes about 32 MiB.

        Returns
        -------
        iterator of Run
            The parts, one after the other.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, sampling
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stored = sampling.write_run(f"{folder}/ring.nc", Ring(8), 0.5, n_sweeps=100, rng=1)
        ...     [block.spins.shape for block in stored.blocks(60)]
        [(1, 60, 8), (1, 40, 8)]
        """
        if n_draws is None:
            n_draws = max(1, PIECE_BYTES // self.draw_bytes)
        at_once = check_integer("n_draws", n_draws, 1)
        return (
            self.read(first, min(first + at_once, self.n_draws), spins=True)
            for first in range(0, self.n_draws, at_once)
        )

    def measure(self, observables: Mapping[str, Observable]) -> dict[str, FloatArray]:
        """Measure functions of the configurations that were kept, a block at a time.

        Parameters
        ----------
        observables : mapping of str to callable
            As for `run`.

        Returns
        -------
        dict of str to numpy.ndarray of float64, shape (n_chains, n_draws) or (n_chains, n_draws, k)
            Their series.

        Raises
        ------
        ValueError
            If no configurations were kept.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, sampling
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stored = sampling.write_run(f"{folder}/ring.nc", Ring(8), 0.5, n_sweeps=100, rng=1)
        ...     stored.measure({"first": lambda spins: spins[:, 0]})["first"].shape
        (1, 100)
        """
        if "spins" not in self.names:
            raise ValueError(f"{self.path} has no configurations: they were not kept")
        functions, _ = check_observables(observables, self.series("spins", 0, 1)[:, 0])
        found = [measured(functions, block.spins) for block in self.blocks() if block.spins is not None]
        return {name: np.concatenate([one[name] for one in found], axis=1) for name in functions}

    def estimate(self, name: str, component: int | None = None, *, K: float | None = None) -> Estimate:
        """Return the estimate of what has this name, see `Run.estimate`.

        Of more than 2²⁷ values, neighbours in each chain are averaged first, block by block; τ is then that
        of the error which the averages have.

        Parameters
        ----------
        name : str
            One of the observables, or ``"energy"`` and whatever else a `Run` has estimates of.
        component : int, optional
            Which of the k numbers of an observable that has several.
        K : float, optional
            The coupling, where the chains have several.

        Returns
        -------
        Estimate
            Of the mean along the chains of that coupling.

        Warns
        -----
        ConvergenceWarning
            As `Estimate.from_series`.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, sampling
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stored = sampling.write_run(f"{folder}/ring.nc", Ring(8), [0.1, 0.5], n_sweeps=800, rng=1)
        ...     abs(stored.estimate("energy", K=0.5).deviation(Ring(8).energy(0.5))) < 4
        True
        """
        check_choice("name", name, (*ESTIMATED, *self.end.estimated_of_clusters, *self.end.observables))
        coupling = self.end.coupling if K is None else check_real_scalar("K", K)
        chains = self.end.at(coupling).K
        measured_by = STRUCTURE_FACTOR if name == "correlation_length" else name
        names = ["energy", "magnetization", *([measured_by] if measured_by in self.end.observables else [])]
        if name in CLUSTER_ESTIMATED:
            names += [one for one in CLUSTER_SERIES if one in self.names]
        if len(chains) * self.n_draws <= MOST_VALUES or name in CLUSTER_ESTIMATED:
            series = self._read(names, 0, self.n_draws, coupling)
            return self.end._with_series(series, K=chains, state=None).estimate(name, component)
        if component is not None and name in QUANTITIES:
            raise ValueError(f"component={shown(component)}: {name} is one number")
        at_once = -(-len(chains) * self.n_draws // MOST_VALUES)
        asked = self.end._asked(name) if name in QUANTITIES else component_quantity(name, component)
        step = at_once * max(1, PIECE_BYTES // (8 * at_once * len(self.end.K)))
        blocks = (
            asked.measured(self._read(names, first, min(first + step, self.n_draws), coupling))
            for first in range(0, self.n_draws, step)
        )
        return estimate_of_averages(
            lambda *means: asked.value(self.end.lattice, coupling, *means),
            blocks,
            at_once,
            spacing=self.end.thin,
            name=f"{name.replace('_', ' ')} at K = {coupling:.6g}",
        )

    def _range(self, first: int, last: int | None) -> tuple[int, int]:
        first = check_integer("first", first, 0, self.n_draws)
        return first, check_integer("last", self.n_draws if last is None else last, first, self.n_draws)

    def _read(self, names: list[str], first: int, last: int, K: float | None = None) -> dict[str, Any]:
        """Read series of all chains, or of those of one coupling."""
        levels = np.unique(self.end.K)
        with opened(self.path) as file:
            share = 1 if K is None else len(levels)
            check_memory(
                f"{last - first} draws of {', '.join(names)}",
                2 * (last - first) * sum(row_bytes(file[name]) for name in names) // share,
                "a part of them, or blocks(), needs less",
            )
            with refusing(self.path, "a run of rbmflow"):
                return {name: self._of_chains(file[name], first, last, levels, K) for name in names}

    def _of_chains(self, variable: Any, first: int, last: int, levels: FloatArray, K: float | None) -> Any:
        """Return draws of a variable in the order of the chains, which lie by couplings in the file."""
        if len(levels) == 1:
            return variable[:, first:last]
        if K is not None:
            return variable[:, first:last, int(np.searchsorted(levels, K))]
        by_level = variable[:, first:last]
        found = np.empty((len(self.end.K), last - first, *by_level.shape[3:]), by_level.dtype)
        for place, level in enumerate(levels):
            found[np.equal(self.end.K, level)] = by_level[:, :, place]
        return found


def open_run(path: str | os.PathLike[str]) -> StoredRun:
    """Open a file of `write_run` or `write_exchange`.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    StoredRun
        Its series, read as far as they are asked for.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds something else, or is damaged.
    ImportError
        Without the extra ``data`` (xarray and h5netcdf).

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import Ring, sampling
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/ring.nc"
    ...     _ = sampling.write_run(path, Ring(8), 0.5, n_sweeps=100, rng=1)
    ...     sampling.open_run(path).n_draws
    100
    """
    source = Path(path)
    with opened(source) as file, refusing(source, "a run of rbmflow"):
        record, exchange = read_record(file), None
        if "round_trips" in file.variables:
            exchange = unpack(Exchange, record)
            end = exchange.to_run()
        else:
            end = unpack(Run, record)
        names = tuple(end.series)
        n_draws = {file[name].shape[AXIS] for name in names}
        if len(n_draws) != 1:
            raise ValueError(f"its series have {sorted(n_draws)} draws")
        n_bytes = sum(row_bytes(file[name]) for name in names)
        return StoredRun(source, end, exchange, n_draws.pop(), names, str(file.attrs[ARGUMENTS]), n_bytes)
