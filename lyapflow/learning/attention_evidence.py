"""What is proved of sparse attention: its projection, its descent, its start, its plateau, and that it never rests."""

from __future__ import annotations

from fractions import Fraction

from ..errors import InvalidModelError, VerificationError
from ..exact.elementary import bound_sqrt_above, bound_sqrt_below
from ..exact.inertia import count_signs
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, rational, show_above, show_below
from ..exact.solutions import bracket_crossing
from .divergence_rates import PolynomialIdentity
from .evidence import PROVED, Verdict
from .sparse_attention import SparseAttention

__all__ = [
    "bracket_plateau",
    "enclose_start_eigenvalues",
    "prove_descent",
    "prove_no_equilibrium",
    "prove_plateau",
    "prove_projection",
    "prove_start",
    "state_identities",
]


def state_identities() -> tuple[PolynomialIdentity, ...]:
    """Identities of rational functions, denominators cleared, in the sizes too: so for every T, B and d.

    With u = 1 - s; M = T - B; Q the square of W, over d; R the slope of the loss in the attention of a relevant token.

    Examples
    --------
    >>> for identity in state_identities():
    ...     identity.prove()
    >>> [identity.name for identity in state_identities()]
    ['projection', 'slow manifold']
    """
    s, B, M, Q, R, n, m = variables(["s", "B", "M", "Q", "R", "n", "m"])
    u = 1 - s
    # attention s/B and u/M; slopes R and u Q / M; their mean g. Times M, the speeds of a score, less its attention:
    mean = M * s * R + u**2 * Q
    relevant, other = M * R - mean, u * Q - mean
    # E = above/below: the numerator of its derivative, by the quotient rule
    above, below = u**2 * n, u**2 * n + s**2 * m
    return (
        PolynomialIdentity(
            name="projection",
            statement="where relevant scores are equal and the others are equal, d(delta a)/dt = -(1/B + 1/(T-B)) "
            "dV/d(delta a)",
            left=-(s * M * relevant - u * B * other),
            right=-(M + B) * s * u * (M * R - u * Q),
        ),
        PolynomialIdentity(
            name="slow manifold",
            statement="with the best W each mode has a share E = n (1 - s)^2 / (n (1 - s)^2 + m s^2) of the loss it "
            "starts "
            "with, n, m > 0, and dE/ds = -2 n m s (1 - s) / (n (1 - s)^2 + m s^2)^2",
            left=above.derivative(0) * below - above * below.derivative(0),
            right=-2 * n * m * s * u,
        ),
    )


def prove_projection() -> Verdict:
    """The flow on all scores and W keeps to the plane of `SparseAttention`, with the gain 1/B + 1/(T - B).

    Examples
    --------
    >>> prove_projection().standing
    'proved'
    """
    identity = state_identities()[0]
    identity.prove()
    return Verdict(
        statement="from a = 0 and W = 0 the gradient flow on all T scores and W is SparseAttention with the exact "
        "projection, for every T, B < T, d and W* with columns of length 1",
        reason=f"{identity.statement}: an equality of polynomials in s, B, T - B and the slopes. Equal scores stay "
        f"equal, "
        "as their slopes are the same function of them; the slope in W is a combination of W and W* Sigma, so that W "
        "stays W* diag(v, ..., v) (with p > 0 one entry apart)",
        standing=PROVED,
    )


def prove_descent(model: SparseAttention) -> Verdict:
    """The loss falls along the flow: its derivative is minus a sum of squares, an exact identity.

    Raises
    ------
    VerificationError
        If it is not.
    """
    system = model.polynomial_system
    *v, s, u = system.variables
    *speeds, change, _ = system.equations
    squares = 0 * s
    for size, speed in zip(model.sizes, speeds, strict=True):
        squares = squares + size * speed**2
    # ds/dt = s u d(delta a)/dt, and d(delta a)/dt = -g s u (slope): so (d delta a/dt)^2 / g = -(slope) ds/dt
    slope = model.polynomial_loss.derivative(len(v)) - model.polynomial_loss.derivative(len(v) + 1)
    pieces = (
        (system.derivative_along(model.polynomial_loss), -squares + slope * change),
        (change, -model.gain * (s * u) ** 2 * slope),
    )
    for left, right in pieces:
        if rest := left - right:
            raise VerificationError(f"{model!r}: the sides differ by {rest}", inequality="descent", witness=rest)
    return Verdict(
        statement=f"dV/dt = -sum of (dw_k/dt)^2 - (d delta a/dt)^2 / ({as_text(model.gain)}) <= 0 ({model!r})",
        reason="polynomials in w/c, s and 1 - s, exact: the loss is a Lyapunov function",
        standing=PROVED,
    )


def prove_start(model: SparseAttention) -> Verdict:
    """The start a = 0, W = 0 is no equilibrium, and the Hessian of the loss has one negative eigenvalue there.

    Raises
    ------
    VerificationError
        If that is not so.
    """
    start, hessian = model.exact_start, _start_hessian(model)
    speeds = [e.evaluate(start) for e in model.polynomial_system.equations]
    positive, zero = count_signs(hessian)
    index = len(hessian) - positive - zero
    if not all(v > 0 for v in speeds[:-2]) or index != 1:
        raise VerificationError(f"{model!r}: speeds {speeds}, index {index}", inequality="start", witness=speeds)
    along = ""
    if not model.probability:
        # (1, 1) H (1, 1)' = A + 2 b with b < 0 and b^2 rational; not below 0 where d or T is small
        A, square = _start_numbers(model)
        low, high = enclose_start_eigenvalues(model)
        along = ", also along (w, delta a) = (1, 1)" if 4 * square > A**2 else ""
        along += (
            f"; its eigenvalues are in [{show_below(low[0])}, {show_above(low[1])}] "
            f"and [{show_below(high[0])}, {show_above(high[1])}]"
        )
    return Verdict(
        statement=f"the start is no equilibrium, and V bends down in exactly one direction there ({model!r})",
        reason=f"d(w/c)/dt = {', '.join(map(as_text, speeds[:-2]))}; one negative eigenvalue of the Hessian, counted "
        f"exactly{along}",
        standing=PROVED,
    )


def enclose_start_eigenvalues(model: SparseAttention) -> tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]:
    """Bounds of the two eigenvalues of the Hessian by (w, delta a) at the start, for p = 0.

    Examples
    --------
    >>> (low, _), (high, _) = enclose_start_eigenvalues(SparseAttention(512, 64))
    >>> f"{float(low):.3g} {float(high):.3g}"
    '-0.000229 0.000259'
    """
    A, square = _start_numbers(model)
    inside = A**2 + 4 * square
    roots = bound_sqrt_below(inside, digits=30), bound_sqrt_above(inside, digits=30)
    return ((A - roots[1]) / 2, (A - roots[0]) / 2), ((A + roots[0]) / 2, (A + roots[1]) / 2)


def prove_no_equilibrium() -> Verdict:
    """The flow has no equilibrium at finite states, and the infimum 0 of the loss is not attained.

    Examples
    --------
    >>> prove_no_equilibrium().standing
    'proved'
    """
    identity = state_identities()[1]
    identity.prove()
    return Verdict(
        statement="no finite state is critical, on all scores or in the plane, for every T, B < T, d and p: there "
        "is no "
        "equilibrium, no minimiser, and no start from which V converges exponentially",
        reason="V is strictly convex in W, so W is the best one at a critical point; then along the line that "
        "raises all "
        f"relevant scores alike, {identity.statement}. That is negative for every 0 < s < 1: an equality of "
        f"polynomials. "
        "V tends to 0 as s does to 1. If V - V_inf <= C exp(-r t), the length of the path is at most the sum over k of "
        "(V(k) - V_inf)^(1/2), finite (times a constant): the state has a limit, and that is critical",
        standing=PROVED,
    )


def bracket_plateau(model: SparseAttention, level: object = "1/10", *, digits: int = 8) -> tuple[Fraction, Fraction]:
    """Proved bounds of the time at which the loss crosses a level, from the start, for p = 0.

    The solution is enclosed step by step (`exact.solutions`); the loss does not rise (`prove_descent`).

    For a T of 1e11 and more the plateau is too flat for the boxes, which is said, and not passed over.

    Parameters
    ----------
    model : SparseAttention
        With p = 0.
    level : rational, default 1/10
        Between 0 and 1/2.
    digits : int, default 8
        Relative to the time.

    Raises
    ------
    VerificationError
        If the solution cannot be enclosed so far.

    Examples
    --------
    >>> low, high = bracket_plateau(SparseAttention(64, 16, repetition=4))
    >>> f"{float(low):.4f} {float(high):.4f}"
    '192.6251 192.6251'
    """
    bound = rational(level, name="level")
    if model.probability:
        raise InvalidModelError("the plateau is bracketed for p = 0, where the loss itself is what is watched")
    if not 0 < bound < Fraction(1, 2):
        raise InvalidModelError(f"level must lie between 0 and 1/2, got {level!r}")
    prove_descent(model)
    before = Fraction(10 * model.emergence_time + 100 * model.d)
    return bracket_crossing(
        model.polynomial_system.equations,
        model.exact_start,
        model.polynomial_loss,
        bound,
        before=before,
        digits=digits,
    )


def prove_plateau(model: SparseAttention) -> Verdict:
    """The length of the plateau between proved bounds, as a verdict."""
    low, high = bracket_plateau(model)
    return Verdict(
        statement=f"from the start at zero the loss reaches 1/10 at a time in [{show_below(low)}, {show_above(high)}], "
        f"and not before ({model!r})",
        reason="the solution of the exact polynomial system, enclosed by Taylor's formula with remainder in balls; the "
        "loss does not rise",
        standing=PROVED,
    )


def _start_numbers(model: SparseAttention) -> tuple[Fraction, Fraction]:
    """Of the Hessian [[A, b], [b, 0]] by (w, delta a) at the start: A and b^2."""
    if model.probability:
        raise InvalidModelError("the two eigenvalues are those of p = 0")
    hessian, size = _start_hessian(model), model.sizes[0]
    return hessian[0][0] / size, hessian[0][1] ** 2 / size


def _start_hessian(model: SparseAttention) -> tuple[tuple[Fraction, ...], ...]:
    """The Hessian by (w/c, delta a) at the start, exact; its signs are those by (w, delta a)."""
    count, start = len(model.sizes), model.exact_start
    *_, s, u = model.polynomial_system.variables

    def by_score(f: Polynomial) -> Polynomial:
        return s * u * (f.derivative(count) - f.derivative(count + 1))

    steps = [*(lambda f, k=k: f.derivative(k) for k in range(count)), by_score]
    return tuple(tuple(a(b(model.polynomial_loss)).evaluate(start) for a in steps) for b in steps)
