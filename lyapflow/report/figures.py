"""Figures of a report as inline SVG, the same bytes for the same data: matplotlib without pyplot."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..certificates import Certificate
from ..dynamics import LureSystem
from ..lmi.signals import output_oracles
from .clock import Clock, is_discrete, is_scaled, is_sublinear
from .items import PROVED, SEEN
from .quantities import count_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..simulation import Trajectory

__all__ = [
    "COLORS",
    "draw_distance",
    "draw_portrait",
    "draw_scaled_value",
    "draw_storage",
    "draw_trajectory_plane",
    "has_levels",
    "style",
    "to_svg",
    "to_svg_file",
]

Array = NDArray[np.float64]

_MOST_MARKS = 80
ROUNDING = 1e-14  # relative to the start; smaller values of V are differences that rounding left
COLORS = {PROVED: "#1b7f4b", SEEN: "#1f5fbf", "claimed": "#b42318", "ink": "#1c2430", "soft": "#8a94a3"}
_STYLE: dict[str, Any] = {
    "svg.hashsalt": "lyapflow", "svg.fonttype": "path", "path.simplify": True, "font.family": "DejaVu Sans",
    "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#8a94a3",
    "axes.labelcolor": "#1c2430", "axes.linewidth": 0.8, "axes.titlesize": 9.5, "axes.titlelocation": "left",
    "axes.grid": True, "grid.color": "#e4e8ee", "grid.linewidth": 0.7, "xtick.color": "#4b5563",
    "ytick.color": "#4b5563", "legend.frameon": False, "legend.fontsize": 8.5, "mathtext.fontset": "dejavusans",
    "figure.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip


@contextmanager
def style() -> Iterator[None]:
    """The report's own settings of matplotlib, whatever those of the user are; restored afterwards."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)  # type: ignore[arg-type]
        yield


def to_svg(draw: Callable[[Figure], object], prefix: str, *, size: tuple[float, float] = (6.2, 3.1)) -> str:
    """Inline SVG of what `draw` puts on a figure; ids carry the prefix, so that figures of one page do not clash."""
    return _inline(to_svg_file(draw, size=size), prefix, f"max-width:{7 * size[0]:g}rem")


def to_svg_file(draw: Callable[[Figure], object], *, size: tuple[float, float]) -> str:
    """The text of an SVG file with what `draw` puts on a figure."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=size, layout="constrained")
        canvas = FigureCanvasSVG(figure)
        draw(figure)
        stream = io.StringIO()
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _inline(svg: str, prefix: str, style: str) -> str:
    """The svg element alone, with prefixed ids and without links to other places."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    body = re.sub(r'\s+xmlns(:xlink)?="[^"]*"', "", body)
    head = rf'<svg class="figure" viewBox="\1" style="{style}">'
    return re.sub(r'<svg\b[^>]*?viewBox="([^"]+)"[^>]*>', head, body, count=1).strip()


def draw_storage(figure: Figure, certificate: Certificate, trajectory: Trajectory, *, proved: bool) -> None:
    """V along a trajectory and its bound, on a logarithmic scale."""
    axes, clock = figure.subplots(), Clock.of(certificate.system)
    seen, bound = trajectory.storage(certificate), trajectory.bound(certificate)
    formula = "$V(t_0)$" if is_sublinear(certificate) else rf"$V(0)\,{clock.decay_twice}$"
    if is_scaled(certificate):
        formula = "of $V$"
    _curves(axes, trajectory, seen, bound, formula, proved=proved)
    if is_sublinear(certificate):
        axes.set_xscale("log")
    axes.set_ylabel(rf"storage $V({clock.time})$")


def draw_scaled_value(figure: Figure, certificate: Certificate, trajectory: Trajectory, *, proved: bool) -> None:
    """The function value times the power of time under its bound, both against time on logarithmic scales."""
    axes = figure.subplots()
    seen, bound = trajectory.scaled_value(certificate), trajectory.bound(certificate)
    _curves(axes, trajectory, seen, bound, r"$V(t_0)$", proved=proved)
    axes.set_xscale("log")
    axes.set_ylabel(rf"$t^{{{float(certificate.order):.4g}}}\,(f-f^*)$")


def draw_distance(figure: Figure, certificate: Certificate, trajectory: Trajectory, *, proved: bool) -> None:
    """Distance from the equilibrium and its bound, on a logarithmic scale."""
    axes, clock = figure.subplots(), Clock.of(certificate.system)
    bound = trajectory.norm_bound(certificate)
    _curves(axes, trajectory, trajectory.distance, bound, rf"$c\,{clock.decay}\,\|x(0)-x^*\|$", proved=proved)
    axes.set_ylabel(rf"distance $\|x({clock.time})-x^*\|$")


def _curves(axes: Axes, trajectory: Trajectory, seen: Array, bound: Array, formula: str, *, proved: bool) -> None:
    t, clock = count_time(trajectory), Clock.of(trajectory.system)
    word = "proved" if proved else "claimed, NOT PROVED"
    color = COLORS[PROVED] if proved else COLORS["claimed"]
    axes.plot(t, bound, color=color, linewidth=2.2, linestyle=(0, (5, 1.6)), label=f"bound {formula} ({word})")
    positive = np.where(seen > ROUNDING * abs(seen[0]), seen, np.nan)  # what is left below is rounding
    marked = clock.time == "k" and len(t) <= _MOST_MARKS  # single steps, where they can be told apart
    look: dict[str, Any] = {"marker": "o", "markersize": 3.2, "linewidth": 0.9} if marked else {"linewidth": 1.6}
    axes.plot(t, positive, color=COLORS[SEEN], **look, label="trajectory (seen in simulation)")
    axes.set_yscale("log")
    floor = float(bound[bound > 0].min(initial=bound[0]))  # after a step with factor 0 the bound is 0
    lowest = np.nanmin(positive) if np.isfinite(positive).any() else floor
    axes.set_ylim(bottom=max(lowest, floor * 1e-6) * 0.5)
    axes.set_xlim(float(t[0]), float(t[-1]))
    axes.set_xlabel(f"{'step' if clock.time == 'k' else 'time'} ${clock.time}$")
    axes.legend(loc="lower left")


def draw_portrait(figure: Figure, certificate: Certificate) -> None:
    """Phase portraits of a planar system with extremal linear members, over level sets of V."""
    system = certificate.system
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: a phase portrait needs a Lur'e system")
    members = extremal_slopes(system)
    panels = figure.subplots(1, len(members), squeeze=False)[0]
    for axes, slopes in zip(panels, members, strict=True):
        transition, steps = _move(certificate, close_loop(system, slopes)[0])
        form = _storage_form(certificate, system, slopes)
        top, starts = (1.0, _starts(form)) if not is_discrete(certificate) else (_inner_level(form), _circle())
        _draw_levels(axes, form, top)
        for start in starts:
            path = _walk(transition, start, steps)
            axes.plot(path[:, 0], path[:, 1], color=COLORS[SEEN], **_look(certificate, 0.9))
            _arrow(axes, path)
        pairs = zip(_marks(system), slopes, strict=True)
        names = ", ".join(f"$u_{{{mark}}} = {float(s):.4g}\\,y_{{{mark}}}$" for mark, s in pairs)
        axes.set_title(f"linear member {names}")
        axes.set_xlabel(r"$x_1$")
        axes.locator_params(nbins=5)
    panels[0].set_ylabel(r"$x_2$")


def draw_trajectory_plane(figure: Figure, certificate: Certificate, trajectory: Trajectory) -> None:
    """First components of a planar trajectory, over level sets of the quadratic part of V."""
    axes = figure.subplots()
    deviation = trajectory.x - trajectory.equilibrium.x
    size = float(np.abs(deviation).max()) or 1.0
    if has_levels(certificate):
        P = _floats(certificate.P)
        corner = max(float(v @ P @ v) for v in deviation.reshape(len(trajectory.t), 2, -1)[:, :, 0]) or size**2
        _draw_levels(axes, P, corner)
    for k in range(min(deviation.shape[2], 4)):
        label = "trajectory (seen in simulation)" if k == 0 else None
        x1, x2 = deviation[:, 0, k], deviation[:, 1, k]
        axes.plot(x1, x2, color=COLORS[SEEN], alpha=1 - 0.2 * k, label=label, **_look(certificate, 1.3))
    axes.plot([0], [0], marker="o", color=COLORS["ink"], markersize=3.5, linestyle="none", label="equilibrium")
    axes.set_xlabel(r"$x_1-x_1^*$")
    axes.set_ylabel(r"$x_2-x_2^*$")
    axes.legend(loc="best")


def extremal_slopes(system: LureSystem) -> tuple[tuple[Fraction, ...], ...]:
    """Linear members at the lower and at the upper end of every class; an open end is replaced by a slope near it."""
    low, high = [], []
    for oracle in system.oracles:
        m = oracle.linear_members()
        bottom = m.lower if m.lower is not None else (Fraction(-1) if m.upper is None else m.upper - 10)
        low.append(bottom)
        high.append(m.upper if m.upper is not None else 10 * max(bottom, Fraction(1)))
    return tuple(dict.fromkeys([tuple(low), tuple(high)]))


def close_loop(system: LureSystem, slopes: tuple[Fraction, ...]) -> tuple[Array, Array]:
    """Matrices of the closed loop with ``u_j = s_j y_j``: of the state, and from the state to the inputs y."""
    A, B, C, D = (_floats(m) for m in (system.A, system.B, system.C, system.D))
    S = np.diag([float(s) for s in slopes])
    inputs = np.linalg.solve(np.eye(len(D)) - D @ S, C)
    return np.asarray(A + B @ S @ inputs), np.asarray(inputs)


def _storage_form(certificate: Certificate, system: LureSystem, slopes: tuple[Fraction, ...]) -> Array:
    """V of a linear member is a quadratic form in the state, because ``u = s y`` and ``phi = s |y|^2 / 2``."""
    _, inputs = close_loop(system, slopes)
    s = np.array([float(slope) for slope in slopes])
    form = _floats(certificate.P)
    own = list(output_oracles(system, certificate.template))
    if own:
        signals = np.vstack([np.eye(len(system.A)), (s[:, None] * inputs)[own]])
        form = signals.T @ form @ signals
    for name, weight in certificate.value_weights.items():
        j = system.oracle_names.index(name)
        form = form + float(weight) * s[j] / 2 * np.outer(inputs[j], inputs[j])
    return np.asarray(form)


def _floats(matrix: tuple[tuple[Fraction, ...], ...]) -> Array:
    return np.array([[float(v) for v in row] for row in matrix], dtype=np.float64)


def _marks(system: LureSystem) -> tuple[str, ...]:
    from .symbols import Symbols

    return Symbols.of(system).marks


def _ellipse(form: Array, level: float) -> Array | None:
    """Points of ``x' form x = level``; None if the form is not positive definite in floating point."""
    values, vectors = np.linalg.eigh(form)
    if values[0] <= 1e-14 * max(values[-1], 1e-300):
        return None
    angle = np.linspace(0, 2 * np.pi, 241)
    return np.asarray((vectors / np.sqrt(values) * np.sqrt(level)) @ np.array([np.cos(angle), np.sin(angle)]))


def has_levels(certificate: Certificate) -> bool:
    """Whether the quadratic part of V alone has closed level sets in the state; V may be positive without."""
    is_of_state = len(certificate.P) == certificate.system.shape[0]
    return is_of_state and _ellipse(_floats(certificate.P), 1.0) is not None


def _draw_levels(axes: Axes, form: Array, top: float) -> None:
    for k, level in enumerate((1.0, 0.5, 0.2, 0.05)):
        points = _ellipse(form, level * top)
        if points is not None:
            label = "level sets of V" if k == 0 else None
            axes.plot(points[0], points[1], color=COLORS["soft"], linewidth=0.8, linestyle=(0, (2, 2)), label=label)


def _starts(form: Array) -> Array:
    points = _ellipse(form, 1.0)
    return _circle() if points is None else np.asarray(points.T[:-1:20])


def _circle() -> Array:
    """Twelve points; where level sets are very long, as they are near the best factor, starts on them say little."""
    angle = np.linspace(0, 2 * np.pi, 13)[:-1]
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _inner_level(form: Array) -> float:
    """The largest level set inside the unit circle."""
    return float(np.linalg.eigvalsh(form)[0])


def _move(certificate: Certificate, closed: Array, steps: int = 1200) -> tuple[Array, int]:
    """Matrix of one step of a path, and how many there are: until little is left."""
    if is_discrete(certificate):
        left = -np.log(max(float(certificate.factor), 1e-3))
        return closed, int(np.clip(np.ceil(5 / left), 1, _MOST_MARKS))
    from scipy.linalg import expm

    return np.asarray(expm(closed * 5 / float(certificate.rate) / steps)), steps


def _walk(transition: Array, start: Array, steps: int) -> Array:
    path = np.empty((steps + 1, 2))
    path[0] = start
    for k in range(steps):
        path[k + 1] = transition @ path[k]
    return path


def _look(certificate: Certificate, linewidth: float) -> dict[str, Any]:
    """Of a path in the plane: a curve, or points joined by thin lines."""
    return (
        {"marker": "o", "markersize": 2.2, "linewidth": 0.4} if is_discrete(certificate) else {"linewidth": linewidth}
    )


def _arrow(axes: Axes, path: Array) -> None:
    """A head where the path has covered a third of its length."""
    length = np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))
    k = int(np.searchsorted(length, length[-1] / 3))
    k = min(max(k, 0), len(path) - 2)
    axes.annotate(
        "", xy=tuple(path[k + 1]), xytext=tuple(path[k]),
        arrowprops={"arrowstyle": "-|>", "color": COLORS[SEEN], "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
