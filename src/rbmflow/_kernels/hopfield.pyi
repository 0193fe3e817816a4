from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Coupling = TypeVar("_Coupling", np.int8, np.int16, np.float64)
_Field = TypeVar("_Field", np.int16, np.int32, np.float64)

def padded(n_units: int) -> int: ...
def table_bytes() -> int: ...
def visits() -> int: ...
def sum_fields(
    couplings: npt.NDArray[_Coupling],
    biases: npt.NDArray[_Field],
    spins: npt.NDArray[np.int8],
    entries: npt.NDArray[np.uint16],
    table: npt.NDArray[_Field],
    fields: npt.NDArray[_Field],
    level: int,
) -> None: ...
def relax(
    couplings: npt.NDArray[_Coupling],
    order: npt.NDArray[np.int32],
    clamped: npt.NDArray[np.uint8],
    among: npt.NDArray[_Coupling],
    spins: npt.NDArray[np.int8],
    fields: npt.NDArray[_Field],
    sweeps: npt.NDArray[np.int64],
    settled: npt.NDArray[np.uint8],
    level: int,
) -> None: ...
