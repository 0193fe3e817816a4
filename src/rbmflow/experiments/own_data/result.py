"""A trained machine with its tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import IO, ClassVar

import numpy as np

from rbmflow.experiments.experiment import Result
from rbmflow.experiments.own_data.parameters import Parameters
from rbmflow.experiments.tables import Table
from rbmflow.likelihood import LogPartition
from rbmflow.networks import RBM
from rbmflow.reading import check_names, seal, unseal

MODEL = ("weights", "visible_bias", "hidden_bias")


@dataclass(frozen=True)
class TrainedMachine(Result):
    """The machine and its tables: ``likelihood``, ``history`` and ``weights``.

    Attributes
    ----------
    model : RBM
        The machine.
    log_partition : LogPartition
        Its ln Z.
    tables : dict of str to Table
        For the command line and the figure.
    parameters : Parameters
        What was asked.
    """

    model: RBM
    log_partition: LogPartition
    tables: dict[str, Table] = field(repr=False)
    parameters: Parameters
    what: ClassVar[str] = "a machine trained on data"

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        plain = {
            "parameters": self.parameters.to_json(),
            "model": {name: getattr(self.model, name).tolist() for name in MODEL},
            "log_partition": asdict(self.log_partition),
            "tables": {name: asdict(table) for name, table in self.tables.items()},
        }
        stream.write(seal(plain).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> TrainedMachine:
        """Return the machine in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "model", "log_partition", "tables"})
        model = check_names("model", found["model"], set(MODEL))
        ln_z = check_names(
            "log_partition", found["log_partition"], {one.name for one in fields(LogPartition)}
        )
        if not all(isinstance(value, (int, float)) for value in ln_z.values()):
            raise ValueError("log_partition: numbers are needed")
        return cls(
            RBM(*(np.array(model[name], dtype=np.float64) for name in MODEL)),
            LogPartition(**ln_z),
            {name: Table.from_json(f"table {name}", table) for name, table in found["tables"].items()},
            Parameters.from_json(found["parameters"]),
        )
