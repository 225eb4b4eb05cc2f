r"""How long shallow ReLU networks take from small weights: closed forms for the phases of training.

While the outputs are small a neuron that keeps seeing the same inputs obeys :math:`\dot a = w\cdot D`,
:math:`\dot w = aD` with a constant drive D. With :math:`x = \|D\|t` and :math:`c_0` the cosine between :math:`w(0)` and
:math:`\pm D`, the sign being that of a,

.. math::
    \cos\angle(t) = \tanh(x + \operatorname{artanh}c_0), \qquad \|w(t)\| = \|w(0)\|(\cosh x + c_0\sinh x).

Later, if the inputs of one sign have one norm c, :math:`M = \sum_j\|w_j\|^2` over the neurons that fit them is
logistic, :math:`\dot M = \frac{2c}n M(\|y_\pm\| - cM)`, as if it had started from
:math:`M_0 = \sum_j\|w_j(0)\|^2(1 + c_j)^2/4`.
So each phase takes :math:`\ln(1/\lambda)/\|D_\pm\| + O(1)` from weights of the size :math:`\lambda`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DimensionError, InvalidModelError
from .arguments import read_positive
from .orthogonal_data import OrthogonalData
from .relu_limits import find_drive
from .spectrum import Array
from .trajectories import Trajectory, read_numbers

__all__ = ["align", "find_seed", "follow_bundle", "grow", "half_time", "measure_half_time"]


def align(x: ArrayLike, cosine: float) -> Array:
    """The cosine between a small neuron and its drive at the scaled times ``x = |D| t``, from a given one.

    >>> align([0, 5], -0.5).round(4)
    array([-0.5   ,  0.9997])
    """
    if not isinstance(cosine, int | float) or not -1 < cosine < 1:
        raise InvalidModelError(f"cosine must lie between -1 and 1, both excluded, got {cosine!r}")
    return np.asarray(np.tanh(read_numbers(x, "x") + np.arctanh(cosine)))


def grow(x: ArrayLike, cosine: float) -> Array:
    """The norm of a small balanced neuron at scaled times, divided by that at the start.

    >>> grow([0, 5], -0.5).round(4)
    array([ 1.    , 37.1083])
    """
    scaled = read_numbers(x, "x")
    return np.asarray(np.cosh(scaled) + cosine * np.sinh(scaled))


def find_seed(data: OrthogonalData, outer: ArrayLike, weights: ArrayLike, sign: int) -> float:
    r"""The effective start :math:`M_0` of the neurons of one sign, if they see all inputs of that sign and go on so.

    Parameters
    ----------
    data : OrthogonalData
        Inputs and labels.
    outer, weights : array_like, shapes (m,) and (m, d)
        The balanced neurons at the start; those of the other sign are left out.
    sign : int
        1 or -1.
    """
    a, W = read_numbers(outer, "outer"), read_numbers(weights, "weights")
    if a.ndim != 1 or W.shape != (len(a), data.X.shape[1]):
        raise DimensionError(
            f"outer and weights must have shapes (m,) and (m, {data.X.shape[1]}), got {a.shape}, {W.shape}"
        )
    W, a = W[np.any(W, axis=1)], a[np.any(W, axis=1)]
    chosen, drive = W[sign * a > 0], find_drive(data, sign)
    sizes = np.linalg.norm(chosen, axis=1)
    cosines = chosen @ drive / np.linalg.norm(drive) / sizes
    return float(np.sum(sizes**2 * (1 + cosines) ** 2) / 4)


def half_time(data: OrthogonalData, sign: int, seed: float) -> float:
    r"""When the labels of one sign are fitted to one half: :math:`\ln(\|y_\pm\|/(cM_0))/(2\|D_\pm\|)`.

    Parameters
    ----------
    data : OrthogonalData
        Inputs and labels; the inputs of this sign have one norm c.
    sign : int
        1 or -1.
    seed : float
        M_0 as `find_seed` gives it; terms of its order are left out.

    Raises
    ------
    InvalidModelError
        If the norms differ, or the seed is not below half of what is learnt.

    Examples
    --------
    >>> data = OrthogonalData.read([[1, 0], [0, 1]], [1, "-1/2"])
    >>> seed = 1e-6 * (1 + np.cos(0.7)) ** 2 / 4
    >>> round(half_time(data, 1, seed), 4), round(half_time(data, -1, seed), 4)
    (14.0657, 26.7451)
    """
    top = _find_top(data, sign)
    if not read_positive(seed, "seed") < top / 2:
        raise InvalidModelError(f"seed must be > 0 and below half of {top:g}, got {seed!r}")
    return float((np.log(top) - np.log(seed)) / (2 * np.linalg.norm(find_drive(data, sign))))


def follow_bundle(data: OrthogonalData, sign: int, seed: float, times: ArrayLike) -> Array:
    """The part of the labels of one sign that is fitted at given times: the logistic curve; shape (T,)."""
    speed = 2 * float(np.linalg.norm(find_drive(data, sign)))
    return np.asarray(1 / (1 + np.exp(-speed * (read_numbers(times, "times") - half_time(data, sign, seed)))))


def measure_half_time(run: Trajectory, outputs: ArrayLike, label: float) -> float:
    """When an output along a trajectory first is half its label, from samples, by interpolation.

    Raises
    ------
    InvalidModelError
        If it is not between two samples.
    """
    part = np.asarray(outputs, dtype=float) / label
    late = int(np.argmax(part >= 0.5))
    if not part[late] >= 0.5 or late == 0:
        raise InvalidModelError("the output must pass half its label between two samples; simulate longer or earlier")
    return float(np.interp(0.5, part[late - 1 : late + 1], run.t[late - 1 : late + 1]))


def _find_top(data: OrthogonalData, sign: int) -> float:
    chosen = data.side(sign)
    norms = {data.squares[k] for k in chosen}
    if len(norms) != 1:
        raise InvalidModelError(
            f"the inputs with labels of sign {sign} must have one norm, or the bundle is not logistic; their squares "
            f"are {sorted(map(float, norms))}"
        )
    return float(np.linalg.norm(data.y[list(chosen)]) / np.sqrt(float(norms.pop())))
