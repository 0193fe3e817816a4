import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.int8],
    state: npt.NDArray[np.uint64],
    sign: int,
    cut: float,
    single: bool,
    thin: int,
    energy: npt.NDArray[np.int64],
    magnetization: npt.NDArray[np.int64],
    clusters: npt.NDArray[np.float64],
    samples: npt.NDArray[np.int8],
    words: npt.NDArray[np.uint64],
    numbers: npt.NDArray[np.int32],
    marks: npt.NDArray[np.uint8],
    level: int,
) -> None: ...
