"""Long runs in pieces, between which they can be stopped and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PIECE_ATTEMPTS = 2**29
"""Spins that a piece updates, about: a fraction of a second as bits, some seconds one by one."""
PIECE_BYTES = 2**25
"""Of the measurements of a piece, at most, if one of them is not larger."""


@dataclass(frozen=True)
class Piece:
    """Sweeps before the first measurement, sweeps in all after them, and those to a measurement."""

    burn_in: int
    n_sweeps: int
    thin: int

    @property
    def n_draws(self) -> int:
        """How many measurements are taken."""
        return self.n_sweeps // self.thin

    @property
    def total(self) -> int:
        """All its sweeps."""
        return self.burn_in + self.n_sweeps


def pieces(
    n_sweeps: int, thin: int, burn_in: int, *, spins: int, draw_bytes: int, after: int = 0
) -> Iterator[Piece]:
    """Yield the pieces of a run after so many sweeps, which depend on its arguments alone.

    Parameters
    ----------
    n_sweeps, thin, burn_in : int
        The whole run, as `run` takes it.
    spins : int
        Those of all chains, that a sweep updates.
    draw_bytes : int
        What a measurement of all chains takes.
    after : int
        Sweeps that are done, the end of a piece.

    Examples
    --------
    >>> [(one.total, one.n_draws) for one in pieces(11, 2, 5, spins=2**27, draw_bytes=8)]
    [(4, 0), (1, 0), (4, 2), (4, 2), (2, 1), (1, 0)]
    """
    step = max(1, PIECE_ATTEMPTS // spins)
    at_once = max(1, min(step // thin, PIECE_BYTES // draw_bytes))
    done = after
    while done < burn_in:
        piece = Piece(min(step, burn_in - done), 0, 1)
        yield piece
        done += piece.total
    while done < burn_in + n_sweeps:
        draw, inside = divmod(done - burn_in, thin)
        if draw == n_sweeps // thin:  # what is left after the last measurement
            piece = Piece(min(step, burn_in + n_sweeps - done), 0, 1)
        elif thin <= step:
            piece = Piece(0, thin * min(at_once, n_sweeps // thin - draw), thin)
        elif thin - inside > step:
            piece = Piece(step, 0, 1)
        else:
            piece = Piece(thin - inside - 1, 1, 1)
        yield piece
        done += piece.total
