"""Runs larger than memory: chains whose series go to a netCDF file as they are measured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import MAX_STEPS, check_integer
from rbmflow.ising.lattice import Lattice
from rbmflow.netcdf import require_xarray
from rbmflow.records.storage import digest
from rbmflow.sampling.measurements import Observable
from rbmflow.sampling.reducibility import Order, Rule
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import MAX_SWEEPS, run
from rbmflow.sampling.schedule import Piece
from rbmflow.sampling.starts import Start
from rbmflow.sampling.stored_run import StoredRun
from rbmflow.sampling.writing import Process, digest_of_lattice, written
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Numbers, RNGLike


def write_run(
    path: str | os.PathLike[str],
    lattice: Lattice,
    K: Numbers,
    *,
    n_chains: int = 1,
    n_sweeps: int,
    thin: int = 1,
    burn_in: int = 0,
    rule: Rule = "heat_bath",
    order: Order | None = None,
    rng: RNGLike = None,
    initial: Start | ArrayLike | Run = "random",
    field: float = 0.0,
    keep_spins: bool = True,
    observables: Mapping[str, Observable] | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    allow_reducible: bool = False,
) -> StoredRun:
    """Run the chains of `run` into a netCDF file; a part of the measurements at a time is in memory.

    Every few seconds what was measured is written, and where the chains stand, into a folder of the name of
    `path` with ``.partial``. A run that is interrupted, killed at any moment or without power, goes on from
    there where the same arguments are given again, with a seed: the same bits as of one that was not. In the
    end the file is joined from these parts, so that the disk needs to hold both. A file that is whole, and of
    the same arguments, is opened.

    Time O(sites) for each sweep and chain, and for each configuration that is kept.

    Parameters
    ----------
    path : path-like
        The file, by custom ``.nc``.
    lattice : Lattice
        Where the spins are.
    K : float or array_like
        One coupling, or one for each chain, each for as many chains.
    n_chains, n_sweeps, thin, burn_in
        As for `run`; at least one measurement is needed.
    rule, order, rng, initial, field
        As for `run`.
    keep_spins : bool
        Whether configurations are written.
    observables : mapping of str to callable, optional
        Functions of spins, see `run`. Of an interrupted run their names are compared, not what they do.
    n_threads, progress, allow_reducible
        As for `run`.

    Returns
    -------
    StoredRun
        The file, read as far as it is asked for. ``xarray.open_dataset`` opens it in the layout of
        `Run.to_xarray`.

    Raises
    ------
    ImportError
        Without the extra ``data`` (xarray and h5netcdf).
    ValueError
        If `path`, or what an interrupted run left of it, is of other arguments, or the couplings have not
        as many chains each.
    ReducibleChainError
        As `run`.

    See Also
    --------
    run : In memory.
    write_exchange : Chains that exchange their couplings.
    open_run : A file that is there.

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import Torus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     chains = write_run(f"{folder}/torus.nc", Torus(8, 8), 0.4, n_chains=4, n_sweeps=100, rng=1)
    ...     chains.series("spins", 10, 12).shape, chains.read().energy.shape
    ((4, 2, 64), (4, 100))
    """
    require_xarray()  # before work that could not be written
    lengths = {
        "n_sweeps": check_integer("n_sweeps", n_sweeps, 1, MAX_STEPS),
        "thin": check_integer("thin", thin, 1, min(n_sweeps, MAX_SWEEPS)),
        "burn_in": check_integer("burn_in", burn_in, 0, MAX_STEPS),
    }
    progress = check_progress(progress)
    how: dict[str, Any] = {
        "rule": rule,
        "order": order,
        "field": field,
        "keep_spins": keep_spins,
        "observables": observables,
        "n_threads": n_threads,
        "allow_reducible": allow_reducible,
    }
    begin = run(lattice, K, n_chains=n_chains, n_sweeps=0, thin=thin, rng=rng, initial=initial, **how)
    counts = np.unique(begin.K, return_counts=True)[1]
    if (counts != counts[0]).any():
        least, most = counts.min(), counts.max()
        raise ValueError(f"K: as many chains of each coupling are needed, there are {least} to {most}")

    def more(now: Run, piece: Piece, progress: Progress | None) -> Run:
        lengths: Any = {"n_sweeps": piece.n_sweeps, "thin": piece.thin, "burn_in": piece.burn_in}
        done = run(begin.lattice, begin.K, initial=now, progress=progress, **lengths, **how)
        return replace(done, thin=begin.thin)

    state = begin.state
    assert state is not None
    asked = {
        "lattice": digest_of_lattice(begin.lattice),
        "K": digest(begin.K),
        "rule": begin.rule,
        "order": begin.order,
        "field": begin.field,
        "keep_spins": keep_spins,
        "observables": list(begin.observables),
        "rng or initial": [digest(state.spins), digest(state.generators), state.n_sweeps],
    }
    process = Process(begin, lengths, asked, state.spins.size, more, len(begin.K))
    return written(Path(path), process, progress)
