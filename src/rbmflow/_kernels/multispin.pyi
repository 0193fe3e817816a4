import numpy as np
import numpy.typing as npt

def run(
    spins: npt.NDArray[np.uint64],
    state: npt.NDArray[np.uint64],
    neighbours: npt.NDArray[np.int32],
    order: npt.NDArray[np.int32],
    metropolis: bool,
    negative: npt.NDArray[np.uint64],
    active: npt.NDArray[np.uint64],
    digits: npt.NDArray[np.uint64],
    thin: int,
    energy: npt.NDArray[np.int32],
    magnetization: npt.NDArray[np.int32],
    samples: npt.NDArray[np.int8],
    level: int,
) -> None: ...
def run_mixed(
    spins: npt.NDArray[np.uint64],
    state: npt.NDArray[np.uint64],
    inputs: npt.NDArray[np.int32],
    signs: npt.NDArray[np.uint8],
    degrees: npt.NDArray[np.uint8],
    order: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    bond_signs: npt.NDArray[np.uint8],
    metropolis: bool,
    negative: npt.NDArray[np.uint64],
    active: npt.NDArray[np.uint64],
    digits: npt.NDArray[np.uint64],
    thin: int,
    energy: npt.NDArray[np.int32],
    magnetization: npt.NDArray[np.int32],
    samples: npt.NDArray[np.int8],
    level: int,
) -> None: ...
def pack(spins: npt.NDArray[np.int8], out: npt.NDArray[np.uint64], level: int) -> None: ...
def unpack(spins: npt.NDArray[np.uint64], out: npt.NDArray[np.int8], level: int) -> None: ...
