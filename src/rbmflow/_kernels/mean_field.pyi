from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", np.float32, np.float64)

def tanh(x: npt.NDArray[_Real], level: int) -> None: ...
def iterate(
    up: npt.NDArray[_Real],
    down: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    values: npt.NDArray[_Real],
    n_steps: int,
    level: int,
) -> None: ...
