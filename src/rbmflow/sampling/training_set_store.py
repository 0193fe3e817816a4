"""Training sets larger than memory: a Zarr store that takes each temperature as it is drawn."""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbmflow.executors import check_executor
from rbmflow.hardware import check_fits, resolve_threads
from rbmflow.ising.lattice import Lattice
from rbmflow.locks import LOCK, locked
from rbmflow.records.dataset import require_xarray
from rbmflow.sampling.certificate import SECOND
from rbmflow.sampling.sample_training_set import Asked, proof
from rbmflow.sampling.training_set import TrainingSet
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import Numbers, RNGLike

PARTIAL = ".partial"
DRAWN = "drawn"
"""Of a store that is not whole: which temperatures it has."""
GROUP = ".zgroup"  # which every store of format 2 has
DIMENSIONS = "_ARRAY_DIMENSIONS"  # as xarray finds them in a store of format 2
CHUNK = 2**22
"""Spins of a chunk, at most."""


def write_training_set(
    path: str | os.PathLike[str],
    lattice: Lattice,
    temperatures: Numbers,
    n_samples: int,
    *,
    field: float = 0.0,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Any:
    """Draw the configurations of `training_set` into a Zarr store; one temperature at a time is in memory.

    While it is written the store has the name of `path` with ``.partial``. A run that is interrupted goes on
    from there, where the same arguments are given again: the same bits as of one that was not. A store
    that is whole, and of the same arguments, is opened.

    Parameters
    ----------
    path : path-like
        The store, a folder, by custom ``.zarr``.
    lattice : Lattice
        Where the spins are.
    temperatures : array_like
        T ≥ 0 in units of J/k_B, infinity included.
    n_samples : int
        Configurations at each temperature.
    field : float
        H in units of J, see `training_set`.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads, which take temperatures where chains draw; no result depends on it.
    progress : callable, optional
        Called as ``progress(done, total)`` in temperatures.
    executor : concurrent.futures.Executor, optional
        Where the temperatures are drawn, in place of threads; no result depends on it.

    Returns
    -------
    xarray.Dataset
        What `TrainingSet.to_xarray` gives of the set, opened and not yet read.

    Raises
    ------
    ImportError
        Without the extra ``data`` (xarray and zarr).
    ValueError
        If `path`, or what an interrupted run left of it, is of other arguments.

    See Also
    --------
    training_set : In memory.

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import Torus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = write_training_set(f"{folder}/torus.zarr", Torus(8, 8), [1.0, 3.0], 20, rng=1)
    ...     data.spins.dims, data.spins[1, :3].values.shape
    (('temperature', 'sample', 'site'), (3, 64))
    """
    xarray, zarr = require_xarray(), _require_zarr()
    asked = Asked.of(lattice, temperatures, n_samples, field, rng)
    progress = check_progress(progress)
    executor, threads = check_executor(executor), resolve_threads(n_threads)
    at_once = 1 if executor is not None else threads
    check_fits(
        "n_samples", asked.n_samples, 2 * at_once * asked.lattice.n_sites, "fewer n_threads= need less"
    )
    whole = Path(path)
    if whole.exists():
        _refuse_another(_attributes(zarr, whole), asked, whole)
        if progress is not None:
            progress(len(asked.levels), len(asked.levels))
        return xarray.open_zarr(whole, chunks=None, consolidated=False)
    partial = whole.with_name(whole.name + PARTIAL)
    there = {one.name for one in partial.iterdir()} if partial.exists() else set()
    if there - {LOCK} and GROUP not in there:
        raise ValueError(f"path={str(path)!r}: {partial} is something else: give another path, or remove it")
    with locked(partial):
        store = zarr.open_group(partial, mode="a", zarr_format=2)
        found = [False] * len(asked.levels)
        if DRAWN in store:
            _refuse_another(store.attrs, asked, partial)
            found = [bool(flag) for flag in store[DRAWN][:]]
        missing = [index for index, is_there in enumerate(found) if not is_there]
        for done, (index, one) in enumerate(asked.drawn(missing, threads, executor), start=1):
            _put(store, one, index, len(found))
            if progress is not None:
                progress(len(found) - len(missing) + done, len(found))
        del store[DRAWN]
    try:
        partial.rename(whole)
    except OSError as error:
        raise ValueError(f"path={str(path)!r} is there by now; the store is whole, as {partial}") from error
    return xarray.open_zarr(whole, chunks=None, consolidated=False)


def _require_zarr() -> Any:
    try:
        import zarr
    except ImportError:
        raise ImportError("what comes one by one is stored by zarr: pip install rbmflow[data]") from None
    return zarr


def _attributes(zarr: Any, path: Path) -> Any:
    """Return what a store says about itself; nothing, if it is none."""
    try:
        return zarr.open_group(path, mode="r", zarr_format=2).attrs
    except (ValueError, OSError):  # GroupNotFoundError is a FileNotFoundError
        return {}


def _refuse_another(attributes: Any, asked: Asked, path: Path) -> None:
    """Raise ValueError where a store is of another run than the one that is asked for."""
    found = attributes.get("provenance")
    if found is None or proof(json.loads(found)) != proof(asked.facts):
        raise ValueError(
            f"path={str(path)!r} is there already, of a run with other arguments or another version of "
            "rbmflow, or of something else: give another, or remove it"
        )


def _put(store: Any, one: TrainingSet, index: int, n_temperatures: int) -> None:
    """Write one temperature in its place, then that it is there."""
    content = one.to_xarray()
    for name, variable in content.variables.items():
        if name not in store or DRAWN not in store:
            dtype = "U16" if variable.dtype.kind in "OU" else variable.dtype
            _create(store, name, (n_temperatures, *variable.shape[1:]), dtype, variable.dims, variable.attrs)
            if name.startswith(SECOND):  # which other temperatures need not have
                store[name][:] = "" if dtype == "U16" else math.nan
    if DRAWN not in store:
        store.attrs.update(content.attrs)
        _create(store, DRAWN, (n_temperatures,), bool, ("temperature",), {})
    for name, variable in content.variables.items():
        store[name][index] = variable.values[0]
    store[DRAWN][index] = True


def _create(
    store: Any, name: str, shape: tuple[int, ...], dtype: Any, dims: tuple[str, ...], attributes: Any
) -> None:
    rows = max(1, min(shape[1], CHUNK // shape[2])) if len(shape) > 1 else 1
    chunks = (1, rows, *shape[2:])[: len(shape)]
    array = store.create_array(
        name, shape=shape, dtype=dtype, chunks=chunks, fill_value=None, overwrite=True
    )  # overwrite: a run that ended while they were made has left some
    array.attrs.update({**attributes, DIMENSIONS: list(dims)})
