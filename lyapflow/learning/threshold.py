r"""Threshold networks on the line: their training is a lasso over all patterns that a threshold can make.

A layer of units :math:`s_j1\{x \ge b_j\}` or :math:`s_j1\{x \le b_j\}` sees the data only through 0-1 patterns, so a
two-layer network with weight decay is :math:`\min_w\tfrac12|Dw - y|^2 + c|w|_1`, with the patterns as columns of D
(Ergen, Gulluk, Lacotte, Pilanci, arXiv 2303.03382).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InvalidModelError, VerificationError
from ..exact.matrices import Matrix, inverse, multiply, rank, transpose
from ..exact.rationals import as_text, rational, shorten
from .arguments import FixedModel, read_row, require_floats
from .equilibria import EquilibriumClass
from .evidence import PROVED, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["ThresholdNetwork", "prove_optimum", "refute_gradient_training"]


class ThresholdNetwork(FixedModel):
    r"""The forward-backward flow of the convex problem that training a threshold network is.

    .. math:: \dot w = \mathrm{prox}_{\gamma c|\cdot|_1}\!\left(w - \gamma D^\top(Dw - y)\right) - w

    Parameters
    ----------
    inputs : sequence of n rationals
        Different.
    labels : sequence of n rationals
        y.
    decay : rational
        c > 0.

    Raises
    ------
    InvalidModelError
        If an argument is out of its range.

    Notes
    -----
    The step :math:`\gamma = 1/\mathrm{tr}(D^\top D)` is below the inverse of the largest eigenvalue.

    Examples
    --------
    >>> network = ThresholdNetwork([0, 1, 2], [0, 3, 3], decay="1/2")
    >>> [[int(v) for v in row] for row in network.patterns]
    [[1, 0, 0, 1, 1], [1, 1, 0, 0, 1], [1, 1, 1, 0, 0]]
    >>> [str(v) for v in network.optimum]
    ['0', '11/4', '0', '0', '0']
    """

    def __init__(self, inputs: Sequence[object], labels: Sequence[object], *, decay: object) -> None:
        self.inputs, self.labels = (read_row(given, name) for given, name in ((inputs, "inputs"), (labels, "labels")))
        self.decay = rational(decay, name="decay")
        if len(self.inputs) != len(self.labels) or len(set(self.inputs)) < len(self.inputs) or len(self.inputs) < 2:
            raise InvalidModelError("there must be two or more different inputs, and a label for each")
        require_floats((*self.inputs, *self.labels, self.decay), "inputs, labels and decay")
        if self.decay <= 0:
            raise InvalidModelError(f"decay must be > 0, got {self.decay}")
        self._D, self._y = np.array(self.patterns, dtype=float), np.array(self.labels, dtype=float)
        self._step = 1 / float(np.sum(self._D**2))

    def __repr__(self) -> str:
        inputs, labels = (", ".join(map(shorten, v)) for v in (self.inputs, self.labels))
        return f"ThresholdNetwork([{inputs}], [{labels}], decay={self.decay})"

    @property
    def patterns(self) -> Matrix:
        """The matrix D, shape (n, 2 n - 1): units that see x >= b for falling n, then those that see x <= b."""
        n = len(self.inputs)
        place = {v: k for k, v in enumerate(sorted(self.inputs))}
        return tuple(
            tuple([Fraction(place[v] >= k) for k in range(n)] + [Fraction(place[v] < k) for k in range(1, n)])
            for v in self.inputs
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state, one weight for each pattern."""
        return (2 * len(self.inputs) - 1,)

    def loss(self, x: ArrayLike) -> float:
        """Half the squared error, and the decay times the sum of absolute weights."""
        w = read_state(x, self.shape)
        return float(np.sum((self._D @ w - self._y) ** 2) / 2 + float(self.decay) * np.sum(np.abs(w)))

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state; t has no say."""
        w = read_state(x, self.shape)
        moved = w - self._step * self._D.T @ (self._D @ w - self._y)
        return np.sign(moved) * np.maximum(np.abs(moved) - self._step * float(self.decay), 0) - w

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """None are known."""
        return {}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "RK45",
        rtol: float = 1e-8,
        atol: float | None = 1e-10,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    @property
    def optimum(self) -> tuple[Fraction, ...]:
        """A solution of the convex problem, exactly: the signs are found by coordinate descent in floats.

        Raises
        ------
        VerificationError
            If the signs that were found do not lead to a solution.
        """
        return _solve(self, _find_signs(self._D, self._y, float(self.decay)))

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The solutions of the convex problem, at the one of `optimum`."""
        at = np.array(self.optimum, dtype=float)
        return (EquilibriumClass(kind="minimum", selection=(), spectrum=(), loss=self.loss(at), dimension=0),)


def prove_optimum(network: ThresholdNetwork) -> Verdict:
    r"""That a network is the best of all widths: rational weights that satisfy the optimality conditions exactly.

    With :math:`r = D^\top(y - Dw)`: :math:`r_k = c\,\mathrm{sign}(w_k)` where w is not 0, and :math:`|r_k| \le c`
    elsewhere. The problem is convex, so that is enough.

    Raises
    ------
    VerificationError
        If they do not.

    Examples
    --------
    >>> print(prove_optimum(ThresholdNetwork([0, 1], [0, 3], decay="1/2")).statement)
    one unit is best among threshold networks of all widths: loss 11/8 (ThresholdNetwork([0, 1], [0, 3], decay=1/2))
    """
    w, D = network.optimum, network.patterns
    away = [
        y - sum((d * v for d, v in zip(row, w, strict=True)), Fraction(0))
        for y, row in zip(network.labels, D, strict=True)
    ]
    slopes = [sum((d * r for d, r in zip(column, away, strict=True)), Fraction(0)) for column in transpose(D)]
    for v, slope in zip(w, slopes, strict=True):
        if slope != (network.decay if v > 0 else -network.decay) if v else abs(slope) > network.decay:
            raise VerificationError("an optimality condition fails", inequality="optimality", witness=slope)
    loss = sum((r * r for r in away), Fraction(0)) / 2 + network.decay * sum(map(abs, w), Fraction(0))
    count = sum(1 for v in w if v)
    units = "one unit is" if count == 1 else f"{count} units are"
    return Verdict(
        statement=f"{units} best among threshold networks of all widths: loss {shorten(loss)} ({network!r})",
        reason=f"weights ({', '.join(shorten(v) for v in w)}) satisfy the optimality conditions of the convex problem",
        standing=PROVED,
    )


def refute_gradient_training(network: ThresholdNetwork) -> Refutation:
    """Refute that the gradient tells how to move thresholds: it vanishes wherever it exists, at a loss above the best.

    The witness is one unit with its threshold between two inputs and the best height for it: no small change of the
    threshold changes any pattern.

    Raises
    ------
    VerificationError
        If no such unit is worse than the best network.

    Examples
    --------
    >>> print(refute_gradient_training(ThresholdNetwork([0, 1, 2], [0, 3, 3], decay="1/2")).witness)
    one unit 1{x >= 3/2} with the height 5/2: each threshold in (1, 2) gives the loss 47/8, the best network has 23/16
    """
    ordered = sorted(zip(network.inputs, network.labels, strict=True))
    best = _loss(network, network.optimum)
    for k in range(len(ordered) - 1, 0, -1):
        above = [y for _, y in ordered[k:]]
        total = sum(above, Fraction(0))
        height = max(abs(total) - network.decay, Fraction(0)) / len(above) * (1 if total > 0 else -1)
        weights = [Fraction(0)] * network.shape[0]
        weights[k] = height
        loss = _loss(network, weights)
        if height and loss > best:
            low, high = ordered[k - 1][0], ordered[k][0]
            return Refutation(
                statement=f"the gradient moves the thresholds of a network that is not the best ({network!r})",
                witness=f"one unit 1{{x >= {as_text((low + high) / 2)}}} with the height {shorten(height)}: each "
                f"threshold in ({as_text(low)}, {as_text(high)}) gives the loss {shorten(loss)}, the best network has "
                f"{shorten(best)}",
                standing=PROVED,
            )
    raise VerificationError("every such unit is as good as the best", inequality="gradient training", witness=best)


def _loss(network: ThresholdNetwork, w: Sequence[Fraction]) -> Fraction:
    rows = zip(network.labels, network.patterns, strict=True)
    errors = (y - sum((d * v for d, v in zip(row, w, strict=True)), Fraction(0)) for y, row in rows)
    return sum((e * e for e in errors), Fraction(0)) / 2 + network.decay * sum(map(abs, w), Fraction(0))


def _find_signs(D: Array, y: Array, decay: float) -> list[int]:
    """Signs of a solution of the lasso, by coordinate descent."""
    w, squares = np.zeros(D.shape[1]), np.sum(D**2, axis=0)
    for _ in range(20_000):
        before = w.copy()
        for k in range(len(w)):
            slope = D[:, k] @ (y - D @ w) + squares[k] * w[k]
            w[k] = np.sign(slope) * max(abs(slope) - decay, 0.0) / squares[k]
        if np.max(np.abs(w - before)) <= 1e-15 * max(1.0, float(np.max(np.abs(w)))):
            break
    w[np.abs(w) < 1e-9 * max(1.0, float(np.max(np.abs(w))))] = 0.0
    while (at := np.flatnonzero(w)).size > (rank_at := np.linalg.matrix_rank(D[:, at]) if at.size else 0):
        null = np.linalg.svd(D[:, at])[2][rank_at]  # a move along which the loss is constant; one weight vanishes
        first = int(np.argmax(np.abs(null / w[at])))
        w[at] -= null * (w[at][first] / null[first])
        w[at[first]] = 0.0
    return [int(s) for s in np.sign(w)]


def _solve(network: ThresholdNetwork, signs: Sequence[int]) -> tuple[Fraction, ...]:
    """The weights with given signs at which the gradient of the smooth part balances the decay."""
    at = [k for k, s in enumerate(signs) if s]
    found = [Fraction(0)] * network.shape[0]
    if at:
        columns = tuple(tuple(row[k] for k in at) for row in network.patterns)
        gram = multiply(transpose(columns), columns)
        if rank(gram) < len(at):
            raise VerificationError("the patterns of the solution are dependent", inequality="optimum", witness=at)
        right = [
            sum((row[j] * y for row, y in zip(columns, network.labels, strict=True)), Fraction(0))
            - network.decay * signs[k]
            for j, k in enumerate(at)
        ]
        for k, (value,) in zip(at, multiply(inverse(gram), tuple((v,) for v in right)), strict=True):
            found[k] = value
    return tuple(found)
