import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.int8],
    state: npt.NDArray[np.uint64],
    indptr: npt.NDArray[np.int32],
    indices: npt.NDArray[np.int32],
    couplings: npt.NDArray[np.float64],
    fields: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    n_attempts: int,
    rule: int,
    K: float,
    chances: npt.NDArray[np.float64],
    thin: int,
    energy: npt.NDArray[np.float64],
    magnetization: npt.NDArray[np.int64],
    samples: npt.NDArray[np.int8],
) -> None: ...
