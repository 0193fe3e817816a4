"""What was found of a critical point, and its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import IO, Any, ClassVar

from rbmflow.estimate import with_error
from rbmflow.experiments.critical_point.parameters import Parameters
from rbmflow.experiments.experiment import Result
from rbmflow.experiments.tables import Table
from rbmflow.reading import check_names, seal, unseal

TABLES = ("critical_point", "crossings", "sizes", "peaks", "curves")


@dataclass(frozen=True, eq=False)
class CriticalPoint(Result):
    """The critical coupling and exponents of a lattice.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``critical_point``: K_c, 1/ν, γ/ν and −β/ν with errors, beside what is known, the difference in
        standard errors and relative to it. What that rests on: ``crossings`` of pairs of sizes; ``sizes``, at
        the coupling where each has the Binder cumulant of the last crossing; ``peaks``; ``curves``.
    """

    parameters: Parameters
    tables: dict[str, Table]
    what: ClassVar[str] = "a critical point"

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        tables = {name: asdict(table) for name, table in self.tables.items()}
        stream.write(seal({"parameters": self.parameters.to_json(), "tables": tables}).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> CriticalPoint:
        """Return the result in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "tables"})
        plain = check_names("tables", found["tables"], set(TABLES))
        tables = {name: Table.from_json(f"table {name}", plain[name]) for name in TABLES}
        return cls(Parameters.from_json(found["parameters"]), tables)

    def value(self, quantity: str, by: str) -> dict[str, Any] | None:
        """Return the row of the first table for a quantity and how it was found, or None."""
        columns = self.tables["critical_point"].columns
        for row in zip(*columns.values(), strict=True):
            if row[:2] == (quantity, by):
                return dict(zip(columns, row, strict=True))
        return None

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return the verdict."""
        said = []
        for quantity, by in (
            ("K_c", "crossings of binder_cumulant"),
            ("1/nu", "binder_cumulant_slope"),
            ("gamma/nu", "susceptibility"),
        ):
            row = self.value(quantity, by)
            if row is not None:
                number = with_error(row["value"], row["stderr"])
                said.append(
                    f"{quantity} = {number}, known {row['exact']:.7g}: {row['deviation']:+.1f} standard "
                    f"errors, {100 * row['relative']:+.2f} %"
                )
        return said
