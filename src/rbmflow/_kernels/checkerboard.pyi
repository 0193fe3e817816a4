import numpy as np
import numpy.typing as npt

def work_size(n_rows: int, n_cols: int) -> int: ...
def run(
    spins: npt.NDArray[np.int8],
    state: npt.NDArray[np.uint64],
    rule: int,
    digits: npt.NDArray[np.int8],
    few: int,
    last: int,
    thin: int,
    energy: npt.NDArray[np.int64],
    magnetization: npt.NDArray[np.int64],
    samples: npt.NDArray[np.int8],
    work: npt.NDArray[np.uint8],
    level: int,
) -> None: ...
