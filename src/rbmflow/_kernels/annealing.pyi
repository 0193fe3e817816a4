from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Real = TypeVar("_Real", np.float32, np.float64)

def work_size(n_visible: int, n_hidden: int, n_chains: int, double_precision: bool) -> int: ...
def anneal(
    weights: npt.NDArray[_Real],
    visible_bias: npt.NDArray[_Real],
    hidden_bias: npt.NDArray[_Real],
    betas: npt.NDArray[np.float64],
    first: int,
    last: int,
    visible: npt.NDArray[np.int8],
    log_weights: npt.NDArray[np.float64],
    generator: npt.NDArray[np.uint64],
    before: int,
    after: int,
    work: npt.NDArray[np.uint8],
    level: int,
) -> None: ...
