"""Ladders of chains whose series go to a netCDF file as they are measured."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rbmflow.arguments import MAX_STEPS, check_integer
from rbmflow.ising.lattice import Lattice
from rbmflow.netcdf import require_xarray
from rbmflow.records.storage import digest
from rbmflow.sampling.exchange import Exchange, replica_exchange
from rbmflow.sampling.reducibility import Order, Rule
from rbmflow.sampling.schedule import Piece
from rbmflow.sampling.starts import Start
from rbmflow.sampling.stored_run import StoredRun
from rbmflow.sampling.writing import Process, digest_of, digest_of_lattice, written
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


def write_exchange(
    path: str | os.PathLike[str],
    lattice: Lattice,
    couplings: ArrayLike,
    *,
    n_ladders: int = 1,
    n_sweeps: int,
    thin: int = 1,
    burn_in: int = 0,
    rule: Rule = "heat_bath",
    order: Order | None = None,
    rng: RNGLike = None,
    initial: Start | ArrayLike | Exchange = "random",
    field: float = 0.0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    allow_reducible: bool = False,
) -> StoredRun:
    """Run the ladders of `replica_exchange` into a netCDF file, as `write_run` does with chains.

    Interrupted, killed at any moment or without power, it goes on where the same arguments are given again,
    with a seed: the same bits as of one that was not.

    Time O(sites) for each sweep, ladder and coupling.

    Parameters
    ----------
    path : path-like
        The file, by custom ``.nc``.
    lattice : Lattice
        Where the spins are.
    couplings : array_like
        The ladder, see `replica_exchange`.
    n_ladders, n_sweeps, thin, burn_in
        As for `replica_exchange`; at least one measurement is needed.
    rule, order, rng, initial, field
        As for `replica_exchange`.
    n_threads, progress, allow_reducible
        As for `replica_exchange`.

    Returns
    -------
    StoredRun
        The file; its chains are those at each coupling of each ladder. ``xarray.open_dataset`` opens it in
        the layout of `Exchange.to_xarray`.

    Raises
    ------
    ImportError
        Without the extra ``data`` (xarray and h5netcdf).
    ValueError
        If `path`, or what an interrupted run left of it, is of other arguments.
    ReducibleChainError
        As `run`.

    See Also
    --------
    replica_exchange : In memory.

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import Torus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/torus.nc"
    ...     ladders = write_exchange(path, Torus(8, 8), [0.3, 0.4], n_ladders=4, n_sweeps=200, rng=1)
    ...     abs(ladders.estimate("energy", K=0.4).deviation(Torus(8, 8).energy(0.4))) < 4
    True
    """
    require_xarray()  # before work that could not be written
    thin = check_integer("thin", thin, 1, MAX_STEPS)
    rounds = {"thin": 1}
    for name, value, least in (("n_sweeps", n_sweeps, 1), ("burn_in", burn_in, 0)):
        if check_integer(name, value, least, MAX_STEPS) % thin:
            raise ValueError(f"{name}={value}: a multiple of thin={thin} is needed")
        rounds[name] = value // thin
    progress = check_progress(progress)
    how: dict[str, Any] = {
        "thin": thin,
        "rule": rule,
        "order": order,
        "field": field,
        "n_threads": n_threads,
        "allow_reducible": allow_reducible,
    }
    start = replica_exchange(
        lattice, couplings, n_ladders=n_ladders, n_sweeps=0, rng=rng, initial=initial, **how
    )
    ladders = start._ladders
    if not isinstance(initial, Exchange):
        ladders = replace(ladders, turn=-rounds["burn_in"])  # as of one that is not divided
    begin = replace(start, _ladders=ladders)

    def more(now: Exchange, piece: Piece, progress: Progress | None) -> Exchange:
        lengths: Any = {"n_sweeps": thin * piece.n_sweeps, "burn_in": thin * piece.burn_in}
        return replica_exchange(begin.lattice, begin.K, initial=now, progress=progress, **lengths, **how)

    content = ladders._content()
    asked = {
        "sweeps to a round": thin,
        "lattice": digest_of_lattice(begin.lattice),
        "couplings": digest(begin.K),
        "rule": begin.rule,
        "order": begin.order,
        "field": begin.field,
        "rng or initial": [
            digest(begin.spins),
            digest(ladders.generators),
            digest_of(content["source"]),
            digest(ladders.rungs.chain),
            ladders.turn,
        ],
    }
    process = Process(begin, rounds, asked, thin * begin.spins.size, more, 1)
    return written(Path(path), process, progress)
