"""Records as files: arrays and a header in one npz, which holds no code and is checked when it is read.

The header says the class and its content as a tree in JSON. What JSON has no word for is an object with one
name that says what it is: ``{"array": NAME}`` stands for a member of the file.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.reading import brief, check_names, read_npz, seal, unseal
from rbmflow.records.storable import STORABLE, Storable, stored_name

FORMAT = "rbmflow result 1"
HEADER = "header"
NUMBERS = "biuf"
"""Kinds of arrays that are members."""
LARGE = 2**63
"""Integers of that size and beyond stand as hexadecimal text, which has no limit of digits."""
Members = dict[str, npt.NDArray[Any]]


def pack(record: Storable) -> dict[str, Any]:
    """Return the members of the file; raise TypeError naming what no file can hold."""
    arrays: Members = {}
    content = {
        name: _encode(value, f"{name}." if name == HEADER else name, arrays)
        for name, value in record._content().items()
    }
    header = {
        "format": FORMAT,
        "result": stored_name(type(record)),
        "content": content,
        "sha256": {name: digest(array) for name, array in arrays.items()},
    }
    return {HEADER: np.frombuffer(seal(header).encode(), dtype=np.uint8), **arrays}


def _encode(value: Any, name: str, arrays: Members) -> Any:
    if value is None or type(value) in (bool, str, float):
        return value
    if type(value) is int:
        return value if abs(value) < LARGE else {"int": hex(value)}
    if isinstance(value, Fraction):
        return {"fraction": [_encode(part, name, arrays) for part in value.as_integer_ratio()]}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_numbers(value, name, arrays)
    if isinstance(value, Storable) and STORABLE.get(stored_name(type(value))) is type(value):
        content = {key: _encode(one, f"{name}.{key}", arrays) for key, one in value._content().items()}
        return {"object": stored_name(type(value)), "content": content}
    if type(value) is list:
        return [_encode(one, f"{name}.{at}", arrays) for at, one in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": [_encode(one, f"{name}.{at}", arrays) for at, one in enumerate(value)]}
    if type(value) is dict:
        pairs = [
            [_encode(key, f"{name}.{at}.key", arrays), _encode(one, f"{name}.{at}", arrays)]
            for at, (key, one) in enumerate(value.items())
        ]
        return {"dict": pairs}
    if hasattr(value, "_mpf_"):
        sign, mantissa, exponent, _ = value._mpf_
        return {"mpf": [int(sign), hex(mantissa), int(exponent)]}
    raise TypeError(f"{name} holds {shown(value)}: a file keeps numbers, text and results, nothing else")


def _encode_numbers(value: Any, name: str, arrays: Members) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "O":
        parts = [_encode(one, f"{name}.{at}", arrays) for at, one in enumerate(array.ravel().tolist())]
        return {"objects": parts, "shape": list(array.shape)}
    if array.dtype.kind not in NUMBERS:
        raise TypeError(f"{name} is an array of {array.dtype}: a file keeps real numbers")
    arrays[name] = array
    return {"array" if isinstance(value, np.ndarray) else "number": name}


Kept = TypeVar("Kept", bound=Storable)


def unpack(kind: type[Kept], content: bytes) -> Kept:
    """Return the record in the bytes of a file; raise what is wrong with them."""
    arrays: Members = read_npz(content)
    if HEADER not in arrays:
        raise ValueError("it has no header")
    header = unseal(arrays.pop(HEADER).tobytes())
    if header.get("format") != FORMAT:
        raise ValueError(f"its format is {shown(header.get('format'))}, {FORMAT!r} is needed")
    check_names("its header", header, {"format", "result", "content", "sha256"})
    if header["result"] != stored_name(kind):
        raise ValueError(f"it holds a {brief(header['result'])}")
    digests = check_names("the header's sha256", header["sha256"], set(arrays))
    for name, array in arrays.items():
        if digest(array) != digests[name]:
            raise ValueError(f"{name} is not what was saved")
    found: Kept = _object(kind, header["content"], arrays)
    return found


def _object(kind: Any, content: Any, arrays: Members) -> Any:
    if not isinstance(content, dict):
        raise ValueError(f"the content of a {kind.__name__} is no object")  # noqa: TRY004
    return kind._from_content({name: _decode(value, arrays) for name, value in content.items()})


def _decode(plain: Any, arrays: Members) -> Any:
    if isinstance(plain, list):
        return [_decode(one, arrays) for one in plain]
    if not isinstance(plain, dict):
        return plain
    if plain.keys() == {"object", "content"}:
        if plain["object"] not in STORABLE:
            raise ValueError(f"it holds a {brief(plain['object'])}, a class that is not loaded")
        return _object(STORABLE[plain["object"]], plain["content"], arrays)
    if plain.keys() == {"objects", "shape"}:
        return _objects(plain, arrays)
    if len(plain) != 1:
        raise ValueError(f"{shown(plain)} says nothing")
    (word, value), *_ = plain.items()
    if word in ("array", "number"):
        return arrays[value] if word == "array" else arrays[value][()]
    if word == "int":
        return int(value, 16)
    if word == "mpf":
        return _mpf(*value)
    if word not in ("tuple", "dict", "fraction"):
        raise ValueError(f"{shown(word)} says nothing")
    parts = _decode(value, arrays)
    if word == "fraction":
        return Fraction(*parts)
    return tuple(parts) if word == "tuple" else {key: one for key, one in parts}  # noqa: C416 (pairs alone)


def _objects(plain: dict[str, Any], arrays: Members) -> Any:
    parts = _decode(plain["objects"], arrays)
    array = np.empty(len(parts), dtype=object)
    array[:] = parts
    return array.reshape([int(side) for side in plain["shape"]])


def _mpf(sign: int, mantissa: str, exponent: int) -> Any:
    """A number of mpmath as it was: of mantissa 0 are zero, the infinities and NaN, told by the exponent."""
    import mpmath
    from mpmath import libmp

    number = int(mantissa, 16)
    if number:
        return mpmath.mp.make_mpf(libmp.from_man_exp(-number if sign else number, exponent))
    for special in (libmp.fzero, libmp.finf, libmp.fninf, libmp.fnan):
        if (special[0], special[2]) == (sign, exponent):
            return mpmath.mp.make_mpf(special)
    raise ValueError(f"{shown([sign, mantissa, exponent])} is no number")


def digest(array: npt.NDArray[Any]) -> str:
    """SHA-256 of the values in little-endian order, of their type and their shape."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    head = f"{plain.dtype.str} {plain.shape} "
    return hashlib.sha256(head.encode() + plain.tobytes()).hexdigest()
