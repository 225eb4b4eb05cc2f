"""All identities of the cascade, proved anew at each call, and rational points at which they are seen as well."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from ...errors import InvalidModelError
from ...exact.identities import Identity
from ...exact.matrices import Matrix, add, identity, inverse, multiply, transpose, zeros
from ...exact.words import Letter
from . import identities as stages
from . import solutions
from .identities import only, state_lyapunov, state_stages
from .solutions import state_solutions

__all__ = ["draw_point", "prove_identities", "state_identities"]


def state_identities() -> dict[str, Identity]:
    """Every identity by its name, derived anew."""
    return {one.name: one for one in (*state_stages(), *state_lyapunov(), *state_solutions())}


def prove_identities(*names: str) -> tuple[str, ...]:
    """Prove identities for matrices of every size.

    Parameters
    ----------
    *names : str
        Those to be proved; all, if none is named.

    Returns
    -------
    tuple of str
        Their statements.

    Raises
    ------
    VerificationError
        If one is not proved.
    InvalidModelError
        If there is none of a name.

    Examples
    --------
    >>> print(prove_identities("stage S")[0])
    S' = -L2 S - S L2 - 2 S S: the Schur complement S = P22 - P21 Y P12 moves on its own
    """
    known = state_identities()
    for name in names:
        if name not in known:
            raise InvalidModelError(f"an identity must be one of {', '.join(known)}, got {name!r}")
    chosen = [known[name] for name in names or known]
    for one in chosen:
        one.prove()
    return tuple(one.statement for one in chosen)


def draw_point(seed: int, *, start: bool = False) -> tuple[dict[Letter, Matrix], dict[str, int]]:
    """Rational matrices of random sizes for which all hypotheses hold, and those sizes.

    Parameters
    ----------
    seed : int
        Of Python's generator.
    start : bool, default False
        Whether t = 0.
    """
    draw = Random(seed)
    k, m, n = (draw.randint(1, 3) for _ in range(3))
    r = k + draw.randint(0, 2)

    def number() -> Fraction:
        return Fraction(draw.randint(-9, 9), draw.randint(1, 5))

    def rows(a: int, b: int) -> Matrix:
        return tuple(tuple(number() for _ in range(b)) for _ in range(a))

    def symmetric(size: int) -> Matrix:
        half = rows(size, size)
        return add(half, transpose(half))

    def diagonal(size: int) -> Matrix:
        values = [abs(number()) + 1 for _ in range(size)]
        return tuple(tuple(values[i] if i == j else Fraction(0) for j in range(size)) for i in range(size))

    first = rows(k, r)
    while True:
        gram = multiply(first, transpose(first))
        try:
            bottom = inverse(gram)
            break
        except InvalidModelError:
            first = rows(k, r)
    half = rows(m, 2)
    s0, theta, l1 = multiply(half, transpose(half)), zeros(m, m) if start else diagonal(m), diagonal(k)
    values = {
        stages.M: symmetric(n),
        stages.X: rows(n, r),
        stages.L1: l1,
        stages.L1_INV: inverse(l1),
        stages.L2: diagonal(m),
        stages.Z1: first,
        stages.Z2: rows(m, r),
        stages.P11: gram,
        stages.Y: bottom,
        stages.P21: rows(m, k),
        stages.P22: symmetric(m),
        stages.S: symmetric(m),
        stages.H: rows(m, k),
        solutions.E: identity(m) if start else diagonal(m),
        solutions.F: identity(k) if start else diagonal(k),
        solutions.THETA: theta,
        solutions.R: inverse(add(identity(m), multiply(s0, theta))),
        solutions.S0: s0,
        solutions.H0: rows(m, k),
        solutions.Y0: symmetric(k),
        solutions.L: diagonal(n),
        solutions.D: identity(n) if start else diagonal(n),
        solutions.Z0: rows(n, r),
        solutions.K: identity(r) if start else symmetric(r),
    }
    return {only(name): value for name, value in values.items()}, {"n": n, "k": k, "m": m, "r": r}
