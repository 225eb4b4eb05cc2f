"""The factorization flow as a cascade: closed forms of its three subsystems, and of the state, at any time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ...errors import InvalidModelError
from ...learning import SymmetricFactorization
from ...learning.spectrum import Array
from ...learning.trajectories import read_state
from .bounds import StageConstants, bound_stages, measure_constants
from .claims import StageBound, claim_bounds
from .gaps import SpectralGaps, measure_gaps
from .limits import Limit, find_limit
from .propagators import Stages, separate, square
from .starts import EchelonStart, RankCondition, read_start
from .states import ThinState, make_thin

__all__ = ["SchurCascade", "schur"]

_LONGEST = 1e300


class SchurCascade:
    r"""Closed forms along one trajectory of a `SymmetricFactorization`; made by `schur`.

    In the eigenbasis of M, in the order of falling eigenvalues, ``P = V'XX'V`` has blocks for the k positive
    eigenvalues and for the others, and

    .. math:: S = P_{22} - P_{21}P_{11}^{-1}P_{12},\quad H = P_{21}P_{11}^{-1},\quad Y = P_{11}^{-1}.

    `S`, `H`, `P11`, `Y`, `bounds` and `certificates` need the rank condition (`condition`); the state has a closed
    form from every start. All times may be a number or an array; an array of T times gives a first axis of length T.
    The evaluation is in floating point, and accurate to its working precision at all times.

    Parameters
    ----------
    flow : SymmetricFactorization
        The flow.
    X0 : array_like, shape (n, r)
        State at ``t = 0``.
    """

    def __init__(self, flow: SymmetricFactorization, X0: ArrayLike) -> None:
        if not isinstance(flow, SymmetricFactorization):
            raise InvalidModelError(
                f"flow must be a lyapflow.learning.SymmetricFactorization, got {type(flow).__name__}"
            )
        self._flow = flow
        self._x0 = read_state(X0, flow.shape, "X0").copy()
        self._x0.flags.writeable = False

    def __repr__(self) -> str:
        return f"SchurCascade({self._flow!r}: {self.condition.explain()}; limit: {self.limit.kind})"

    @property
    def flow(self) -> SymmetricFactorization:
        """The flow."""
        return self._flow

    @property
    def X0(self) -> Array:
        """The start; read-only."""
        return self._x0

    @cached_property
    def _start(self) -> EchelonStart:
        return read_start(self._flow.spectrum, self._x0)

    @cached_property
    def _stages(self) -> Stages:
        return separate(self._start)

    @cached_property
    def _state(self) -> ThinState:
        return make_thin(self._flow.spectrum, self._start)

    @property
    def condition(self) -> RankCondition:
        """The rank condition and the numbers behind it."""
        return self._start.condition

    @cached_property
    def limit(self) -> Limit:
        """Where the trajectory goes: the sum over the selected directions, whether they are all or not."""
        return find_limit(self._flow.spectrum, self._start, rank=self._flow.rank)

    def factor(self, t: ArrayLike) -> Array:
        """W with ``W W' = X(t) X(t)'``, shape (n, r): the state up to a rotation of its columns.

        Parameters
        ----------
        t : float or array_like, shape (T,)
            Times >= 0.
        """
        times = self._read_times(t)
        found = self._state.factors(times.ravel())
        return found if times.ndim else found[0]

    def P(self, t: ArrayLike) -> Array:
        """``X(t) X(t)'``, shape (n, n), in the given coordinates."""
        return self._sample(lambda s: square(self.factor(s)), t)

    def S(self, t: ArrayLike) -> Array:
        """The Schur complement, shape (n - k, n - k), in the eigenbasis.

        Raises
        ------
        InvalidModelError
            If P11 is singular at the start, so that there is none.
        """
        self._require_condition("S")
        return self._sample(lambda s: square(self._stages.spare_factor(s)), t)

    def H(self, t: ArrayLike) -> Array:
        """``P21 P11^-1``, shape (n - k, k), in the eigenbasis; refused as `S` is."""
        self._require_condition("H")
        return self._sample(lambda s: self._stages.at(s)[0], t)

    def P11(self, t: ArrayLike) -> Array:
        """The block of the positive eigenvalues, shape (k, k); refused as `S` is."""
        self._require_condition("P11")
        return self._sample(lambda s: square(self._state.rows(s)[: self.condition.needed]), t)

    def Y(self, t: ArrayLike) -> Array:
        """The inverse of P11, shape (k, k); refused as `S` is."""
        self._require_condition("Y")
        return self._sample(lambda s: self._stages.at(s)[1] + np.diag(1 / self._stages.upper), t)

    def loss(self, t: ArrayLike) -> Array | float:
        """The loss along the trajectory."""
        return _plain(self._sample(lambda s: np.asarray(self._state.excess(s) + self.limit.loss), t))

    def excess(self, t: ArrayLike) -> Array | float:
        """The loss less that of the limit, accurate where the difference is tiny."""
        return _plain(self._sample(lambda s: np.asarray(self._state.excess(s)), t))

    @cached_property
    def gaps(self) -> SpectralGaps:
        """What is proved, or computed, of the spectrum: the source of all rates."""
        return measure_gaps(self._flow)

    @cached_property
    def _constants(self) -> StageConstants:
        self._require_condition("bounds")
        return measure_constants(self._stages, self._x0, self.gaps, is_exact_basis=self._flow.is_diagonal)

    def bounds(self, t: ArrayLike) -> dict[str, Array | float]:
        """Upper bounds at given times, one for each of `certificates`, by its name.

        Their form and rates are those of the certificates; their constants are computed in floating point from the
        start and rounded up by more than the error that is expected of them.

        Raises
        ------
        InvalidModelError
            If the rank condition fails.
        """
        constants, times = self._constants, self._read_times(t)
        return {name: _plain(value) for name, value in bound_stages(constants, times).items()}

    @cached_property
    def certificates(self) -> tuple[StageBound, ...]:
        """What bounds each stage and the whole; none if the rank condition fails, see `condition`."""
        return claim_bounds(self._constants, self.gaps) if self.condition.holds else ()

    def _read_times(self, t: ArrayLike) -> Array:
        try:
            times = np.asarray(t, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidModelError(f"t must be a number, or a sequence of numbers, got {t!r:.80}") from None
        if times.ndim > 1 or not np.all(np.isfinite(times)) or np.any(times < 0):
            raise InvalidModelError(f"t must be finite and >= 0, in at most one dimension, got {t!r:.80}")
        most = _LONGEST / max(1.0, float(np.abs(self._flow.spectrum.values).max()))
        if np.any(times > most):
            raise InvalidModelError(f"t must be at most {most:g}, so that no exponent overflows, got {times.max():g}")
        return times

    def _sample(self, of: Callable[[float], Array], t: ArrayLike) -> Array:
        times = self._read_times(t)
        if times.ndim == 0:
            return of(float(times))
        first = of(float(times[0])) if times.size else of(0.0)
        found = np.empty((times.size, *first.shape))  # one array, filled in: a list would take the memory twice
        for k, s in enumerate(times):
            found[k] = of(float(s)) if k else first
        return found

    def _require_condition(self, what: str) -> None:
        if not self.condition.holds:
            raise InvalidModelError(
                f"{what} needs P11 to be invertible: V1'X0 must have full row rank, and {self.condition.explain()}. "
                f"P, factor, loss, excess and limit need no such thing; the limit is a {self.limit.kind} of rank "
                f"{self.condition.rank}"
            )


def schur(flow: SymmetricFactorization, X0: ArrayLike) -> SchurCascade:
    r"""Solve the factorization flow from a start, as a cascade of three subsystems.

    Parameters
    ----------
    flow : SymmetricFactorization
        The flow :math:`\dot X = (M - XX^\top)X`.
    X0 : array_like, shape (n, r)
        State at ``t = 0``: any, also rank deficient or zero.

    Raises
    ------
    DimensionError
        If X0 has another shape than the states of the flow.
    InvalidModelError
        If it is not finite.

    Notes
    -----
    Mohammadi, Tinati, Tu, Soltanolkotabi and Jovanović, arXiv 2411.15972. The Schur complement S moves on its own, and
    like 1/t where M has an eigenvalue 0 and r > k; H and the gap of P11 converge exponentially. Memory: the
    eigenvectors of M unless it is diagonal, and a few arrays of the size of the state.

    Examples
    --------
    >>> from lyapflow.learning import SymmetricFactorization
    >>> cascade = schur(SymmetricFactorization([2, 0, 0], rank=2), [[1, 0], [0.5, 1], [0, 0.5]])
    >>> cascade.S(1).round(6)
    array([[0.285714, 0.142857],
           [0.142857, 0.071429]])
    >>> round(float(cascade.P11(1)[0, 0]), 10), round(cascade.loss(1), 10)
    (1.9490039256, 0.0349506839)
    >>> cascade.limit.kind, [str(c.rate) for c in cascade.certificates if c.name in ("H", "Y")]
    ('minimum', ['2', '4'])
    """
    return SchurCascade(flow, X0)


def _plain(value: Array) -> Array | float:
    return value if value.ndim else float(value)
