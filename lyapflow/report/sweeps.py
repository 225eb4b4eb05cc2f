"""The figure of a sweep: what is proved and what the witness allows, against a parameter, and the gap below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..certificates.files import save, write_atomically
from ..errors import InvalidModelError
from .figures import COLORS, to_svg_file
from .items import PROVED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..sweeps import Row, SweepResult

__all__ = ["draw_sweep", "write_sweep", "write_sweep_figure"]

_LETTERS = 100
"""How many fit above the figure; those of a legend, with 8 for each line's sample."""

_WIDE = 30
"""Ratio of the largest to the smallest number from which on an axis is logarithmic."""


def write_sweep(folder: Path | str, result: SweepResult) -> tuple[Path, ...]:
    """Write the table of a sweep, its figure where something is proved, and every certificate.

    A certificate's name is its SHA-256, by which the table names it: it is the same file whenever it is written.

    Parameters
    ----------
    folder : path or str
        Made if it does not exist.
    result : SweepResult
        From `lyapflow.sweep`.

    Returns
    -------
    tuple of Path
        ``sweep.csv``, ``sweep.svg`` and the folder ``certificates``; where both rates and factors are proved,
        ``sweep_rate.svg`` and ``sweep_factor.svg``, without the points that prove neither.
    """
    target = Path(folder)
    evidence = target / "certificates"
    evidence.mkdir(parents=True, exist_ok=True)
    for row in result.proved:
        if row.certificate is not None:
            save(row.certificate, evidence / f"{row.certificate.digest}.json")
    table = result.to_csv(target / "sweep.csv")
    kinds = sorted({row.quantity or "" for row in result.proved}, reverse=True)
    parts = {"sweep": result} if len(kinds) == 1 else {f"sweep_{kind}": _select(result, kind) for kind in kinds}
    figures = [write_sweep_figure(target / f"{name}.svg", part) for name, part in parts.items()]
    return (table, *figures, evidence) if figures else (table,)


def _select(result: SweepResult, quantity: str) -> SweepResult:
    return replace(result, rows=tuple(row for row in result.proved if row.quantity == quantity))


def write_sweep_figure(path: Path | str, result: SweepResult, *, parameter: str | None = None) -> Path:
    """Write the figure of a sweep as an SVG file, the same bytes for the same rows.

    Parameters
    ----------
    path : path or str
        Where; an existing file is replaced only by a complete one.
    result : SweepResult
        From `lyapflow.sweep`.
    parameter : str, optional
        As in `draw_sweep`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidModelError
        As in `draw_sweep`.
    """
    draw = partial(draw_sweep, result=result, parameter=parameter)
    return write_atomically(path, to_svg_file(draw, size=(6.2, 4.6)))


def draw_sweep(figure: Figure, result: SweepResult, *, parameter: str | None = None) -> None:
    """Draw proved rate and witness against a swept parameter, and the gap below.

    Of contraction factors, ``1 - factor`` is drawn: as of rates, more is better, and factors near 1 can be told apart.
    Points without a proof are crosses on the lower edge. Axes are logarithmic where the numbers are positive and span
    more than a factor of 30.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Is drawn upon.
    result : SweepResult
        From `lyapflow.sweep`.
    parameter : str, optional
        The parameter of the horizontal axis; default the one with the most different numbers. Each combination of the
        others has a line of its own.

    Raises
    ------
    InvalidModelError
        If nothing is proved, rates and factors are mixed, or the parameter is not a number.
    """
    quantities = {row.quantity for row in result.proved}
    if len(quantities) != 1:
        found = "nothing is proved" if not quantities else "there are both"
        raise InvalidModelError(f"the figure of a sweep needs proved rates, or proved factors; {found}")
    name = _choose_parameter(result, parameter)
    proved = result.proved
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    if _is_wide([_number(row, name) for row in result]):
        bottom.set_xscale("log")
    if _is_wide([end for row in proved for end in _ends(row)]):
        top.set_yscale("log")
    if is_wide := _is_wide([_gap(row) for row in proved if row.gap]):
        bottom.set_yscale("log")
    for marker, (label, rows) in zip(cycle("os^Dv<>P*X"), _split(result, name).items(), strict=False):
        _draw_line(top, rows, name, label, marker)
        shown = [row for row in rows if row.gap or not is_wide]
        _plot(bottom, shown, name, [_gap(row) for row in shown], color=COLORS["ink"], marker=marker, markersize=3.5)
    _mark(top, [_number(row, name) for row in result if row.bracket is None], "x", "claimed", "nothing proved")
    _mark(bottom, [_number(row, name) for row in proved if is_wide and not row.gap], "v", PROVED, "gap 0")
    if not any(row.gap for row in proved):
        bottom.set(ylim=(-0.1, 1), yticks=[0])
    elif not is_wide:
        bottom.set_ylim(bottom=0)
    top.set_ylabel("decay rate" if quantities == {"rate"} else r"$1-$factor")
    for axes in (top, bottom):
        if labels := axes.get_legend_handles_labels()[1]:
            columns = max(1, min(3, _LETTERS // (max(map(len, labels)) + 8)))
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0)
    bottom.set(xlabel=name, ylabel="gap")


def _choose_parameter(result: SweepResult, parameter: str | None) -> str:
    """The parameter that was asked for, or the one with the most numbers."""
    values = {name: {row.point[name] for row in result} for name in result.names}
    numeric = {name: found for name, found in values.items() if all(isinstance(v, Fraction) for v in found)}
    if parameter is None and numeric:
        return max(numeric, key=lambda name: len(numeric[name]))
    if parameter is None or parameter not in numeric:
        asked = "" if parameter is None else f", got {parameter!r}"
        raise InvalidModelError(f"parameter must be a numeric one of the sweep, of {sorted(numeric) or 'none'}{asked}")
    return parameter


def _split(result: SweepResult, name: str) -> dict[str, list[Row]]:
    """Rows with a proof of each line, by the text of what its points have in common, in order of the parameter."""
    from ..sweeps.grids import write_value  # the room of sweeps knows the solver; a report without one does not

    lines: dict[str, list[Row]] = {}
    for row in sorted(result.proved, key=lambda row: _number(row, name)):
        others = [f"{other} = {write_value(value)}" for other, value in row.point.items() if other != name]
        lines.setdefault(", ".join(others), []).append(row)
    return lines


def _draw_line(axes: Axes, rows: Sequence[Row], name: str, label: str, marker: str) -> None:
    said = f"proved ({label})" if label else "proved"
    low, high = zip(*map(_ends, rows), strict=True)
    _plot(axes, rows, name, low, color=COLORS[PROVED], marker=marker, markersize=3.5, linewidth=1.6, label=said)
    first = "witness" not in axes.get_legend_handles_labels()[1]
    dashed: dict[str, Any] = {"color": COLORS["ink"], "linewidth": 1.0, "linestyle": (0, (5, 1.6))}
    _plot(axes, rows, name, high, **dashed, label="witness" if first else None)


def _plot(axes: Axes, rows: Sequence[Row], name: str, values: Sequence[float], **look: Any) -> None:
    axes.plot([_number(row, name) for row in rows], values, **look)


def _mark(axes: Axes, places: Sequence[float], marker: str, color: str, label: str) -> None:
    """Marks on the lower edge, for what has no place on the vertical axis."""
    if places:
        look: dict[str, Any] = {"marker": marker, "markersize": 4, "linestyle": "none", "color": COLORS[color]}
        axes.plot(places, [0.04] * len(places), label=label, transform=axes.get_xaxis_transform(), **look)


def _number(row: Row, name: str) -> float:
    return float(row.point[name])


def _ends(row: Row) -> tuple[float, float]:
    """Proved value and witness, as numbers of which more is better; what is subtracted is subtracted exactly."""
    values = (row.value or Fraction(0), row.witness_value or Fraction(0))
    low, high = values if row.quantity == "rate" else (1 - value for value in values)
    return float(low), float(high)


def _gap(row: Row) -> float:
    return float(row.gap or 0)


def _is_wide(numbers: Sequence[float]) -> bool:
    return bool(numbers) and min(numbers) > 0 and max(numbers) >= _WIDE * min(numbers)
