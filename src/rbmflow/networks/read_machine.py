"""Machines trained with other programs: their names of arrays, their layouts, units and temperatures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_choice, check_flag, shown
from rbmflow.networks.archives import Archive, read_archive
from rbmflow.networks.parameters import finite_number
from rbmflow.networks.rbm import RBM
from rbmflow.networks.storage import HEADER
from rbmflow.reading import brief, refusing
from rbmflow.records import Record

Units = Literal["binary", "spins"]
UNITS: tuple[Units, ...] = ("binary", "spins")
ROLES = {
    "weights": "weights weight w weight_matrix components_",
    "visible_bias": "visible_bias visible_biases vbias v_bias bias_visible bias_v b_v bv intercept_visible_",
    "hidden_bias": "hidden_bias hidden_biases hbias h_bias bias_hidden bias_h b_h bh intercept_hidden_",
}
"""What programs call them. A letter alone may be the bias of either layer."""
SKLEARN = "components_"


@dataclass(frozen=True, eq=False)
class ReadMachine(Record):
    """A machine and where it comes from.

    Attributes
    ----------
    model : RBM
        The machine, of ±1 units at temperature 1.
    origin : str
        The kind of file and the units that it was trained with.
    """

    model: RBM
    origin: str


def read_machine(
    path: str | os.PathLike[str],
    *,
    units: Units | None = None,
    transposed: bool | None = None,
    temperature: float = 1.0,
    update: int | None = None,
    names: Mapping[str, str] | None = None,
) -> RBM:
    """Return a machine trained with another program, as one of ±1 units at temperature 1 with the same law.

    Read are archives of the package ``rbms`` (HDF5, 0/1 units), arrays of scikit-learn's ``BernoulliRBM``
    saved by ``np.savez`` under the names of its attributes, arrays under other usual names in npz, HDF5 or
    safetensors, and the files of `RBM.save`. What a file does not tell is asked for, not guessed. Pickles are
    refused, as they are programs.

    Parameters
    ----------
    path : path-like
        The file; its content tells its kind.
    units : {"binary", "spins"}, optional
        Whether the units are 0 and 1 or −1 and +1. Archives of ``rbms``, scikit-learn's names and files of
        this package say it.
    transposed : bool, optional
        Whether the weights have the shape ``(n_hidden, n_visible)``; needed where the lengths of the biases
        leave it open and the names do not say it.
    temperature : float
        T of ``p ∝ e^(−E/T)``, ``E = −(vᵀWh + b·v + c·h)`` with the parameters as they stand in the file, not
        0. It is 1/β for ``rbms --beta``; 2 for ±1 units that are up with probability ``1/(1 + e^(−a))`` at
        the field a instead of ``1/(1 + e^(−2a))``; −1 for an energy written with plus signs.
    update : int, optional
        Which update of an archive of ``rbms``; by default the last.
    names : dict of str to str, optional
        What the arrays ``"weights"``, ``"visible_bias"`` and ``"hidden_bias"`` are called in the file, where
        that is not a usual name.

    Returns
    -------
    RBM
        The machine. A bias that the file lacks is 0.

    Raises
    ------
    OSError
        If the file cannot be read.
    ImportError
        If it is HDF5 and h5py is absent.
    ValueError
        If it holds no machine, or what it holds can be read in more than one way.

    See Also
    --------
    RBM.from_binary : Parameters of 0/1 units.
    rbmflow.experiments.audit.run : What the machine is worth.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/machine.npz", W=[[4.0], [0.0]], vbias=[0, 0], hbias=[0])
    ...     read_machine(f"{folder}/machine.npz", units="binary").weights
    array([[1.],
           [0.]])
    """
    return found_machine(
        path, units=units, transposed=transposed, temperature=temperature, update=update, names=names
    ).model


def found_machine(
    path: str | os.PathLike[str],
    *,
    units: str | None = None,
    transposed: bool | None = None,
    temperature: float = 1.0,
    update: int | None = None,
    names: Mapping[str, str] | None = None,
) -> ReadMachine:
    """Return what `read_machine` reads, and where it comes from."""
    T = finite_number("temperature", temperature)
    if not T:
        raise ValueError(f"temperature={shown(temperature)}: a number that is not 0 is needed")
    if units is not None:
        check_choice("units", units, UNITS)
    if transposed is not None:
        transposed = check_flag("transposed", transposed)
    chosen = _check_names(names)
    source = Path(path)
    archive = read_archive(source, update)
    if HEADER in archive.arrays:
        return _own(source, units, transposed, T, chosen)
    arrays = _picked(source, archive, chosen)
    layout, binary = _conventions(source, archive, arrays, units, transposed)
    weights, b, c = _laid_out(source, arrays, layout)
    with refusing(source, "a machine"), np.errstate(over="ignore"):
        scaled = [None if one is None else one.astype(np.float64) / T for one in (weights, b, c)]
        model = RBM.from_binary(*scaled) if binary else RBM(*scaled)  # type: ignore[arg-type]
    facts = _program(archive, arrays), archive.detail, f"{'0/1' if binary else '±1'} units"
    at = "" if T == 1 else f"temperature {T:g}"
    return ReadMachine(model, ", ".join(filter(None, (*facts, at))))


def _check_names(names: object) -> dict[str, str]:
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        raise TypeError(f"names={shown(names)}: a dict from {', '.join(ROLES)} to names is needed")
    for role, name in names.items():
        if role not in ROLES or not isinstance(name, str):
            raise ValueError(f"names={shown(names)}: names of {', '.join(ROLES)} are needed")
    return dict(names)


def _own(
    source: Path, units: str | None, transposed: bool | None, temperature: float, names: dict[str, str]
) -> ReadMachine:
    """Return a machine that `RBM.save` wrote."""
    if units == "binary" or transposed or temperature != 1 or names:
        raise ValueError(
            f"{source}: a machine of rbmflow has ±1 units, weights of shape (n_visible, n_hidden) and "
            "temperature 1; leave out what says otherwise"
        )
    return ReadMachine(RBM.load(source), "rbmflow, ±1 units")


def _program(archive: Archive, arrays: Mapping[str, tuple[str, Any]]) -> str:
    if archive.kind == "rbms":
        return "an archive of rbms"
    return f"scikit-learn's arrays in {archive.kind}" if _of_sklearn(arrays) else f"arrays in {archive.kind}"


def _of_sklearn(arrays: Mapping[str, tuple[str, Any]]) -> bool:
    return _bare(arrays["weights"][0]) == SKLEARN


def _bare(name: str) -> str:
    """Return the name of an array without those of what it is part of."""
    return name.replace("/", ".").rpartition(".")[2].lower()


def _picked(source: Path, archive: Archive, names: dict[str, str]) -> dict[str, tuple[str, npt.NDArray[Any]]]:
    """Return names and arrays by role, or raise where it is open which array plays one."""
    there = brief(", ".join(f"{name} {one.shape}" for name, one in archive.arrays.items()) or "no array")
    found = {}
    for role, words in ROLES.items():
        fitting = [name for name in archive.arrays if _bare(name) in words.split()]
        if role in names:
            if names[role] not in archive.arrays:
                raise ValueError(f"names: {source} has no {shown(names[role])}; it holds {there}")
            fitting = [names[role]]
        if len(fitting) > 1 or (role == "weights" and not fitting):
            raise ValueError(
                f"{source}: it is open which array is {role}; it holds {there}; names= says which"
            )
        if fitting:
            found[role] = fitting[0], archive.arrays[fitting[0]]
    shape = found["weights"][1].shape
    taken = {name for name, _ in found.values()}
    for name, one in archive.arrays.items():
        if len(found) < 3 and name not in taken and one.ndim == 1 and len(one) in shape:
            raise ValueError(
                f"{source}: {brief(name)} may be a bias, under a name that does not say of which layer; it "
                f"holds {there}; names= says which"
            )
    return found


def _conventions(
    source: Path,
    archive: Archive,
    arrays: dict[str, tuple[str, npt.NDArray[Any]]],
    units: str | None,
    transposed: bool | None,
) -> tuple[bool | None, bool]:
    """Return whether the weights are transposed, None if that is open, and whether the units are 0/1."""
    lacking = [role for role in ROLES if role not in arrays]
    if lacking and (archive.kind == "rbms" or _of_sklearn(arrays)):
        raise ValueError(f"{source}: {_program(archive, arrays)} without {' and '.join(lacking)}")
    if archive.kind == "rbms":
        if units == "spins" or transposed:
            raise ValueError(
                f"{source}: an archive of rbms has 0/1 units and weights of shape (n_visible, n_hidden); "
                "leave out what says otherwise"
            )
        return False, True
    if _of_sklearn(arrays):
        return True if transposed is None else transposed, units != "spins"
    if units is None:
        raise ValueError(
            f"{source}: whether its units are 0 and 1 or -1 and +1 must be said: units='binary' or 'spins'"
        )
    return transposed, units == "binary"


def _laid_out(
    source: Path, arrays: dict[str, tuple[str, npt.NDArray[Any]]], transposed: bool | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None, npt.NDArray[Any] | None]:
    """Return weights of shape (n_visible, n_hidden) and biases, or raise where lengths leave it open."""
    weights = arrays["weights"][1]
    b, c = (_row(arrays[role][1]) if role in arrays else None for role in ("visible_bias", "hidden_bias"))
    shapes = ", ".join(f"{role} {one.shape}" for role, (_, one) in arrays.items())
    if weights.ndim != 2 or 0 in weights.shape:
        raise ValueError(f"{source}: a matrix of weights is needed; it has {shapes}")
    possible = []
    for turned in (False, True):
        n_visible, n_hidden = weights.shape[::-1] if turned else weights.shape
        if (b is None or b.shape == (n_visible,)) and (c is None or c.shape == (n_hidden,)):
            possible.append(turned)
    if not possible or (transposed is not None and transposed not in possible):
        said = "" if transposed is None or not possible else f" with transposed={transposed}"
        raise ValueError(f"{source}: weights and biases do not fit each other{said}: {shapes}")
    if transposed is None and len(possible) > 1:
        raise ValueError(
            f"{source}: {shapes} leave open which axis is which; transposed=True says that the weights "
            "have the shape (n_hidden, n_visible), as in torch and scikit-learn, transposed=False that not"
        )
    return weights.T if (possible[0] if transposed is None else transposed) else weights, b, c


def _row(bias: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a bias of shape (1, n) or (n, 1), as some programs keep it, as one of shape (n,)."""
    return bias.ravel() if bias.ndim == 2 and 1 in bias.shape else bias
