"""Gradient flows of deep linear networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..dynamics.polynomial import PolynomialSystem
from ..errors import DimensionError, InvalidModelError
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import rational
from . import layers as formulas
from .equilibria import EquilibriumClass
from .linear_equilibria import enumerate_learnt
from .mode_times import mode_strength
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = ["DeepLinearNetwork"]

_LARGEST = 10**100


class DeepLinearNetwork:
    r"""The flow :math:`\dot W_i = (W_1\cdots W_{i-1})^\top(\Sigma - P)(W_{i+1}\cdots W_h)^\top` of a linear network.

    With :math:`P = W_1\cdots W_h` it descends :math:`\tfrac12\|\Sigma - P\|_F^2`. A state is one row of numbers: the
    layers one after the other, each row by row; `split` and `join` translate.

    Parameters
    ----------
    widths : sequence of int
        Sizes d_0, ..., d_h of the layers of nodes, h >= 2; W_i has shape (d_{i-1}, d_i), and W_1 is at the output.
    target : array_like, shape (d_0, d_h) or (m,)
        What is learnt; one row of numbers is its diagonal. Floats stand for their exact values.

    Raises
    ------
    InvalidModelError
        If a width is not a positive integer, there are fewer than two layers, or an entry is not a finite number.
    DimensionError
        If the target does not fit the widths.

    Notes
    -----
    Wendin and Altafini, arXiv 2511.10362: with A the block-shift matrix of the layers (`adjacency`) and E that of the
    target in the place of :math:`A^h`, the flow is :math:`\dot A = \sum_j (A^{h-j})^\top(E - A^h)(A^{j-1})^\top`.

    Examples
    --------
    >>> network = DeepLinearNetwork([2, 2, 2, 2], [8, 1])
    >>> x = network.start_aligned([1, 1])
    >>> network.loss(x), network.vector_field(0, x)[:4]
    (24.5, array([7., 0., 0., 0.]))
    >>> [(e.kind, e.selection, e.loss) for e in network.equilibria()]  # doctest: +NORMALIZE_WHITESPACE
    [('minimum', ((8.0, 1), (1.0, 1)), 0.0), ('nonstrict saddle', ((8.0, 1),), 0.5),
     ('strict saddle', ((1.0, 1),), 32.0), ('nonstrict saddle', (), 32.5)]
    """

    def __init__(self, widths: Sequence[int], target: ArrayLike | Sequence[object]) -> None:
        sizes = tuple(widths) if isinstance(widths, Iterable) else (widths,)
        if len(sizes) < 3 or not all(
            isinstance(d, int | np.integer) and not isinstance(d, bool) and d >= 1 for d in sizes
        ):
            raise InvalidModelError(f"widths must be at least three integers >= 1, got {list(sizes)}")
        self._widths = tuple(map(int, sizes))
        self._exact = _read_target(target, (self._widths[0], self._widths[-1]))
        self._target = self._exact.astype(np.float64)
        for array in (self._exact, self._target):
            array.flags.writeable = False

    def __repr__(self) -> str:
        diagonal = np.diag(self._exact)
        if np.count_nonzero(self._exact) > np.count_nonzero(diagonal) or len(diagonal) > 6:
            rows = [f"[{', '.join(map(str, row))}]" for row in self._exact]
            target = f"[{', '.join(rows)}]" if self._exact.size <= 9 else "a target of many entries"
            return f"DeepLinearNetwork({list(self._widths)}, {target})"
        return f"DeepLinearNetwork({list(self._widths)}, [{', '.join(map(str, diagonal))}])"

    @property
    def widths(self) -> tuple[int, ...]:
        """The sizes d_0, ..., d_h."""
        return self._widths

    @property
    def depth(self) -> int:
        """The number of layers h."""
        return len(self._widths) - 1

    @property
    def target(self) -> Array:
        """The matrix that is learnt, read-only."""
        return self._target

    @property
    def exact_target(self) -> NDArray[Any]:
        """The same in fractions."""
        return self._exact

    @property
    def shape(self) -> tuple[int]:
        """Shape of the state: the number of weights."""
        return (sum(a * b for a, b in zip(self._widths, self._widths[1:], strict=False)),)

    def split(self, x: ArrayLike) -> list[Array]:
        """The layers W_1, ..., W_h of a state."""
        return self._cut(read_state(x, self.shape))

    def join(self, layers: Sequence[ArrayLike]) -> Array:
        """The state with the given layers.

        Raises
        ------
        DimensionError
            If a layer does not have the shape (d_{i-1}, d_i).
        """
        if len(layers) != self.depth:
            raise DimensionError(f"there must be {self.depth} layers, got {len(layers)}")
        shapes = zip(self._widths, self._widths[1:], strict=False)
        return np.concatenate(
            [
                read_state(w, shape, f"W_{i + 1}").ravel()
                for i, (w, shape) in enumerate(zip(layers, shapes, strict=True))
            ]
        )

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state, minus the gradient of the loss; t has no say."""
        return np.concatenate([w.ravel() for w in formulas.descend(self.split(x), self._target)])

    def loss(self, x: ArrayLike) -> float:
        r""":math:`\tfrac12\|\Sigma - W_1\cdots W_h\|_F^2`."""
        return float(formulas.squared_error(self.split(x), self._target))

    def hessian(self, x: ArrayLike) -> Array:
        """Second derivative of the loss, shape (n, n)."""
        return np.asarray(formulas.second_derivative(self.split(x), self._target))

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field, minus the Hessian; shape (n, n)."""
        return -self.hessian(x)

    def adjacency(self, x: ArrayLike) -> Array:
        """The block-shift matrix A of the layers: nilpotent, with all its eigenvalues zero."""
        return formulas.stack(self.split(x))

    def invariants(self, x: ArrayLike) -> dict[str, list[Array]]:
        """What the flow conserves: ``balance``, the interior diagonal blocks of ``A'A - AA'``."""
        return {"balance": formulas.balances(self.split(x))}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically, as `SymmetricFactorization.simulate` does; see `solve_aligned` too."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def equilibria(self) -> Iterator[EquilibriumClass]:
        """One class for each selection of singular values that can be learnt, described at its balanced aligned points.

        All critical points have a product of this kind and so one of these losses; their Hessian may have other signs
        than at the balanced point.
        """
        return enumerate_learnt(self._widths, self.singular_values.tolist())

    def represent(self, equilibrium: EquilibriumClass) -> Array:
        """The balanced aligned state of a class of `equilibria`."""
        strengths, left = np.zeros(len(self.singular_values)), dict(equilibrium.selection)
        for k, value in enumerate(self.singular_values.tolist()):
            if left.get(value, 0):
                strengths[k], left[value] = value, left[value] - 1
        return self.start_aligned(strengths)

    @property
    def singular_values(self) -> Array:
        """Of the target, falling; those of a diagonal target with entries >= 0 are its diagonal.

        Otherwise they are computed, and those within rounding of zero or of each other are set equal.
        """
        return self._frame[1]

    def start_aligned(self, strengths: ArrayLike) -> Array:
        """The balanced state whose product has the singular vectors of the target, and the given strengths.

        Parameters
        ----------
        strengths : array_like, shape (k,)
            Of the modes in the order of `singular_values`, at most as many as there are; those below zero need an odd
            number of layers. Each layer then has the entry ``|u|^(1/h)`` with the sign of u.

        Raises
        ------
        InvalidModelError
            If there are more nonzero strengths than the narrowest layer has nodes, or a sign is impossible.
        """
        u = np.atleast_1d(np.array(strengths, dtype=np.float64))
        left, values, right = self._frame
        active = np.flatnonzero(u)
        if u.ndim != 1 or len(u) > len(values) or len(active) > min(self._widths):
            raise InvalidModelError(
                f"there must be <= {len(values)} strengths, {min(self._widths)} of them not 0, got {strengths!r:.80}"
            )
        if np.any(u < 0) and self.depth % 2 == 0:
            raise InvalidModelError(f"with {self.depth} layers that are alike no strength is below 0, got {u.min():g}")
        roots = np.sign(u[active]) * np.abs(u[active]) ** (1 / self.depth)
        layers = [np.zeros(shape) for shape in zip(self._widths, self._widths[1:], strict=False)]
        for place, (k, root) in enumerate(zip(active, roots, strict=True)):
            for i, layer in enumerate(layers):
                layer[k if i == 0 else place, k if i == self.depth - 1 else place] = root
        layers[0], layers[-1] = left @ layers[0], layers[-1] @ right
        return self.join(layers)

    def solve_aligned(self, strengths: ArrayLike, t_eval: ArrayLike) -> Array:
        """Strengths of the modes from an aligned balanced start, in closed form; shape (T, k).

        Parameters
        ----------
        strengths : array_like, shape (k,)
            As in `start_aligned`; each is zero and stays so, or 0 < u_k < sigma_k.
        t_eval : array_like, shape (T,)
            Times >= 0.
        """
        u, times = (
            np.atleast_1d(np.array(strengths, dtype=np.float64)),
            np.atleast_1d(np.array(t_eval, dtype=np.float64)),
        )
        self.start_aligned(u)  # is it one?
        found = np.zeros((len(times), len(u)))
        for k in np.flatnonzero(u):
            found[:, k] = mode_strength(times, float(self.singular_values[k]), float(u[k]), depth=self.depth)
        return found

    def aligned_loss(self, strengths: ArrayLike) -> Array:
        """The loss of strengths as `solve_aligned` gives them; shape (T,)."""
        u = np.atleast_2d(np.asarray(strengths, dtype=np.float64))
        values = self.singular_values
        return np.sum((values[: u.shape[1]] - u) ** 2, axis=1) / 2 + float(np.sum(values[u.shape[1] :] ** 2)) / 2

    @cached_property
    def polynomials(self) -> PolynomialSystem:
        """The flow as exact polynomials of degree 2h - 1 in the weights ``w<layer>_<row>_<column>``."""
        layers = self.cut_exactly(list(variables(self._names)))
        equations = [entry for w in formulas.descend(layers, self._exact) for entry in w.ravel()]
        return PolynomialSystem(tuple(equations), name=f"deep linear network {list(self._widths)}")

    def cut_exactly(self, numbers: Sequence[Fraction | Polynomial]) -> list[NDArray[Any]]:
        """The layers of a state of exact numbers or polynomials."""
        flat = np.empty(self.shape, dtype=object)
        flat[:] = list(numbers)
        return self._cut(flat)

    @property
    def _names(self) -> list[str]:
        shapes = zip(self._widths, self._widths[1:], strict=False)
        return [f"w{i}_{a + 1}_{b + 1}" for i, (r, c) in enumerate(shapes, 1) for a in range(r) for b in range(c)]

    def _cut(self, flat: NDArray[Any]) -> list[NDArray[Any]]:
        shapes = list(zip(self._widths, self._widths[1:], strict=False))
        ends = np.cumsum([a * b for a, b in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]

    @cached_property
    def _frame(self) -> tuple[Array, Array, Array]:
        """Singular vectors and values: the target is left diag(values) right; both are square."""
        m = min(self._target.shape)
        diagonal = np.diag(self._target)
        if np.all(diagonal >= 0) and np.count_nonzero(self._target) == np.count_nonzero(diagonal):
            order = np.argsort(-diagonal, kind="stable")
            left = np.eye(self._widths[0])[:, [*order, *range(m, self._widths[0])]]
            right = np.eye(self._widths[-1])[[*order, *range(m, self._widths[-1])]]
            return left, diagonal[order], right
        left, values, right = np.linalg.svd(self._target)
        near = max(self._target.shape) * float(np.finfo(np.float64).eps) * values.max()
        values = np.where(values > near, values, 0.0)
        for k in range(1, m):
            if values[k - 1] - values[k] <= near:  # apart by rounding only: a class takes any directions of equal ones
                values[k] = values[k - 1]
        return left, values, right


def _read_target(target: object, shape: tuple[int, int]) -> NDArray[Any]:
    given = np.array(target, dtype=object)
    exact = np.full(shape, Fraction(0), dtype=object)
    if given.ndim == 1 and len(given) <= min(shape):
        for k, value in enumerate(given):
            exact[k, k] = rational(value, name=f"target[{k}]")
    elif given.shape != shape:
        raise DimensionError(
            f"target must have shape {shape}, or be a diagonal of at most {min(shape)} numbers, got shape {given.shape}"
        )
    else:
        for place, value in np.ndenumerate(given):
            exact[place] = rational(value, name=f"target{list(place)}")
    if max(map(abs, exact.ravel())) > _LARGEST:
        raise InvalidModelError(f"target must have entries up to {_LARGEST:.0e}, whose squares are floats; scale it")
    return exact
