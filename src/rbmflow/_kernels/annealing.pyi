from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", np.float32, np.float64)

def anneal(
    weights: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    betas: npt.NDArray[np.float64],
    visible: npt.NDArray[np.int8],
    log_weights: npt.NDArray[np.float64],
    generator: npt.NDArray[np.uint64],
    level: int,
) -> None: ...
