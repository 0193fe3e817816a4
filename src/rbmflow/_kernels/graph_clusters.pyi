import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.int8],
    state: npt.NDArray[np.uint64],
    indptr: npt.NDArray[np.int32],
    sources: npt.NDArray[np.int32],
    indices: npt.NDArray[np.int32],
    couplings: npt.NDArray[np.float64],
    cuts: npt.NDArray[np.float64],
    sign: int,
    single: bool,
    thin: int,
    energy: npt.NDArray[np.float64],
    magnetization: npt.NDArray[np.int64],
    clusters: npt.NDArray[np.float64],
    samples: npt.NDArray[np.int8],
    marks: npt.NDArray[np.int8],
    work: npt.NDArray[np.int32],
) -> None: ...
