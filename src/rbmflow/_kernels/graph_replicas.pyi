import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.uint64],
    generators: npt.NDArray[np.uint64],
    K: npt.NDArray[np.float32],
    indptr: npt.NDArray[np.int32],
    indices: npt.NDArray[np.int32],
    weights: npt.NDArray[np.int32],
    bases: npt.NDArray[np.int32],
    units: npt.NDArray[np.float32],
    order: npt.NDArray[np.int32],
    choosers: npt.NDArray[np.uint64],
    drawn: npt.NDArray[np.int32],
    metropolis: bool,
    thin: int,
    ends: npt.NDArray[np.int32],
    walls: npt.NDArray[np.float64],
    downs: npt.NDArray[np.float64],
    ground: float,
    energy: npt.NDArray[np.float64],
    magnetization: npt.NDArray[np.float64],
    samples: npt.NDArray[np.int8],
    level: int,
) -> None: ...
def pack(spins: npt.NDArray[np.int8], out: npt.NDArray[np.uint64]) -> None: ...
def unpack(spins: npt.NDArray[np.uint64], out: npt.NDArray[np.int8], level: int) -> None: ...
def colour(
    indptr: npt.NDArray[np.int32],
    indices: npt.NDArray[np.int32],
    colours: npt.NDArray[np.int32],
    marks: npt.NDArray[np.int32],
) -> None: ...
