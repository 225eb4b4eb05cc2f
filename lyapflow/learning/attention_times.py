r"""How long the plateau of sparse attention lasts: by integration, and by the formulas that have been proposed."""

from __future__ import annotations

from math import log
from typing import Literal

import numpy as np
from scipy.integrate import solve_ivp

from ..errors import InvalidModelError, SimulationError
from .arguments import read_name, read_positive
from .attention_scores import AttentionScores
from .sparse_attention import SparseAttention
from .spectrum import Array

__all__ = ["fit_plateaus", "linear_time", "logarithmic_time", "plateau_time", "scores_plateau_time"]

_LEVEL = 0.1
"""Loss at which the plateau is over in the paper: a fifth of that at the start."""


def plateau_time(
    model: SparseAttention, level: float = _LEVEL, *, of: Literal["test loss", "attention"] = "test loss"
) -> float:
    """Time from the start at zero until the test loss is down at a level, or the attention up at one (computed).

    The independent variable is one in which the state changes evenly, so that a plateau of any length costs some
    hundred steps.

    Parameters
    ----------
    model : SparseAttention
        Any T, d, B and p.
    level : float, default 0.1
        Of the loss, below that at the start; or of the attention to one relevant token, above that at the start.
    of : {"test loss", "attention"}, default "test loss"
        What is watched.

    Raises
    ------
    InvalidModelError
        If the level is passed at the start.
    SimulationError
        If it is not reached.

    Examples
    --------
    >>> print(f"{plateau_time(SparseAttention(512, 64, projection='paper')):.2f}")
    5319.27
    """
    start = np.zeros(model.shape)

    def gap(x: Array) -> float:
        return model.test_loss(x) - level if of == "test loss" else np.log(level / model.attention(x))

    read_name(of, ("test loss", "attention"), "of")
    level = read_positive(level, "level")
    if not gap(start) > 0:
        raise InvalidModelError(f"the {of} is beyond the level {level:g} at the start already")
    rate = model.growth

    def field(_: float, y: Array) -> Array:
        speed = model.vector_field(0.0, y[:-1]) / rate
        pace = 1 + float(np.sum(np.abs(speed) / (1 + np.abs(y[:-1]))))
        return np.append(speed, 1.0) / pace

    def over(_: float, y: Array) -> float:
        return gap(y[:-1])

    over.terminal = True  # type: ignore[attr-defined]
    found = solve_ivp(field, (0.0, 1e4), np.append(start, 0.0), method="DOP853", rtol=1e-11, atol=1e-13, events=over)
    if found.status != 1:
        raise SimulationError(f"the {of} does not reach {level:g}: {found.message}")
    return float(np.asarray(found.y_events)[0, 0, -1]) / rate


def scores_plateau_time(flow: AttentionScores, level: float = _LEVEL) -> float:
    """The same for the flow on all scores and W, integrated as it is, for p = 0.

    Examples
    --------
    >>> flow = AttentionScores(32, 4, repetition=2)
    >>> abs(scores_plateau_time(flow) / plateau_time(flow.reduction) - 1) < 1e-8
    True
    """
    if flow.reduction.probability:
        raise InvalidModelError("the loss is the test loss for p = 0 only")
    start = np.zeros(flow.shape)
    level = read_positive(level, "level")
    if not flow.loss(start) > level:
        raise InvalidModelError(f"level must be below the loss at the start, got {level:g}")

    def over(_: float, x: Array) -> float:
        return flow.loss(x) - level

    over.terminal = True  # type: ignore[attr-defined]
    end = 20 * flow.reduction.emergence_time + 100 * flow.reduction.d
    found = solve_ivp(flow.vector_field, (0.0, end), start, method="DOP853", rtol=1e-9, atol=1e-12, events=over)
    if found.status != 1:
        raise SimulationError(f"the loss does not reach {level:g}: {found.message}")
    return float(np.asarray(found.t_events)[0, 0])


def linear_time(model: SparseAttention, share: float) -> float:
    r"""Time to lower the loss by a share, :math:`\mathrm{arcsinh}(\varepsilon/\lambda)/(2\lambda)`, linearised.

    It says something for shares up to about :math:`1/(\sqrt d\,T)` only, one mode.
    """
    return float(np.arcsinh(read_positive(share, "share") / model.growth) / (2 * model.growth))


def logarithmic_time(model: SparseAttention, share: float, *, factor: int = 1) -> float:
    r"""The paper's time to learn a share of the loss, :math:`\frac{\sqrt d\,T}{2B}\ln(\varepsilon\sqrt d\,T/B)`.

    Parameters
    ----------
    model : SparseAttention
        With p = 0.
    share : float
        The share, > 0; at the end of the plateau 0.8.
    factor : {1, 2}, default 1
        Inside of the logarithm: 1 in eq. (6), 2 in the appendix.

    Notes
    -----
    Zucchet et al., arXiv 2505.17863, eq. (6). At a share of 0.8 it is not the length of the plateau; see
    `attention_refutations.refute_logarithm`.

    Examples
    --------
    >>> round(logarithmic_time(SparseAttention(512, 64), 0.8)), round(plateau_time(SparseAttention(512, 64)))
    (16578, 5314)
    """
    if not isinstance(factor, int) or isinstance(factor, bool) or factor not in (1, 2):
        raise InvalidModelError(f"factor must be 1 or 2, got {factor!r:.60}")
    size = float(np.sqrt(model.d)) * model.T / model.repetition
    return float(size / 2 * np.log(factor * read_positive(share, "share") * size))


def fit_plateaus(models: list[SparseAttention]) -> tuple[float, float, float, float]:
    r"""Least squares in logarithms: C and the exponents of d, T and B in the plateau :math:`C\,d^{e_d}T^{e_T}B^{e_B}`.

    A quantity that does not vary among the models has exponent 0 here, and is in C.
    """
    if not isinstance(models, list) or not models or not all(isinstance(m, SparseAttention) for m in models):
        raise InvalidModelError(f"models must be a list of SparseAttention, got {models!r:.60}")
    table = np.array([[log(m.d), log(m.T), log(m.repetition)] for m in models])
    varies = np.ptp(table, axis=0) > 0
    columns = np.column_stack([np.ones(len(models)), table[:, varies]])
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise InvalidModelError("the models must tell the exponents apart: vary d, T and B independently")
    found = np.linalg.lstsq(columns, np.log([plateau_time(m) for m in models]), rcond=None)[0]
    exponents = np.zeros(3)
    exponents[varies] = found[1:]
    return float(np.exp(found[0])), *map(float, exponents)  # type: ignore[return-value]
