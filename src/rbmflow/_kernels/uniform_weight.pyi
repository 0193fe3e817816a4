import numpy as np
import numpy.typing as npt

def solve_ring(
    couplings: npt.NDArray[np.float64],
    n_visible: int,
    n_hidden: float,
    weights: npt.NDArray[np.float64],
    level: int,
) -> int: ...
