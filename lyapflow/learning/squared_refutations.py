"""What is believed of small homogeneous networks and false, each with a witness in exact or enclosed arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..errors import InvalidModelError, VerificationError
from ..exact.elementary import bound_log_above
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, rational, show_above, show_below
from ..exact.solutions import enclose_solution
from .arguments import read_row
from .evidence import PROVED, Refutation
from .squared_evidence import bound_speed, prove_origin
from .squared_relu import SquaredReLU

__all__ = ["refute_first_plateau", "refute_logarithmic_escape", "refute_origin_minimum", "refute_strict_saddles"]

_NONE = Fraction(0)


def refute_logarithmic_escape(
    network: SquaredReLU, slope: object, offset: object = 0, *, radius: object = "1/10"
) -> Refutation:
    r"""Refute :math:`T\le A\ln(1/\delta) + B` for the time from a norm :math:`\delta` to a radius, with given A and B.

    From every start, :math:`T\ge(1/\delta - 1/\rho)/c` with the c of `bound_speed`.

    Parameters
    ----------
    network : SquaredReLU
        Which flow.
    slope, offset : rationals
        A and B as they are claimed, A >= 0.
    radius : rational, default 1/10
        The :math:`\rho > 0` at which the origin counts as left.

    Examples
    --------
    >>> network = SquaredReLU([[1, 0], [0, 1]], [1, "-3/5"], width=4)
    >>> print(refute_logarithmic_escape(network, 1000).witness)
    from every start of norm 2^-14 it takes at least 14180.2, and A ln(1/d) + B <= 9704.07
    """
    A, B, rho = rational(slope, name="slope"), rational(offset, name="offset"), rational(radius, name="radius")
    if A < 0 or not rho > 0:
        raise InvalidModelError(f"slope must be >= 0 and radius > 0, got {A} and {rho}")
    c, two = bound_speed(network), bound_log_above(Fraction(2))
    power = 1
    while not ((least := (2**power - 1 / rho) / c) > (claimed := A * power * two + B) and 2**power * rho > 1):
        power += 1
    return Refutation(
        statement=f"{network!r} leaves the origin, |theta| = {as_text(rho)}, in at most A ln(1/d) + B from the norm "
        "d, with A = "
        f"{as_text(A)}, B = {as_text(B)}",
        witness=f"from every start of norm 2^-{power} it takes at least {show_below(least, 6)}, and A ln(1/d) + B <= "
        f"{show_above(claimed, 6)}",
        standing=PROVED,
    )


def refute_origin_minimum(network: SquaredReLU) -> Refutation:
    """The Hessian of the origin is zero, so positive semidefinite, and the origin is no local minimum.

    Raises
    ------
    VerificationError
        If the loss does not fall along the ray.
    """
    verdict = prove_origin(network)
    return Refutation(
        statement=f"the origin of {network!r} is a local minimum, because its Hessian is positive semidefinite",
        witness=f"the Hessian is 0; {verdict.reason}, negative for all small s > 0",
        standing=verdict.standing,
    )


def refute_strict_saddles(network: SquaredReLU) -> Refutation:
    """Not every saddle is strict: the one that has learnt all labels of one sign, with labels of the other left.

    To the second order the loss does not fall from there: what is learnt adds a square, and a label that is left has
    the opposite sign, so it pushes back what a neuron that has learnt sees of it. But a neuron that is zero lowers the
    loss, to the third order.

    Raises
    ------
    InvalidModelError
        If the labels have one sign only, or there are no neurons to spare.
    """
    data = network.data
    first = 1 if data.side(1) else -1
    learnt, left = data.side(first), data.side(-first)
    if not left or network.width < 2:
        raise InvalidModelError(f"there must be labels of both signs and a spare neuron, got {network!r}")
    (s,) = variables(["s"])
    k = left[0]
    y, q = data.labels[k], data.squares[k]
    change = ((y + first * s**3 * q**2) ** 2 - y**2) / 2  # v = -first s, w = s x_k
    rates = [first * data.labels[i] for i in left]
    if any(rate >= 0 for rate in rates) or change.terms[min(change.terms)] >= 0:
        raise VerificationError("the saddle is strict, or a minimum", inequality="strict", witness=rates)
    return Refutation(
        statement=f"every saddle of {network!r} is strict",
        witness=f"where labels {[i + 1 for i in learnt]} are learnt, and the others are not seen: what is left has the "
        "opposite sign, so no eigenvalue is above 0; with a spare neuron v "
        "= "
        f"{'-' if first > 0 else ''}s, w = s x_{k + 1} the loss changes by {change} < 0 for small s > 0",
        standing=PROVED,
    )


def refute_first_plateau(
    network: SquaredReLU, start: Sequence[object], *, times: Sequence[object], level: object
) -> Refutation:
    r"""Refute that the first plateau is that of the strongest label alone, where labels are close, by enclosures.

    The solution of one neuron from a rational start is enclosed at three times. As the loss falls, it is near
    :math:`\frac12\sum_{i\ge2}y_i^2` at most from the first to the second; after the third it is at most `level`. It
    cannot fall below half the squares of the labels of the other sign, as v keeps its sign: :math:`2v^2 = \|w\|^2 + c`
    with c > 0.

    Parameters
    ----------
    network : SquaredReLU
        One neuron, inputs e_1, ..., e_n, the first label the strongest.
    start : sequence of rationals, length n + 1
        v and the w_i at t = 0, with ``|w|^2 < 2 v^2``.
    times : three rationals
        Just before and after the loss passes the level that is claimed, and when it has come down.
    level : rational
        What the loss is at most at the third time.

    Raises
    ------
    VerificationError
        If the enclosures say something else.
    InvalidModelError
        If the network or the start are of another kind.
    """
    data = network.data
    n = len(data.labels)
    state, moments = read_row(start, "start"), read_row(times, "times")
    axes = tuple(tuple(Fraction(i == k) for k in range(n)) for i in range(n))
    sign = 1 if data.labels[0] > 0 else -1
    if data.inputs != axes or network.width != 1 or len(state) != n + 1 or len(moments) != 3:
        raise InvalidModelError("there must be one neuron, inputs e_1, ..., e_n, n + 1 weights and three times")
    v0, weights = state[0], state[1:]
    if not (sign * v0 > 0 and sum((w * w for w in weights), _NONE) < 2 * v0 * v0):
        raise InvalidModelError("start must have v of the sign of the first label, and |w|^2 < 2 v^2")
    names = variables(["v", *(f"w{i + 1}" for i in range(n))])
    v, seen = names[0], [names[i + 1] if weights[i] > 0 else None for i in range(n)]
    rests = [y - (v * w**2 if w is not None else 0 * v) for y, w in zip(data.labels, seen, strict=True)]
    none = 0 * v
    equations = [
        _sum(none, [r * w**2 for r, w in zip(rests, seen, strict=True) if w is not None]),
        *(none if w is None else 2 * v * r * w for r, w in zip(rests, seen, strict=True)),
    ]
    boxes = enclose_solution(equations, state, moments)
    losses = [_enclose_loss(data.labels, box, [w is not None for w in seen]) for box in boxes]
    claimed = sum((y * y for y in data.labels[1:]), _NONE) / 2
    least = sum((y * y for y in data.labels if y * sign < 0), _NONE) / 2
    top, margin = rational(level, name="level"), claimed / 5
    if not (losses[0][0] > claimed + margin and losses[1][1] < claimed - margin and losses[2][1] <= top):
        raise VerificationError(
            "the losses are not as said", inequality="plateau", witness=[tuple(map(float, loss)) for loss in losses]
        )
    return Refutation(
        statement=f"small {network!r} first wait near the loss {as_text(claimed)}, where the strongest label alone is "
        "learnt",
        witness=f"from (v, w) = ({', '.join(map(as_text, state))}) the loss is above {show_below(losses[0][0], 6)} at "
        "t = "
        f"{as_text(moments[0])} and below {show_above(losses[1][1], 6)} at t = {as_text(moments[1])}: no wait; from t "
        "= "
        f"{as_text(moments[2])} on it is between {as_text(least)} and {show_above(losses[2][1], 8)}, for ever",
        standing=PROVED,
    )


def _enclose_loss(
    labels: tuple[Fraction, ...], box: tuple[tuple[Fraction, Fraction], ...], seen: list[bool]
) -> tuple[Fraction, Fraction]:
    low = high = _NONE
    v = box[0]
    for label, w, is_seen in zip(labels, box[1:], seen, strict=True):
        if not is_seen:
            low, high = low + label**2 / 2, high + label**2 / 2
            continue
        squares = sorted((w[0] * w[0], w[1] * w[1])) if w[0] > 0 else [_NONE, max(w[0] * w[0], w[1] * w[1])]
        products = [a * b for a in v for b in squares]
        ends = label - max(products), label - min(products)
        least = _NONE if ends[0] <= 0 <= ends[1] else min(e * e for e in ends)
        low, high = low + least / 2, high + max(e * e for e in ends) / 2
    return low, high


def _sum(none: Polynomial, terms: list[Polynomial]) -> Polynomial:
    total = none
    for term in terms:
        total = total + term
    return total
