"""A process in pieces, into a file: parts and states as they come, the file of all parts in the end."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from rbmflow.checkpoints import Checkpoints
from rbmflow.files import save_atomically
from rbmflow.ising.lattice import Lattice
from rbmflow.locks import locked
from rbmflow.provenance import version_of
from rbmflow.records.storage import pack, unpack
from rbmflow.sampling.parts import Parts
from rbmflow.sampling.run import shifted
from rbmflow.sampling.run_file import ARGUMENTS, row_bytes, write_slabs
from rbmflow.sampling.schedule import PIECE_BYTES, Piece, pieces
from rbmflow.sampling.stored_run import StoredRun, open_run
from rbmflow.workers import Progress

PARTIAL = ".partial"
SECONDS = 5.0
"""Between two states that are kept."""


@dataclass(frozen=True)
class Process:
    """What is to be run, in units of sweeps that are not divided.

    Attributes
    ----------
    begin : Run or Exchange
        Before the first sweep.
    lengths : dict of str to int
        ``n_sweeps``, ``thin`` and ``burn_in`` of the whole, in units.
    asked : dict
        What else the series depend on, as JSON holds it.
    spins : int
        Those that a unit updates.
    more : callable
        ``more(now, piece, progress)`` goes on from a record, and gives the next with its measurements.
    n_chains : int
        What the progress of a unit counts.
    """

    begin: Any
    lengths: dict[str, int]
    asked: dict[str, Any]
    spins: int
    more: Callable[[Any, Piece, Progress | None], Any]
    n_chains: int

    @property
    def arguments(self) -> dict[str, Any]:
        """All that the series depend on; of what is large digests."""
        return self.lengths | self.asked

    @property
    def n_draws(self) -> int:
        """Measurements of each chain."""
        return self.draws(self.lengths["burn_in"] + self.lengths["n_sweeps"])

    def draws(self, done: int) -> int:
        """Return how many measurements have been taken after so many units."""
        swept = min(max(0, done - self.lengths["burn_in"]), self.lengths["n_sweeps"])
        return swept // self.lengths["thin"]

    @property
    def total(self) -> int:
        """What the progress counts to."""
        return self.n_chains * (self.lengths["burn_in"] + self.lengths["n_sweeps"])


def written(path: Path, process: Process, progress: Progress | None) -> StoredRun:
    """Return the file of a process; what an interrupted one left is gone on with, what is whole is opened."""
    partial_run, digest = path.with_name(path.name + PARTIAL), digest_of(process.arguments)
    if path.exists():
        found = open_run(path)
        if found.arguments != digest:
            raise ValueError(
                f"path={str(path)!r} is there already, of a run with other arguments or another version of "
                "rbmflow: give another, or remove it"
            )
        if partial_run.exists():  # killed before it was removed
            Checkpoints(partial_run, process.arguments).remove()
        if progress is not None:
            progress(process.total, process.total)
        return found
    with locked(partial_run):
        parts = Parts(Checkpoints(partial_run, process.arguments, SECONDS), process.begin.lattice.n_sites)
        end = _go_on(parts, process, progress)
        save_atomically(path, lambda stream: _join(stream, parts, process, end))
        parts.kept.remove()
    return open_run(path)


def _go_on(parts: Parts, process: Process, progress: Progress | None) -> Any:
    """Run from where the parts end to the end, and return the record there, without measurements."""
    before = parts.state(partial(_stand, type(process.begin)))
    done, now = before or (0, process.begin)
    begun, end = done, process.lengths["burn_in"] + process.lengths["n_sweeps"]
    n_bytes = _draw_bytes(process.begin.to_xarray())
    for piece in pieces(**process.lengths, spins=process.spins, draw_bytes=n_bytes, after=done):
        now = process.more(now, piece, shifted(progress, process.n_chains * done, process.total))
        done += piece.total
        if piece.n_draws:
            parts.add({name: one.values for name, one in now.to_xarray().data_vars.items()})
        now = now._without_series()
        if parts.due or done == end:
            parts.write(process.draws(begun), json.dumps(done).encode() + b"\n" + _as_bytes(now))
            begun = done
    return now


def _stand(kind: Any, content: bytes) -> tuple[int, Any]:
    """Return how many units are done, and the record after them."""
    done, _, record = content.partition(b"\n")
    return int(done), unpack(kind, record)


def _join(stream: IO[bytes], parts: Parts, process: Process, end: Any) -> None:
    """Write the file of all parts."""
    layout, n_draws = end.to_xarray(), process.n_draws
    slabs = parts.slabs(n_draws, max(1, PIECE_BYTES // _draw_bytes(layout)))
    attributes = {ARGUMENTS: digest_of(process.arguments)}
    write_slabs(stream, layout, n_draws, slabs, _as_bytes(end), attributes)


def _draw_bytes(layout: Any) -> int:
    """Return the size of a measurement of all chains."""
    return sum(row_bytes(one) for one in layout.data_vars.values())


def _as_bytes(record: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **pack(record))
    return stream.getvalue()


def digest_of_lattice(lattice: Lattice) -> str:
    """Return what names a lattice, however large it is."""
    return f"{lattice.label} {digest_of(lattice.to_json())}"


def digest_of(plain: dict[str, Any]) -> str:
    """Return a SHA-256 of what JSON holds, and of the version."""
    text = json.dumps({"version": version_of(), **plain}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
