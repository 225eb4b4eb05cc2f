r"""The classical bound of time-scale separation on the gain of a controller around a plant.

A formula in floating point, for comparison only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_continuous_lyapunov

from ..classes import GradientDominated, Quadratic, SlopeRestricted, SmoothConvex, SmoothStronglyConvex
from ..classes.curvature import read_data
from ..dynamics.plants import StablePlant, read_stable_plant
from ..errors import DimensionError, InvalidModelError
from ..exact.matrices import Matrix
from ..flows.feedback_optimization import Cost, read_costs

if TYPE_CHECKING:
    from control import StateSpace

__all__ = ["bound_classically", "classical_gain"]


def classical_gain(plant: StateSpace, f: Cost | tuple[Cost, Cost], *, weight: ArrayLike | None = None) -> float:
    r"""The gain below which time-scale separation guarantees convergence, by the classical formula.

    .. math:: \varepsilon^\star = \frac{\gamma}{\zeta\,\ell}, \qquad A^\top P + PA = -Q, \quad
              \gamma = \lambda_{\min}(Q), \quad \zeta = 2\,\|PA^{-1}B\|, \quad \ell = L\,\|H\|\,\|C\|

    with spectral norms, L the Lipschitz constant of the gradient of the cost in what is measured, H the steady-state
    map of its arguments (G for a cost of outputs; ``[I; G]`` for one function of inputs and outputs).

    Parameters
    ----------
    plant : control.StateSpace
        As in `feedback_optimization`.
    f : pair of costs, or OperatorClass
        As in `feedback_optimization`.
    weight : (n, n) array_like, optional
        Q, symmetric positive definite; default identity.

    Returns
    -------
    float
        Computed, not proved; ``inf`` for a plant without dynamics between input and output.

    Notes
    -----
    With the deviation :math:`\tilde x = x + A^{-1}Bu` from the steady state and the reduced cost
    :math:`\Phi(u) = f_u(u) + f_y(Gu + \text{const})`, along the closed loop
    :math:`\dot\Phi \le -|\dot u|^2/\varepsilon + \ell|\tilde x||\dot u|` and
    :math:`\tfrac{d}{dt}\tilde x^\top P\tilde x \le -\gamma|\tilde x|^2 + \zeta|\tilde x||\dot u|`; a weighted sum
    decreases if :math:`\varepsilon < \gamma/(\zeta\ell)`. This is the bound of Hauswirth, Bolognani, Hug and Dörfler
    (2021), with the quadratic Lyapunov function of a linear plant as in Menta et al. (2018); several
    functions of outputs count as one, with the largest of their constants.

    Examples
    --------
    >>> import control
    >>> import lyapflow as lf
    >>> plant = control.ss([[-1]], [[1]], [[1]], 0)
    >>> classical_gain(plant, (lf.SmoothStronglyConvex(1, 2), lf.SmoothConvex(4)))
    0.25
    """
    return bound_classically(read_stable_plant(plant), f, weight)


def bound_classically(plant: StablePlant, f: Cost | tuple[Cost, Cost], weight: ArrayLike | None = None) -> float:
    """The formula of `classical_gain` for a plant that is read already."""
    n, p, _ = plant.shape
    A, C, G, settled = (_floats(m) for m in (plant.A, plant.C, plant.steady_gain, plant.settled_state))
    Q = np.eye(n) if weight is None else read_data(weight, name="weight")
    if Q.shape != (n, n):
        raise DimensionError(f"weight must have shape {(n, n)}, one row and column per state, got {Q.shape}")
    if not np.array_equal(Q, Q.T) or np.linalg.eigvalsh(Q)[0] <= 0:
        raise InvalidModelError("weight must be symmetric and positive definite")
    measured = [(oracle, arguments) for oracle, arguments in read_costs(f, plant).functions if arguments[-1] >= p]
    if not measured:
        return float("inf")
    lipschitz = max(_read_lipschitz(oracle) for oracle, _ in measured)
    seen = [k for k in dict.fromkeys(k for _, arguments in measured for k in arguments)]
    H = np.vstack([np.eye(p), G])[seen]
    P = solve_continuous_lyapunov(A.T, -Q)
    outputs = [k - p for k in seen if k >= p]
    norm = lipschitz * np.linalg.norm(H, 2) * np.linalg.norm(C[outputs], 2)
    coupling = 2 * np.linalg.norm(P @ settled, 2) * norm
    return float(np.linalg.eigvalsh(Q)[0] / coupling) if coupling else float("inf")


def _read_lipschitz(oracle: object) -> float:
    if isinstance(oracle, SlopeRestricted):
        return float(max(abs(oracle.lower), abs(oracle.upper)))
    if not isinstance(oracle, SmoothConvex | SmoothStronglyConvex | Quadratic | GradientDominated):
        raise InvalidModelError(
            "the classical bound needs a class with an L: SmoothConvex, SmoothStronglyConvex, Quadratic, "
            f"GradientDominated or SlopeRestricted, got {oracle!r}"
        )
    return float(oracle.L)


def _floats(m: Matrix) -> NDArray[np.float64]:
    return np.array([[float(v) for v in row] for row in m])
