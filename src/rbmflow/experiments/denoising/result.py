"""Tables of the experiment with noise, its file, and what it says of the thesis' remark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.denoising.machines import MACHINES
from rbmflow.experiments.denoising.parameters import Parameters
from rbmflow.experiments.experiment import Result
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.reading import check_names, seal, unseal

GUESSES = ("noisy", "best", "expected")
"""What stands beside the machines: what was seen, the best estimate, and how good that takes itself for."""
NUMBERS = ("overlap", "stderr", "gain", "gain_stderr")
"""Of each guess: overlap with the clean configuration, what it has beyond the noisy one, and their errors."""
SIGNIFICANT = 3.0  # standard errors of a gain that is believed
ROUNDING = 1e-12
CASE = ("lattice", "K", "error_rate")
SUMMARY: tuple[str, ...] = (*CASE, "noisy", "best", "best_gain", "best_gain_stderr", "expected")
SUMMARY += tuple(f"{name}{what}" for name in MACHINES for what in ("", "_step", "_gain_stderr", "_last"))
TABLES = ("denoising", "overlaps", "line")


@dataclass(frozen=True)
class Denoising(Result):
    """Overlaps with the clean configuration, and the couplings from which on noise can be mended.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``denoising``, for each lattice, coupling and error rate the overlaps of the noisy configuration, the
        best estimate and each machine at its best step, and at the last; ``overlaps``, all steps; ``line``,
        K*(ε). What is exact has errors of 0.
    """

    parameters: Parameters
    tables: dict[str, Table] = field(repr=False)
    what: ClassVar[str] = "a result on noise"

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        tables = {name: asdict(table) for name, table in self.tables.items()}
        stream.write(seal({"parameters": self.parameters.to_json(), "tables": tables}).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> Denoising:
        """Return the result in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "tables"})
        plain = check_names("tables", found["tables"], set(TABLES))
        tables = {name: Table.from_json(f"table {name}", plain[name]) for name in TABLES}
        return cls(Parameters.from_json(found["parameters"]), tables)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the summary."""
        columns = self.tables["denoising"].columns
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def lines(self) -> list[str]:
        """Return for each lattice, coupling and rate what is gained, and by whom."""
        return [_line(row) for row in self.rows]

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return the verdict."""
        return [self.verdict()]

    def verdict(self) -> str:
        """Return what became of the remark that noise increases along the flow."""
        mendable = [row for row in self.rows if gains(row, "best")]
        if not mendable:
            return "noise can be taken out in no case beyond three standard errors"
        here = {name: [row for row in mendable if row[name] is not None] for name in MACHINES}
        said = (
            f"of the {name} machine in {sum(gains(row, name) for row in rows)} of {len(rows)}"
            for name, rows in here.items()
            if rows
        )
        return (
            f"noise can be taken out in {len(mendable)} of {len(self.rows)} cases; the best step of the flow "
            f"does so {', '.join(said)}: whether noise increases along the flow is a matter of the machine"
        )


def gains(row: dict[str, Any], name: str) -> bool:
    """Whether a guess has a larger overlap than the noisy configuration, beyond errors and rounding."""
    gain = row["best_gain"] if name == "best" else (row[name] or 0.0) - row["noisy"]
    return bool(gain > max(SIGNIFICANT * (row[f"{name}_gain_stderr"] or 0.0), ROUNDING))


def _line(row: dict[str, Any]) -> str:
    start = f"{row['lattice']}, K = {row['K']:.4g}, noise {row['error_rate']:g}: noisy {row['noisy']:.4f}"
    best = f"best {row['best']:.4f}" + ("" if gains(row, "best") else ", within errors")
    if row["best_gain"] <= ROUNDING and not row["best_gain_stderr"]:
        best = "nothing to gain"
    machines = (
        f"{name} {row[name]:.4f} (step {row[f'{name}_step']})" for name in MACHINES if row[name] is not None
    )
    return f"{start}, {best}; {', '.join(machines)}"


def tables_of(parameters: Parameters, found: FloatArray) -> dict[str, Table]:
    """Return the tables of numbers of shape (cases, rates, guesses and steps, NUMBERS)."""
    labels = [(lattice.label, K) for lattice, K in parameters.cases]
    summary, overlaps = [], []
    for (label, K), of_case in zip(labels, found, strict=True):
        for rate, numbers in zip(parameters.error_rates, of_case, strict=True):
            noisy, best, expected = numbers[: len(GUESSES)].tolist()
            row = [label, K, rate, noisy[0], best[0], best[2], best[3], expected[0]]
            for name, steps in _of_machines(parameters, numbers):
                overlaps += [
                    (label, K, rate, name, step, *values)
                    for step, values in enumerate(steps.tolist(), 1)
                    if not np.isnan(values[0])
                ]
                row += _best_step(steps)
            summary.append(row)
    names = (*CASE, "machine", "step", *NUMBERS)
    return {
        "denoising": Table("Overlap with the clean configuration", columns_of(SUMMARY, summary)),
        "overlaps": Table("Overlap along the flow, step by step", columns_of(names, overlaps)),
    }


def _of_machines(parameters: Parameters, numbers: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    steps = numbers[len(GUESSES) :].reshape(len(MACHINES), parameters.n_steps, len(NUMBERS))
    yield from zip(MACHINES, steps, strict=True)


def _best_step(steps: FloatArray) -> list[Any]:
    """Overlap at the best step, the step, the error of its gain, overlap at the last step."""
    if np.isnan(steps[0, 0]):
        return [None] * 4
    at = int(steps[:, 0].argmax())
    return [float(steps[at, 0]), at + 1, float(steps[at, 3]), float(steps[-1, 0])]
