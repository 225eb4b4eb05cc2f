r"""How small homogeneous networks leave the origin: rays of the correlation, times, the limit path, the saddle.

Near the origin a network that is homogeneous of degree L follows :math:`N(\theta) = \sum_iy_iH(x_i;\theta)`. On the
unit sphere N has points with :math:`\nabla N(\theta^*) = LN^*\theta^*`, and along a ray with :math:`N^* > 0` the norm
obeys :math:`\dot r = LN^*r^{L-1}` to first order: it escapes at :math:`T_\delta` (`escape_time`) from :math:`\delta`.

For the squared ReLU on orthogonal inputs, L = 3, the rays of one neuron belong to the labels:

.. math::
    v = \pm\frac1{\sqrt3}, \qquad w = \sqrt{\frac23}\frac{x_i}{\|x_i\|}, \qquad N^* = \frac{2|y_i|\|x_i\|^2}{3\sqrt3} .

The solution on such a ray is known, :math:`\dot v = 2q_iv^2(y_i - 2q_iv^3)` with :math:`q_i = \|x_i\|^2`, and goes to
the saddle :math:`v^* = (y_i/2q_i)^{1/3}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit

from ..errors import InvalidModelError
from .arguments import read_count, read_index, read_positive
from .equilibria import EquilibriumClass
from .orthogonal_data import OrthogonalData
from .spectrum import Array
from .trajectories import read_numbers

__all__ = [
    "Ray",
    "absorb",
    "enumerate_learnt",
    "escape_time",
    "find_rays",
    "follow_ray",
    "growth_rate",
    "plateau_per_decade",
    "ray_time",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """A point of the unit sphere where the correlation is stationary and positive: one neuron, one label.

    Attributes
    ----------
    label : int
        Which, counted from 0.
    value : float
        N* of the point.
    curvature : float
        The largest second derivative of N along the sphere, over inputs that the neuron sees.
    is_maximum : bool
        Whether no curvature is above zero, for a neuron that sees all inputs: a second-order point. Decided exactly.
    """

    label: int
    value: float
    curvature: float
    is_maximum: bool


def find_rays(data: OrthogonalData) -> tuple[Ray, ...]:
    """The rays of one neuron, in the order of the labels.

    Examples
    --------
    >>> data = OrthogonalData.read([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [1, "0.8", "-0.6"])
    >>> [(round(ray.value, 6), ray.is_maximum) for ray in find_rays(data)]
    [(0.3849, True), (0.30792, False), (0.23094, True)]
    """
    found = []
    for k, (label, square) in enumerate(zip(data.labels, data.squares, strict=True)):
        strength, sign = abs(label) * square, 1 if label > 0 else -1
        others = [sign * y * q - strength for y, q in zip(data.labels, data.squares, strict=True)]
        del others[k]
        top = max([-2 * strength, *others])  # -4/sqrt 3 between v and w, -2/sqrt 3 of other neurons
        found.append(
            Ray(
                label=k,
                value=2 * float(strength) / 27**0.5,
                curvature=2 * float(max(top, -strength)) / 3**0.5,
                is_maximum=all(gap <= 0 for gap in others),
            )
        )
    return tuple(found)


def escape_time(value: float, size: float, *, degree: int) -> float:
    r"""The time :math:`T_\delta` along a ray from the norm :math:`\delta`: a logarithm for L = 2, a power for L > 2.

    Parameters
    ----------
    value : float
        N* > 0 of the ray.
    size : float
        The :math:`\delta > 0`.
    degree : int
        L >= 2.

    Returns
    -------
    float
        :math:`\ln(1/\delta)/(2N^*)`, or :math:`1/(L(L-2)N^*\delta^{L-2})`.

    Examples
    --------
    >>> round(escape_time(2 / 27**0.5, 1e-2, degree=3), 5)
    86.60254
    >>> round(escape_time(0.5, 1e-2, degree=2), 5)
    4.60517
    """
    value, size, degree = (
        read_positive(value, "value"),
        read_positive(size, "size"),
        read_count(degree, "degree", least=2),
    )
    if degree == 2:
        return -float(np.log(size)) / (2 * value)
    return float(1 / (degree * (degree - 2) * value * size ** (degree - 2)))


def ray_time(data: OrthogonalData, label: int, part: ArrayLike) -> Array:
    r"""When the solution on a ray has learnt a part of its label, counted from :math:`T_\delta` as :math:`\delta\to0`.

    .. math::
        t - T_\delta = -\frac1{2qyv} + \int_0^v\frac{u\,du}{y(y - 2qu^3)}, \qquad 2qv^3 = \text{part}\cdot y,

    an elementary function. From a finite :math:`\delta` it is the difference of two such times.

    Parameters
    ----------
    data : OrthogonalData
        Inputs and labels.
    label : int
        Which ray.
    part : array_like
        Of the label, 0 < part < 1.

    Examples
    --------
    >>> data = OrthogonalData.read([[1, 0], [0, 1]], [1, "-0.6"])
    >>> ray_time(data, 0, [0.5]).round(6)
    array([-0.535624])
    """
    parts = read_numbers(part, "part")
    if not np.all((parts > 0) & (parts < 1)):
        raise InvalidModelError("part must lie between 0 and 1, both excluded")
    y, q, top = _scales(data, label)
    s = np.cbrt(parts)
    return np.asarray(-1 / (2 * q * y * top * s) + top**2 / y**2 * _integral(s, np.log1p(-s)))


def follow_ray(data: OrthogonalData, label: int, times: ArrayLike) -> Array:
    r"""The limit path: the part of the label that is learnt at given times :math:`t - T_\delta`; shape (T,)."""
    wanted = np.atleast_1d(read_numbers(times, "times"))
    if wanted.ndim != 1 or not np.all(np.isfinite(wanted)):
        raise InvalidModelError(f"times must be finite, in one dimension, got {times!r:.60}")
    y, q, top = _scales(data, label)

    def gap(u: float, t: float) -> float:
        # s = v/v* by its logit u: both ends of the path are far away
        s, rest = float(expit(u)), -float(np.logaddexp(0, u))
        return float(-1 / (2 * q * y * top * s) + top**2 / y**2 * _integral(np.array(s), np.array(rest)) - t)

    logits = [brentq(gap, -600.0, 1e9, args=(float(t),), xtol=1e-13) for t in wanted]
    return np.asarray(expit(np.array(logits)) ** 3)


def absorb(data: OrthogonalData, group: Sequence[int]) -> tuple[float, Array]:
    r"""The balanced neuron that has learnt a group of labels of one sign alone.

    :math:`v^3 = \frac12\sum y_i/q_i` and :math:`w = \sum\sqrt{y_i/v}\,x_i/q_i`; the norm of the neuron is
    :math:`\sqrt3|v|`.

    Raises
    ------
    InvalidModelError
        If the group is empty or has labels of both signs.
    """
    if isinstance(group, str) or not isinstance(group, Sequence):
        raise InvalidModelError(f"a group must be a row of indices of labels, got {group!r:.60}")
    chosen = [read_index(k, len(data.labels), "label") for k in group]
    y = data.y[chosen] if chosen else np.zeros(0)
    if not len(y) or np.ptp(np.sign(y)):
        raise InvalidModelError(f"a group must have labels of one sign, at least one, got {chosen}")
    v = float(np.cbrt(np.sum(y / data.q[chosen]) / 2))
    return v, np.asarray(np.sqrt(y / v) / data.q[chosen] @ data.X[chosen])


def growth_rate(data: OrthogonalData, learnt: int, label: int) -> float:
    r"""The rate :math:`2v^*y_kq_k` at which a neuron that has learnt one label takes up another; below 0 it lets go."""
    label = read_index(label, len(data.labels), "label")
    return 2 * absorb(data, [learnt])[0] * float(data.y[label] * data.q[label])


def plateau_per_decade(data: OrthogonalData, learnt: int, label: int) -> float:
    r"""How much longer the plateau between two labels lasts for each decade of the start.

    Directions contract like :math:`r^{-(1 - y_k/y_1)}`, so the other weight is :math:`O(\delta^{1-y_k/y_1})` at the
    escape: :math:`(1 - y_kq_k/y_1q_1)\ln10/(2v^*y_kq_k)`.
    """
    learnt, label = (read_index(k, len(data.labels), name) for k, name in ((learnt, "learnt"), (label, "label")))
    ratio = float(data.y[label] * data.q[label] / (data.y[learnt] * data.q[learnt]))
    if not 0 < ratio < 1:
        raise InvalidModelError(f"the label that waits must be weaker and of the same sign, got the ratio {ratio:g}")
    return (1 - ratio) * float(np.log(10)) / growth_rate(data, learnt, label)


def enumerate_learnt(data: OrthogonalData, width: int) -> Iterator[EquilibriumClass]:
    """One class for each set of labels that is learnt, by one balanced neuron each, if there are enough neurons.

    The spectrum is that of the Jacobian from the side on which all inputs are seen: -12 v^4 q^2 for each neuron that
    has learnt, 2 v y_k q_k for each such neuron and each label that is left, and zeros. Neurons that are zero have
    zeros only, as the field is of the second order there; so a saddle whose labels that are left have other signs than
    those learnt is nonstrict, and so is the origin; without a neuron that is zero it is a local minimum with that loss.
    A class selects the labels, once each.
    """
    n, d = data.X.shape
    for size in range(min(n, width) + 1):
        for learnt in combinations(range(n), size):
            left = [k for k in range(n) if k not in learnt]
            modes: dict[float, int] = {}
            for i in learnt:
                v, _ = absorb(data, [i])
                values = [-12 * v**4 * float(data.q[i]) ** 2, *(2 * v * float(data.y[k] * data.q[k]) for k in left)]
                for value in values:
                    modes[value] = modes.get(value, 0) + 1
            modes[0.0] = width * (d + 1) - sum(modes.values())
            is_stuck = size == width and max(modes) <= 0  # no neuron is left for labels of the other sign
            kind = "strict saddle" if max(modes) > 0 else "nonstrict saddle"
            yield EquilibriumClass(
                kind=kind if left and not is_stuck else "minimum",
                selection=tuple((float(data.y[i]), 1) for i in learnt),
                spectrum=tuple(sorted(((v, c) for v, c in modes.items() if c), reverse=True)),
                loss=float(np.sum(data.y[left] ** 2)) / 2,
                dimension=0,
            )


def _scales(data: OrthogonalData, label: int) -> tuple[float, float, float]:
    label = read_index(label, len(data.labels), "label")
    y, q = abs(float(data.y[label])), float(data.q[label])
    return y, q, float(np.cbrt(y / (2 * q)))


def _integral(s: Array, log_rest: Array) -> Array:
    """The integral of u/(1 - u^3) from 0 to s < 1, with the logarithm of 1 - s."""
    turn = np.arctan((2 * s + 1) / np.sqrt(3)) - np.pi / 6
    return np.asarray(-log_rest / 3 + np.log1p(s + s * s) / 6 - turn / np.sqrt(3))
