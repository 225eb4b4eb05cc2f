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
from .items import PROVED, SEEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..simulation import Trajectory

__all__ = [
    "COLORS",
    "draw_distance",
    "draw_portrait",
    "draw_storage",
    "draw_trajectory_plane",
    "has_levels",
    "style",
    "to_svg",
]

Array = NDArray[np.float64]

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
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=size, layout="constrained")
        canvas = FigureCanvasSVG(figure)
        draw(figure)
        stream = io.StringIO()
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})
    return _inline(stream.getvalue(), prefix, f"max-width:{7 * size[0]:g}rem")


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
    axes = figure.subplots()
    bound = trajectory.bound(certificate)
    _curves(axes, trajectory.t, trajectory.storage(certificate), bound, r"$V(0)\,e^{-2\rho t}$", proved=proved)
    axes.set_ylabel(r"storage $V(t)$")


def draw_distance(figure: Figure, certificate: Certificate, trajectory: Trajectory, *, proved: bool) -> None:
    """Distance from the equilibrium and its bound, on a logarithmic scale."""
    axes = figure.subplots()
    bound = trajectory.norm_bound(certificate)
    _curves(axes, trajectory.t, trajectory.distance, bound, r"$c\,e^{-\rho t}\,\|x(0)-x^*\|$", proved=proved)
    axes.set_ylabel(r"distance $\|x(t)-x^*\|$")


def _curves(axes: Axes, t: Array, seen: Array, bound: Array, formula: str, *, proved: bool) -> None:
    word = "proved" if proved else "claimed, NOT PROVED"
    color = COLORS[PROVED] if proved else COLORS["claimed"]
    axes.plot(t, bound, color=color, linewidth=2.2, linestyle=(0, (5, 1.6)), label=f"bound {formula} ({word})")
    positive = np.where(seen > ROUNDING * abs(seen[0]), seen, np.nan)  # what is left below is rounding
    axes.plot(t, positive, color=COLORS[SEEN], linewidth=1.6, label="trajectory (seen in simulation)")
    axes.set_yscale("log")
    floor = float(bound.min())
    lowest = np.nanmin(positive) if np.isfinite(positive).any() else floor
    axes.set_ylim(bottom=max(lowest, floor * 1e-6) * 0.5)
    axes.set_xlim(float(t[0]), float(t[-1]))
    axes.set_xlabel(r"time $t$")
    axes.legend(loc="lower left")


def draw_portrait(figure: Figure, certificate: Certificate) -> None:
    """Phase portraits of a planar system with extremal linear members, over level sets of V."""
    system = certificate.system
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: a phase portrait needs a Lur'e system")
    members = extremal_slopes(system)
    panels = figure.subplots(1, len(members), squeeze=False)[0]
    for axes, slopes in zip(panels, members, strict=True):
        closed, form = close_loop(system, slopes), _storage_form(certificate, slopes)
        _draw_levels(axes, form, 1.0)
        for start in _starts(form):
            path = _flow(closed, start, 5 / float(certificate.rate))
            axes.plot(path[:, 0], path[:, 1], color=COLORS[SEEN], linewidth=0.9)
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
    P = _floats(certificate.P)
    corner = max(float(v @ P @ v) for v in deviation.reshape(len(trajectory.t), 2, -1)[:, :, 0]) or size**2
    _draw_levels(axes, P, corner)
    for k in range(min(deviation.shape[2], 4)):
        label = "trajectory (seen in simulation)" if k == 0 else None
        x1, x2 = deviation[:, 0, k], deviation[:, 1, k]
        axes.plot(x1, x2, color=COLORS[SEEN], linewidth=1.3, alpha=1 - 0.2 * k, label=label)
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


def close_loop(system: LureSystem, slopes: tuple[Fraction, ...]) -> Array:
    """Matrix of the closed loop with ``u_j = s_j y_j``."""
    A, B, C, D = (_floats(m) for m in (system.A, system.B, system.C, system.D))
    S = np.diag([float(s) for s in slopes])
    return np.asarray(A + B @ S @ np.linalg.solve(np.eye(len(D)) - D @ S, C))


def _storage_form(certificate: Certificate, slopes: tuple[Fraction, ...]) -> Array:
    """V of a linear member is a quadratic form, because ``phi = s |y|^2 / 2``."""
    system = certificate.system
    form = _floats(certificate.P)
    for name, weight in certificate.value_weights.items():
        j = system.oracle_names.index(name)
        c = _floats((system.C[j],))[0] if isinstance(system, LureSystem) else np.zeros(2)
        form = form + float(weight) * float(slopes[j]) / 2 * np.outer(c, c)
    return form


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
    """Whether the quadratic part of V alone has closed level sets; V may be positive without."""
    return _ellipse(_floats(certificate.P), 1.0) is not None


def _draw_levels(axes: Axes, form: Array, top: float) -> None:
    for k, level in enumerate((1.0, 0.5, 0.2, 0.05)):
        points = _ellipse(form, level * top)
        if points is not None:
            label = "level sets of V" if k == 0 else None
            axes.plot(points[0], points[1], color=COLORS["soft"], linewidth=0.8, linestyle=(0, (2, 2)), label=label)


def _starts(form: Array) -> Array:
    points = _ellipse(form, 1.0)
    if points is None:
        angle = np.linspace(0, 2 * np.pi, 13)[:-1]
        return np.column_stack([np.cos(angle), np.sin(angle)])
    return np.asarray(points.T[:-1:20])


def _flow(closed: Array, start: Array, horizon: float, steps: int = 1200) -> Array:
    from scipy.linalg import expm

    step = np.asarray(expm(closed * horizon / steps))
    path = np.empty((steps + 1, 2))
    path[0] = start
    for k in range(steps):
        path[k + 1] = step @ path[k]
    return path


def _arrow(axes: Axes, path: Array) -> None:
    """A head where the path has covered a third of its length."""
    length = np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))
    k = int(np.searchsorted(length, length[-1] / 3))
    k = min(max(k, 0), len(path) - 2)
    axes.annotate(
        "", xy=tuple(path[k + 1]), xytext=tuple(path[k]),
        arrowprops={"arrowstyle": "-|>", "color": COLORS[SEEN], "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
