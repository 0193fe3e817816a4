"""Runs larger than memory: chains whose series go to a netCDF file as they are measured."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import MAX_STEPS, check_integer
from rbmflow.checkpoints import Checkpoints
from rbmflow.files import save_atomically
from rbmflow.ising.lattice import Lattice
from rbmflow.locks import locked
from rbmflow.netcdf import require_xarray
from rbmflow.provenance import version_of
from rbmflow.records.storage import digest, pack, unpack
from rbmflow.sampling.measurements import Observable
from rbmflow.sampling.parts import Parts
from rbmflow.sampling.reducibility import Order, Rule
from rbmflow.sampling.result import Run
from rbmflow.sampling.run import MAX_SWEEPS, run, shifted
from rbmflow.sampling.run_file import ARGUMENTS, row_bytes, write_slabs
from rbmflow.sampling.schedule import PIECE_BYTES, pieces
from rbmflow.sampling.starts import Start
from rbmflow.sampling.stored_run import StoredRun, open_run
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Numbers, RNGLike

PARTIAL = ".partial"
SECONDS = 5.0
"""Between two states that are kept."""


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
    lattice : Ring, Chain, Torus or Graph
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
    whole, asked = Path(path), _arguments(begin, lengths)
    partial_run = whole.with_name(whole.name + PARTIAL)
    total = len(begin.K) * (lengths["burn_in"] + lengths["n_sweeps"])
    if whole.exists():
        found = open_run(whole)
        _refuse_another(found, asked, whole)
        if partial_run.exists():  # killed before it was removed
            Checkpoints(partial_run, asked).remove()
        if progress is not None:
            progress(total, total)
        return found
    empty = _dataset(begin)
    with locked(partial_run):
        parts = Parts(Checkpoints(partial_run, asked, SECONDS), begin.lattice.n_sites)
        end = _go_on(parts, begin, lengths, how, progress, _draw_bytes(empty))
        save_atomically(whole, lambda stream: _join(stream, parts, end, empty, asked))
        parts.kept.remove()
    return open_run(whole)


def _go_on(
    parts: Parts,
    begin: Run,
    lengths: dict[str, int],
    how: dict[str, Any],
    progress: Progress | None,
    n_bytes: int,
) -> Run:
    """Run from where the parts end to the end, and return how the chains stand there."""
    before, n_chains = _sweeps(begin), len(begin.K)
    now = parts.state(partial(unpack, Run)) or begin
    done = written = _sweeps(now) - before
    total = n_chains * (lengths["burn_in"] + lengths["n_sweeps"])
    for piece in pieces(**lengths, spins=n_chains * begin.lattice.n_sites, draw_bytes=n_bytes, after=done):
        now = run(
            begin.lattice,
            begin.K,
            n_sweeps=piece.n_sweeps,
            thin=piece.thin,
            burn_in=piece.burn_in,
            initial=now,
            progress=shifted(progress, n_chains * done, total),
            **how,
        )
        done += piece.total
        if piece.n_draws:
            parts.add({name: one.values for name, one in now.to_xarray().data_vars.items()})
        if parts.due or done == lengths["burn_in"] + lengths["n_sweeps"]:
            parts.write(_draws(written, lengths), _as_bytes(replace(_without_series(now), thin=begin.thin)))
            written = done
    return replace(_without_series(now), thin=begin.thin)


def _draws(done: int, lengths: dict[str, int]) -> int:
    """Return how many measurements have been taken after so many sweeps."""
    return min(max(0, done - lengths["burn_in"]) // lengths["thin"], lengths["n_sweeps"] // lengths["thin"])


def _join(stream: IO[bytes], parts: Parts, end: Run, empty: Any, asked: dict[str, Any]) -> None:
    """Write the file of all parts."""
    n_draws = asked["n_sweeps"] // asked["thin"]
    slabs = parts.slabs(n_draws, max(1, PIECE_BYTES // _draw_bytes(empty)))
    write_slabs(stream, empty, n_draws, slabs, _as_bytes(end), {ARGUMENTS: _digest(asked)})


def _dataset(begin: Run) -> Any:
    """Return the layout of the file, without draws."""
    counts = np.unique(begin.K, return_counts=True)[1]
    if (counts != counts[0]).any():
        raise ValueError(
            f"K: as many chains of each coupling are needed, there are {counts.min()} to {counts.max()}"
        )
    return begin.to_xarray()


def _draw_bytes(empty: Any) -> int:
    """Return the size of a measurement of all chains."""
    return sum(row_bytes(one) for one in empty.data_vars.values())


def _sweeps(begin: Run) -> int:
    assert begin.state is not None
    return begin.state.n_sweeps


def _without_series(now: Run) -> Run:
    """Return a run that can be continued, of no measurements."""
    return now._with_series({name: one[:, :0] for name, one in now.series.items()})


def _as_bytes(record: Run) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **pack(record))
    return stream.getvalue()


def _arguments(begin: Run, lengths: dict[str, int]) -> dict[str, Any]:
    """Return what the series depend on; of what is large digests."""
    state = begin.state
    assert state is not None
    lattice = json.dumps(begin.lattice.to_json(), sort_keys=True)
    return {
        "lattice": f"{begin.lattice.label} {hashlib.sha256(lattice.encode()).hexdigest()}",
        "K": digest(begin.K),
        "rule": begin.rule,
        "order": begin.order,
        "field": begin.field,
        **lengths,
        "keep_spins": begin.spins is not None,
        "observables": list(begin.observables),
        "rng or initial": [digest(state.spins), digest(state.generators), state.n_sweeps],
    }


def _digest(asked: dict[str, Any]) -> str:
    text = json.dumps({"version": version_of(), **asked}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_another(found: StoredRun, asked: dict[str, Any], path: Path) -> None:
    """Raise ValueError where a file is of another run than the one that is asked for."""
    if found.arguments != _digest(asked):
        raise ValueError(
            f"path={str(path)!r} is there already, of a run with other arguments or another version of "
            "rbmflow: give another, or remove it"
        )
