from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", np.float32, np.float64)

def sample(
    activations: npt.NDArray[_Real], generator: npt.NDArray[np.uint64], out: npt.NDArray[_Real], level: int
) -> None: ...
