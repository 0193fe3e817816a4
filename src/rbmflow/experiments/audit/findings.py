"""What the numbers of an audit say, in words; those to beware of are marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rbmflow.estimate import FEW, with_error
from rbmflow.experiments.tables import Table, columns_of

SURE = 4.0
"""Standard errors beyond which a difference is one: 6 in 10⁵ of those that are none, if errors are normal."""
CHANCE = 1e-4
"""Of a difference between moments, or a larger one, if the laws are alike, below which it is one, …"""
NOTABLE = 0.1
"""… and share of the root mean square of the moments themselves that is worth a word."""
FORGOTTEN = 1 / 2.718281828459045


def findings(tables: Mapping[str, Table]) -> Table:
    """Return what is found, from the other tables alone."""
    found = [(subject, *one) for subject, says in SUBJECTS.items() for one in says(tables)]
    return Table("Findings", columns_of(("subject", "beware", "finding"), found))


def _rows(tables: Mapping[str, Table], name: str) -> list[dict[str, Any]]:
    """Return the rows of a table, none where it is absent."""
    if name not in tables:
        return []
    columns = tables[name].columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _number(value: float | None, error: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.6g}" if not error else with_error(value, error)


def _log_partition(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    (one,) = _rows(tables, "log_partition")
    if not one["stderr"]:
        yield False, f"{one['log_partition']:.10g}, exact"
        return
    said = (
        f"{_number(one['log_partition'], one['stderr'])}, between {one['lower']:.8g} and {one['upper']:.8g}, "
        f"by {one['n_effective']:.0f} effective chains"
    )
    doubted = f"; do not rely on it: {one['doubt']}" if one["doubt"] else ""
    yield bool(doubted), said + doubted


def _likelihood(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    rows = {one["law"]: one for one in _rows(tables, "likelihood")}
    if not rows:
        yield False, "needs data"
        return
    machine, alone, gain = (
        rows[name] for name in ("machine", "independent units", "machine less independent units")
    )
    (ln_z,) = _rows(tables, "log_partition")
    width = SURE * gain["stderr"]
    low, high = min(gain["lower"], gain["mean"] - width), max(gain["upper"], gain["mean"] + width)
    both = (
        f"{_number(machine['mean'], machine['stderr'])} nats per row, independent units with the same means "
        f"{_number(alone['mean'], alone['stderr'])}"
    )
    by = _number(abs(gain["mean"]), gain["stderr"])
    if low > 0:
        said = f"better than independent units by {by}"
    else:
        said = f"worse than independent units by {by}" if high < 0 else "no better than independent units"
    doubted = "; do not rely on it, as ln Z is doubted" if ln_z["doubt"] else ""
    yield bool(ln_z["doubt"]) or not low > 0, f"{said} ({both}){doubted}"


def _weights(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    modes = _rows(tables, "singular_values")
    above = sum(one["singular_value"] > 1 for one in modes)
    first = modes[0]
    said = (
        f"largest singular value s₁ = {first['singular_value']:.4g}, spread over "
        f"{first['visible_participation']:.3g} visible and {first['hidden_participation']:.3g} hidden units; "
        f"{above} of {len(modes)} modes are above 1, where the mean-field map leaves v = 0 without biases"
    )
    yield False, said


def _fixed_points(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    points = _rows(tables, "fixed_points")
    if not points:
        sought = "fixed_points" in tables
        yield sought, "none was found" if sought else "not searched, the machine is too large"
        return
    (ln_z,) = _rows(tables, "log_partition")
    stable = sum(one["stable"] for one in points)
    gap = points[0]["free_energy"] + ln_z["log_partition"]
    said = (
        f"{len(points)} of the mean-field map found, {stable} stable; the lowest has free energy "
        f"{points[0]['free_energy']:.6g}, {gap:.3g} above −ln Z"
    )
    yield False, said


def _couplings(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    largest: dict[int, dict[str, Any]] = {}
    for one in _rows(tables, "couplings"):
        largest.setdefault(one["order"], one)
    if not largest:
        yield False, "not computed, the machine or its weights are too large"
        return
    words = {1: "field", 2: "pair", 3: "triple"}
    named = [
        f"{words[order]} {one['coupling']:.4g} ({one['units']})" for order, one in sorted(largest.items())
    ]
    share, error = next(
        (one["share"], one["share_stderr"]) for one in _rows(tables, "orders") if one["orders"] == "2"
    )
    if share is None:
        yield False, f"largest {', '.join(named)}; there are no interactions"
        return
    yield False, f"largest {', '.join(named)}; pairs make {_percent(share, error)} of the interactions"


def _percent(share: float, error: float) -> str:
    return f"{_number(100 * share, 100 * error)} %"


def _memory(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    along = _rows(tables, "chains")
    for name in dict.fromkeys(one["begun_in"] for one in along):
        rows = [one for one in along if one["begun_in"] == name and one["memory"] is not None]
        if not rows:
            yield False, f"all chains begin in one state of the {name}"
            continue
        last = rows[-1]
        left = _number(last["memory"], last["memory_stderr"])
        fell = next((one["sweeps"] for one in rows if one["memory"] < FORGOTTEN), None)
        since = f", below 1/e after {fell:,}" if fell is not None else ""
        kept = last["memory"] > SURE * (last["memory_stderr"] or 0.0)
        said = "remember" if kept else "have forgotten"
        when = f"after {last['sweeps']:,} sweeps"
        yield kept, f"chains begun in {name} {said} where they began {when} (memory {left}{since})"


def _drift(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    if "drift" not in tables:
        yield False, "needs data"
        return
    for one in _rows(tables, "drift"):
        apart = one["deviation"]
        off = apart is not None and abs(apart) > SURE
        values = (_number(one[where], one[f"{where}_stderr"]) for where in ("chains", "rows"))
        both = "{} in chains begun in the data, {} in the rows".format(*values)
        yield off, f"{one['quantity']} {both}" + (f", {abs(apart):,.0f} errors apart" if off else "")
    for one in _rows(tables, "moments"):
        off = one["chance"] < CHANCE and one["difference"] > NOTABLE * one["of_rows"]
        said = (
            f"{one['moments']} differ by {one['difference']:.3g}, root mean square, of which noise explains "
            f"{one['noise']:.2g}; in the rows they are {one['of_rows']:.3g}"
        )
        yield off, said


def _mixing(tables: Mapping[str, Table]) -> Iterator[tuple[bool, str]]:
    for one in _rows(tables, "mixing"):
        if one["tau"] is None:
            yield True, f"{one['quantity']} never changes"
            continue
        tau = _number(one["tau"], one["tau_stderr"])
        if not one["agree"]:
            within = f"in {one['sweeps']:,} sweeps (R-hat {one['r_hat']:.3g})"
            said = f"; chains have not come to agree {within}: it may be much longer"
        elif one["n_effective"] < FEW:
            said = f"; only {one['n_effective']:.3g} effective samples"
        else:
            said = ""
        yield bool(said), f"autocorrelation time of the {one['quantity']} {tau} sweeps{said}"


SUBJECTS: dict[str, Callable[[Mapping[str, Table]], Iterator[tuple[bool, str]]]] = {
    "ln Z": _log_partition,
    "likelihood": _likelihood,
    "weights": _weights,
    "fixed points": _fixed_points,
    "effective couplings": _couplings,
    "memory": _memory,
    "drift": _drift,
    "mixing": _mixing,
}
