import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.int8],
    state: npt.NDArray[np.uint64],
    sign: int,
    cut: float,
    n_clusters: int,
    thin: int,
    energy: npt.NDArray[np.int64],
    magnetization: npt.NDArray[np.int64],
    samples: npt.NDArray[np.int8],
    work: npt.NDArray[np.int32],
    level: int,
) -> int: ...
