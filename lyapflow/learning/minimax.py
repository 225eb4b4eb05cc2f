"""Gradient descent-ascent on a regularised bilinear game: which V proves it, and which steps it bears."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ..dynamics import LureSystem
from ..errors import InvalidModelError, VerificationError
from ..exact.definite import is_positive_semidefinite
from ..exact.matrices import Matrix, add, inverse, matrix, multiply, quadratic_value, rank, scale, shape, transpose
from ..exact.multivariate import variables
from ..exact.rationals import as_text, rational, shorten
from .arguments import FixedModel, read_count, read_positive, require_floats
from .equilibria import EquilibriumClass
from .evidence import PROVED, Refutation, Verdict
from .spectrum import Array
from .trajectories import Trajectory, follow, read_state

__all__ = [
    "MinimaxFlow",
    "prove_dissipation",
    "prove_step_limit",
    "refute_bilinear_steps",
    "refute_strictness",
]


class MinimaxFlow(FixedModel):
    r"""Descent in :math:`\theta` and ascent in :math:`\omega` of a game that is linear in :math:`\theta`.

    .. math:: \dot\theta = -A^\top\omega - \lambda C\theta, \qquad \dot\omega = A\theta - b - B\omega

    for :math:`\min_\theta\max_\omega\ \omega^\top(A\theta - b) - \tfrac12\omega^\top B\omega
    + \tfrac\lambda2\theta^\top C\theta`, the form that functional minimax problems take for linear features.

    Parameters
    ----------
    A : (m, n) array_like
        Coupling.
    b : (m,) array_like
        Right side.
    B : (m, m) array_like
        Symmetric, positive semidefinite: the Gram matrix of the adversary's features.
    C : (n, n) array_like
        Symmetric, positive semidefinite: that of the regulariser.
    decay : rational, default 0
        :math:`\lambda \ge 0`.

    Raises
    ------
    InvalidModelError
        If a shape does not fit, B or C is not positive semidefinite, or the game has not one saddle point.

    Notes
    -----
    A host for Zhu, Zhang, Wang, Yang, Chen, arXiv 2404.12312, where f and g are wide networks and the dynamics is
    stochastic; here the features stand still. `loss` is half the squared distance to the saddle point.

    Examples
    --------
    >>> game = MinimaxFlow([[2]], [1], [[1]], [[1]], decay="3/10")
    >>> [str(v) for v in game.saddle]
    ['20/43', '-3/43']
    >>> game.vector_field(0, [0.0, 0.0])
    array([ 0., -1.])
    """

    def __init__(self, A: object, b: object, B: object, C: object, *, decay: object = 0) -> None:
        self.A, self.B, self.C = (matrix(v, name=n) for v, n in ((A, "A"), (B, "B"), (C, "C")))
        self.decay = rational(decay, name="decay")
        column = matrix([b], name="b")
        (m, n), forms = shape(self.A), {"B": self.B, "C": self.C}
        if shape(self.B) != (m, m) or shape(self.C) != (n, n) or shape(column) != (1, m):
            raise InvalidModelError(
                f"A of shape {(m, n)} needs b of shape {(m,)}, B of shape {(m, m)} and C of shape {(n, n)}, got "
                f"{shape(column)[1:]}, {shape(self.B)}, {shape(self.C)}"
            )
        for name, form in forms.items():
            if form != transpose(form) or not is_positive_semidefinite(form):
                raise InvalidModelError(f"{name} must be symmetric and positive semidefinite")
        for name, form in {"A": self.A, "b": column, **forms}.items():
            require_floats((v for row in form for v in row), name)
        require_floats((self.decay,), "decay")
        if self.decay < 0:
            raise InvalidModelError(f"decay must be >= 0, got {self.decay}")
        if rank(self.dynamics) < n + m:
            raise InvalidModelError("the game must have one saddle point, and its matrix is singular")
        target = transpose(((*(Fraction(0),) * n, *column[0]),))
        self.saddle = tuple(row[0] for row in multiply(inverse(self.dynamics), target))
        self._matrix = np.array(self.dynamics, dtype=float)
        self._rest = np.array(self.saddle, dtype=float)
        self._right = np.array([row[0] for row in target], dtype=float)

    def __repr__(self) -> str:
        rows = (
            "[" + ", ".join("[" + ", ".join(map(shorten, r)) + "]" for r in m) + "]" for m in (self.A, self.B, self.C)
        )
        A, B, C = rows
        return f"MinimaxFlow(A={A}, B={B}, C={C}, decay={self.decay})"

    @property
    def dynamics(self) -> Matrix:
        """The matrix of the linear flow in deviations z from the saddle point, z' = (that) z."""
        down = scale(-self.decay, self.C)
        upper = tuple((*d, *(-v for v in a)) for d, a in zip(down, transpose(self.A), strict=True))
        lower = tuple((*a, *(-v for v in b)) for a, b in zip(self.A, self.B, strict=True))
        return (*upper, *lower)

    @property
    def system(self) -> LureSystem:
        """The flow around its saddle point, for `certify`."""
        return LureSystem(self.dynamics, name=f"descent-ascent, decay {self.decay}")

    def iteration(self, step: object) -> LureSystem:
        """Simultaneous descent-ascent with a step h, z+ = z + h z', for `certify`."""
        h = rational(step, name="step")
        n = len(self.dynamics)
        one = tuple(tuple(Fraction(i == j) for j in range(n)) for i in range(n))
        return LureSystem(add(one, scale(h, self.dynamics)), dt=1, name="descent-ascent, iterated")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state: theta, then omega."""
        return (len(self.saddle),)

    def vector_field(self, t: float, x: ArrayLike) -> Array:
        """The time derivative of the state; t has no say."""
        return self._matrix @ read_state(x, self.shape) - self._right

    def jacobian(self, x: ArrayLike) -> Array:
        """Derivative of the vector field."""
        return self._matrix.copy()

    def loss(self, x: ArrayLike) -> float:
        """Half the squared distance to the saddle point; it never grows."""
        away = read_state(x, self.shape) - self._rest
        return float(away @ away) / 2

    def invariants(self, x: ArrayLike) -> dict[str, Array]:
        """None are known."""
        return {}

    def simulate(
        self,
        x0: ArrayLike,
        t_eval: ArrayLike,
        *,
        method: str = "DOP853",
        rtol: float = 1e-9,
        atol: float | None = None,
    ) -> Trajectory:
        """Integrate the flow numerically; see `SymmetricFactorization.simulate`."""
        return follow(self, x0, t_eval, method=method, rtol=rtol, atol=atol)

    def iterate(self, x0: ArrayLike, step: float, count: int) -> Array:
        """Iterates of simultaneous descent-ascent, shape (count + 1, n + m)."""
        count, step = read_count(count, "count", least=0), read_positive(step, "step")
        found = np.empty((count + 1, *self.shape))
        found[0] = read_state(x0, self.shape, "x0")
        for k in range(count):
            found[k + 1] = found[k] + step * self.vector_field(0.0, found[k])
        return found

    def equilibria(self) -> tuple[EquilibriumClass, ...]:
        """The saddle point of the game, with the real parts of its eigenvalues; it is where `loss` is least."""
        real = np.sort(np.linalg.eigvals(self._matrix).real)[::-1]
        spectrum = tuple((float(v), 1) for v in real)
        return (EquilibriumClass(kind="minimum", selection=(), spectrum=spectrum, loss=0.0, dimension=0),)


def prove_dissipation(game: MinimaxFlow) -> Verdict:
    r"""That :math:`V = \tfrac12|z|^2` falls as :math:`-\lambda\theta^\top C\theta - \omega^\top B\omega`, exactly.

    Raises
    ------
    VerificationError
        If it does not.

    Examples
    --------
    >>> prove_dissipation(MinimaxFlow([[2]], [0], [[1]], [[1]])).reason
    'the symmetric part of the flow is minus the block diagonal of 0 C and B'
    """
    M = game.dynamics
    n, m = len(game.C), len(game.B)
    wanted = (
        *((*row, *(Fraction(0),) * m) for row in scale(-game.decay, game.C)),
        *((*(Fraction(0),) * n, *row) for row in scale(Fraction(-1), game.B)),
    )
    found = scale(Fraction(1, 2), add(M, transpose(M)))
    if found != tuple(map(tuple, wanted)):
        raise VerificationError("V' is another one", inequality="dissipation", witness=found)
    return Verdict(
        statement=f"V = |z|^2 / 2 falls along {game!r}: V' = -lambda theta' C theta - omega' B omega",
        reason=f"the symmetric part of the flow is minus the block diagonal of {as_text(game.decay)} C and B",
        standing=PROVED,
    )


def refute_strictness(game: MinimaxFlow) -> Refutation | None:
    r"""Refute that :math:`V = \tfrac12|z|^2` falls strictly: a z other than 0 with :math:`\dot V = 0`.

    Returns
    -------
    Refutation or None
        None if there is none among the unit vectors: with C and B positive definite and lambda > 0, V is strict.

    Examples
    --------
    >>> print(refute_strictness(MinimaxFlow([[2]], [0], [[1]], [[1]])).witness)
    z = (1, 0): V = 1/2 and V' = 0
    >>> refute_strictness(MinimaxFlow([[2]], [0], [[1]], [[1]], decay=1)) is None
    True
    """
    M, size = game.dynamics, len(game.saddle)
    change = scale(Fraction(1, 2), add(M, transpose(M)))
    for k in range(size):
        z = tuple(Fraction(i == k) for i in range(size))
        if not quadratic_value(change, z):
            return Refutation(
                statement=f"V = |z|^2 / 2 falls strictly, so that it proves a rate ({game!r})",
                witness=f"z = ({', '.join(map(as_text, z))}): V = 1/2 and V' = 0",
                standing=PROVED,
            )
    return None


def prove_step_limit(coupling: object, decay: object) -> Verdict:
    r"""Descent-ascent of the scalar game with B = C = 1 converges exactly for :math:`h < (1+\lambda)/(\lambda+a^2)`.

    The eigenvalues of the iteration lie inside the unit circle if and only if its determinant is below 1 and its trace
    is, in size, below one plus the determinant (Jury's conditions). The first is the limit; the second holds for all
    h > 0 where the eigenvalues of the flow are complex.

    Parameters
    ----------
    coupling : rational
        a.
    decay : rational
        :math:`\lambda \ge 0`, with :math:`(1-\lambda)^2 < 4a^2`, so that the eigenvalues are complex.

    Raises
    ------
    InvalidModelError
        If they are not.
    VerificationError
        If a condition does not have the form it should have.

    Examples
    --------
    >>> print(prove_step_limit(2, "3/10").statement)
    z+ = z + h z' converges for 0 < h < 13/43 and for no h >= 13/43 (a = 2, lambda = 3/10)
    """
    a, decayed = rational(coupling, name="coupling"), rational(decay, name="decay")
    if decayed < 0 or (1 - decayed) ** 2 >= 4 * a * a:
        raise InvalidModelError(
            f"the limit is for decay >= 0 and complex eigenvalues, (1 - decay)^2 < 4 coupling^2, got decay {decayed}, "
            f"coupling {a}"
        )
    (h,) = variables(["h"])
    rows = [[1 - decayed * h, -a * h], [a * h, 1 - h]]
    determinant, trace = rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0], rows[0][0] + rows[1][1]
    limit = (1 + decayed) / (decayed + a * a)
    upper, lower = 1 + determinant - trace, 1 + determinant + trace
    # 1 - det = h (h_max - h)(decay + a^2); 1 + det - trace = (decay + a^2) h^2; the other is a square plus a positive
    # multiple of h^2
    weight = decayed + a * a
    rest = (weight - (1 + decayed) ** 2 / 4) * h**2
    square = (2 - (1 + decayed) / 2 * h) ** 2
    if (
        (1 - determinant) - weight * h * (limit - h)
        or upper - weight * h**2
        or lower - square - rest
        or weight <= (1 + decayed) ** 2 / 4
    ):
        raise VerificationError("Jury's conditions are other ones", inequality="step limit", witness=determinant)
    return Verdict(
        statement=f"z+ = z + h z' converges for 0 < h < {shorten(limit)} and for no h >= {shorten(limit)} "
        f"(a = {shorten(a)}, lambda = {shorten(decayed)})",
        reason=f"1 - det = {shorten(weight)} h ({shorten(limit)} - h); 1 + det - trace = {shorten(weight)} h^2; "
        "1 + det + trace is a square plus a positive multiple of h^2",
        standing=PROVED,
    )


def refute_bilinear_steps(coupling: object, step: object) -> Refutation:
    """Refute that descent-ascent converges on the bilinear game, B = 0 and no regulariser: each step is an expansion.

    Raises
    ------
    InvalidModelError
        If the coupling or the step is 0.

    Examples
    --------
    >>> print(refute_bilinear_steps(2, "1/10").witness)
    from (1, 0) the squared distance is multiplied by 26/25 in each step
    """
    a, h = rational(coupling, name="coupling"), rational(step, name="step")
    if not a or not h:
        raise InvalidModelError(f"coupling and step must not be 0, got {a} and {h}")
    theta, omega = variables(["theta", "omega"])
    after = (theta - h * a * omega) ** 2 + (omega + h * a * theta) ** 2
    growth = 1 + h * h * a * a
    if after - growth * (theta**2 + omega**2):
        raise VerificationError("the step is no similarity", inequality="bilinear game", witness=after)
    return Refutation(
        statement=f"descent-ascent with the step {as_text(h)} converges on the game {as_text(a)} theta omega",
        witness=f"from (1, 0) the squared distance is multiplied by {as_text(growth)} in each step",
        standing=PROVED,
    )
