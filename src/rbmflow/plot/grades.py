"""Figures of maps as renormalizations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rbmflow.experiments import grades as drawing
from rbmflow.plot.processes import named
from rbmflow.rg import Grade


def grade(grades: Grade | Mapping[str, Grade], *, ax: Any = None) -> Any:
    """Draw exponents, information and couplings of maps, a row for each step, with standard errors.

    Dashed lines are the exponents 1 and 15/8 of the square lattice, strokes the coupling by decimation of a
    ring.

    Parameters
    ----------
    grades : Grade or dict of str to Grade
        Of `rbmflow.rg.grade`: one, or several by name.
    ax : sequence of three matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Exponents, information, couplings.

    Raises
    ------
    ImportError
        Without the extra ``figures`` (matplotlib).

    Examples
    --------
    >>> from rbmflow import Ring, rg
    >>> found = {str(b): rg.grade(rg.Decimation(b), Ring(12), 1.0, rng=1) for b in (2, 3)}
    >>> exponents, information, couplings = grade(found)
    >>> information.get_xlabel()
    '$I(h : E)$, nats'
    """
    given = {grades.transformation: grades} if isinstance(grades, Grade) else grades
    return drawing.draw_grades(named("grades", given, Grade), ax)
