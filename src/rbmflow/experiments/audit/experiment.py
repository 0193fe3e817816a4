"""The parts of an audit, one after the other; those that an interrupted run finished are not done again."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from typing import Any

from rbmflow.arguments import SpinArray, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.audit.chains import chains
from rbmflow.experiments.audit.findings import findings
from rbmflow.experiments.audit.result import Audit, Parameters, read_tables
from rbmflow.experiments.audit.static import couplings, likelihood, mean_field
from rbmflow.experiments.tables import Table
from rbmflow.hardware import resolve_threads
from rbmflow.networks import RBM
from rbmflow.reading import seal, unseal
from rbmflow.spins import check_spins
from rbmflow.workers import Progress


def run(
    parameters: Parameters,
    model: RBM,
    rows: SpinArray | None = None,
    *,
    rng: Any,
    machine: str = "a machine",
    executor: Executor | None = None,  # noqa: ARG001 (parts are few, and use threads)
    checkpoints: Checkpoints | None = None,
    progress: Progress | None = None,
    n_threads: int | None = None,
) -> Audit:
    """Look at a machine from all sides.

    Parameters
    ----------
    parameters : Parameters
        How closely.
    model : RBM
        The machine.
    rows : numpy.ndarray of int8, shape (n_rows, n_visible), optional
        What it was trained on, or held out from it; without them what needs data is left out.
    rng : numpy.random.Generator or int
        Generator or seed; each part has a child of its own.
    machine : str
        What to call it.
    executor : concurrent.futures.Executor, optional
        Without effect.
    checkpoints : Checkpoints, optional
        Where finished parts are kept, of these parameters, this machine, these rows and this seed.
    progress : callable, optional
        Called as ``progress(parts done, parts)``.
    n_threads : int, optional
        Threads; the result does not depend on them.

    Returns
    -------
    Audit
        Findings and tables.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> quick = Parameters(n_chains=10, n_sweeps=50, n_temperatures=10, n_starts=4)
    >>> found = run(quick, RBM.local_ring(6, 0.5), Ring(6).sample(0.5, 200, rng=1), rng=1)
    >>> found.tables["likelihood"].columns["mean"][3] > 0.2
    True
    """
    if not isinstance(model, RBM):
        raise TypeError(f"model={shown(model)}: an RBM is needed")
    if rows is not None:
        rows = check_spins("rows", rows, model.n_visible)
        if rows.ndim != 2 or len(rows) < 2:
            raise ValueError(f"rows has shape {rows.shape}: (n, {model.n_visible}) is needed, n at least 2")
    threads, sources = resolve_threads(n_threads), check_rng(rng).spawn(4)
    parts = {
        "likelihood": partial(likelihood, parameters, model, rows, sources[0], threads),
        "mean_field": partial(mean_field, parameters, model, rows, sources[1]),
        "couplings": partial(couplings, model, sources[2]),
        "chains": partial(chains, parameters, model, rows, sources[3], threads),
    }
    tables: dict[str, Table] = {}
    for done, (name, part) in enumerate(parts.items(), 1):
        kept = None if checkpoints is None else checkpoints.load(name, _read)
        found = part() if kept is None else kept
        if kept is None and checkpoints is not None:
            content = seal({key: asdict(table) for key, table in found.items()}).encode()
            checkpoints.store(name, lambda stream, content=content: stream.write(content))  # type: ignore[misc]
        tables |= found
        if progress is not None:
            progress(done, len(parts))
    return Audit(
        parameters, machine, {"findings": findings(tables), "machine": _sizes(model, rows), **tables}
    )


def _read(content: bytes) -> dict[str, Table]:
    return read_tables(unseal(content))


def _sizes(model: RBM, rows: SpinArray | None) -> Table:
    facts: dict[str, Any] = {
        "visible units": model.n_visible,
        "hidden units": model.n_hidden,
        "rows": None if rows is None else len(rows),
        "root mean square weight": float((model.weights**2).mean() ** 0.5),
        "largest weight": float(abs(model.weights).max()),
        "largest visible bias": float(abs(model.visible_bias).max()),
        "largest hidden bias": float(abs(model.hidden_bias).max()),
    }
    return Table(
        "The machine, in ±1 units at temperature 1", {"fact": list(facts), "value": list(facts.values())}
    )
