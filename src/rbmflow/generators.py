"""Generators of the kernels, and states of random generators as plain values.

Each field is held against what it can be before a generator is set to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.reading import check_names

Words = npt.NDArray[np.uint64]
Field = int | tuple[int, int] | dict[str, Any]
"""Numbers below this; so many of them, below that; or fields by name."""

WORDS = 32
"""Words of eight xoshiro256++ generators: the first of each, then the second, and so on."""
HALF: dict[str, Field] = {"has_uint32": 2, "uinteger": 2**32}
LINEAR: dict[str, Field] = {"state": {"state": 2**128, "inc": 2**128}, **HALF}
FIELDS: dict[str, dict[str, Field]] = {
    "MT19937": {"state": {"key": (624, 2**32), "pos": 625}},
    "PCG64": LINEAR,
    "PCG64DXSM": LINEAR,
    "Philox": {
        "state": {"counter": (4, 2**64), "key": (2, 2**64)},
        "buffer": (4, 2**64),
        "buffer_pos": 5,
        **HALF,
    },
    "SFC64": {"state": {"state": (4, 2**64)}, **HALF},
}
"""What numpy's bit generators hold: their C code trusts it."""


def draw_words(rng: np.random.Generator, *shape: int) -> Words:
    """Return the words of so many generators of the kernels, which are along the last axis."""
    return rng.integers(0, 2**64, size=(*shape, WORDS), dtype=np.uint64)


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator as plain values."""
    plain: dict[str, Any] = _plain(dict(rng.bit_generator.state))
    return plain


def generator_from(name: str, state: object) -> np.random.Generator:
    """Return a generator of numpy that goes on where one stood.

    Raise ValueError naming the field that none can hold.
    """
    checked = check_generator(name, state)
    kind = checked["bit_generator"]
    if kind not in FIELDS:
        raise ValueError(f"{name}: {shown(kind)} is not a bit generator of numpy")
    bits = getattr(np.random, kind)(0)
    bits.state = checked
    return np.random.Generator(bits)


def check_generator(name: str, state: object) -> dict[str, Any]:
    """Return the state of a generator; that of another package, of which nothing is known, passes as it is.

    Examples
    --------
    >>> state = {"bit_generator": "SFC64", "state": {"state": [0, 0, 0]}, "has_uint32": 0, "uinteger": 0}
    >>> check_generator("source", state)
    Traceback (most recent call last):
    ValueError: source.state.state=[0, 0, 0]: 4 integers are needed
    """
    kind = state.get("bit_generator") if isinstance(state, dict) else None
    if not isinstance(state, dict) or not isinstance(kind, str):
        raise ValueError(f"{name}={shown(state)}: the state of a bit generator is needed")  # noqa: TRY004
    if kind not in FIELDS:
        return state
    check_names(name, state, {"bit_generator", *FIELDS[kind]})
    for field, allowed in FIELDS[kind].items():
        _check(f"{name}.{field}", state[field], allowed)
    inner = state["state"]
    if kind == "MT19937" and not (inner["key"][0] >> 31 or any(inner["key"][1:])):
        raise ValueError(f"{name}.state.key is zero: the generator would stay there")
    if FIELDS[kind] is LINEAR and not inner["inc"] % 2:
        raise ValueError(f"{name}.state.inc={inner['inc']}: an odd number is needed")
    return state


def check_words(name: str, words: object) -> Words:
    """Return the words of eight xoshiro256++ generators, none of which is zero, or raise ValueError."""
    if not isinstance(words, np.ndarray) or words.dtype != np.uint64 or words.shape != (WORDS,):
        kind = (
            f"dtype {words.dtype}, shape {words.shape}"
            if isinstance(words, np.ndarray)
            else type(words).__name__
        )
        raise ValueError(f"{name} is {kind}: {WORDS} words of 64 bits are needed")
    if not words.reshape(4, -1).any(axis=0).all():
        raise ValueError(f"{name} is zero in all words of one generator, which would stay there")
    return words


def _check(name: str, value: object, allowed: Field) -> None:
    if isinstance(allowed, dict):
        for field, inner in check_names(name, value, set(allowed)).items():
            _check(f"{name}.{field}", inner, allowed[field])
    elif isinstance(allowed, tuple):
        length, below = allowed
        if not isinstance(value, list) or len(value) != length:
            raise ValueError(f"{name}={shown(value)}: {length} integers are needed")
        for place, item in enumerate(value):
            _check(f"{name}[{place}]", item, below)
    elif type(value) is not int or not 0 <= value < allowed:
        raise ValueError(f"{name}={shown(value)}: an integer from 0 to {allowed - 1} is needed")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return [int(item) for item in value]
    return int(value) if isinstance(value, np.integer) else value
