"""What is believed of shallow ReLU networks and false, each with a witness in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from ..errors import InvalidModelError, VerificationError
from ..exact.elementary import bound_log_above, bound_sqrt_above
from ..exact.multivariate import variables
from ..exact.rationals import as_text, ceil_to, rational
from . import relu_limits as limits
from .evidence import PROVED, Refutation
from .relu_evidence import exact_field, exact_loss, place_saddle
from .shallow_relu import ShallowReLU

__all__ = ["refute_every_balanced_start", "refute_fixed_rate", "refute_saddle_stability"]

_NONE = Fraction(0)
_MOST = 10_000  # digits of a start, about


def refute_saddle_stability(network: ShallowReLU, sign: int | None = None) -> Refutation:
    r"""The saddle that has learnt one sign is no strict local minimum of the loss, and not stable.

    Beside it a spare neuron :math:`a = \mp s, w = s\sum|y_k|x_k` over the labels that are left changes the loss by a
    polynomial in s, negative for small s > 0. As the loss never rises, no solution from there returns. In the cone of
    that neuron the flow is linear to first order, with the eigenvalue :math:`+\|D\|`.

    Parameters
    ----------
    network : ShallowReLU
        With labels of both signs.
    sign : int, optional
        Which sign is learnt; by default the first.

    Raises
    ------
    VerificationError
        If the point is no equilibrium, or the loss does not fall beside it.
    InvalidModelError
        If the labels have one sign only, or there is one neuron only.
    """
    data = network.data
    learnt = limits.order_signs(data)[0] if sign is None else sign
    if network.width < 2 or not (data.side(learnt) and data.side(-learnt)):
        raise InvalidModelError(f"there must be labels of both signs and a spare neuron, got {network!r}")
    outer, weights = place_saddle(data, learnt)
    n, left = len(data.labels), data.side(-learnt)
    spare = tuple(sum((abs(data.labels[k]) * data.inputs[k][c] for k in left), _NONE) for c in range(len(weights)))
    (s,) = variables(["s"])
    path = sum((data.labels[k] ** 2 * (1 - s**2 * data.squares[k]) ** 2 for k in left), 0 * s) / (2 * n)
    loss = exact_loss(data, (outer,), (weights,))
    at = Fraction(1, 10)
    while not path.evaluate([at]) < loss:
        at /= 10
    beside = exact_loss(data, (outer, -learnt * at), (weights, tuple(at * v for v in spare)))
    speed = exact_field(data, (outer,), (weights,))
    strength = limits.square_drive(data, -learnt)
    if any(speed[0]) or any(v for w in speed[1] for v in w) or beside != path.evaluate([at]) or not strength:
        raise VerificationError("the loss does not fall beside the saddle", inequality="saddle", witness=beside)
    return Refutation(
        statement=f"the first saddle of {network!r} is a strict local minimum, or stable",
        witness=f"equilibrium a = {as_text(outer)}, w = ({', '.join(map(as_text, weights))}), loss {as_text(loss)}; "
        f"with a second neuron a = {'-' if learnt > 0 else ''}s, w = s ({', '.join(map(as_text, spare))}) the loss is "
        f"{path}, less for all small s > 0: {as_text(beside)} at s = {as_text(at)}, and it never rises again. Small "
        f"such neurons grow with the rate |D|, |D|^2 = {as_text(strength)}",
        standing=PROVED,
    )


def refute_fixed_rate(network: ShallowReLU, rate: object, factor: object = 1) -> Refutation:
    r"""Refute :math:`V(t)\le Ce^{-ct}V(0)` for all balanced starts, with given c and C: one that is too small.

    Orthogonality is not needed: :math:`\frac{d}{dt}|\theta|^2 = \frac4n\sum_kr_kh_k\le2g|\theta|^2` with
    :math:`g = \frac1n\sum_k|y_k|\|x_k\|`, because :math:`|h_k|\le\frac12|\theta|^2\|x_k\|`. So
    :math:`|h_k|\le\frac1{10}|y_k|` up to a time T if :math:`|\theta(0)|^2e^{2gT}\le\frac15\min|y_k|/\|x_k\|`, and then
    :math:`V(T)\ge(0.9/1.1)^2V(0) > \frac12V(0)`.

    Parameters
    ----------
    network : ShallowReLU
        Which flow.
    rate : rational
        The V-rate c > 0 that is claimed.
    factor : rational, default 1
        The constant C > 0.

    Returns
    -------
    Refutation
        With a start, balanced and rational, and a time at which the bound is false.

    Examples
    --------
    >>> network = ShallowReLU([[1, 0], [0, 1]], [1, "-1/2"], width=2)
    >>> print(refute_fixed_rate(network, "1/10", 10).witness)  # doctest: +ELLIPSIS
    start a_1 = 1e-12, w_1 = 1e-12 e_1, others 0: V(30) >= 0.669 V(0), and C exp(-c 30) <= 0.5...
    """
    c, C = rational(rate, name="rate"), rational(factor, name="factor")
    if not (c > 0 and C > 0):
        raise InvalidModelError(f"rate and factor must be > 0, got {c} and {C}")
    data = network.data
    n = len(data.labels)
    until = Fraction(ceil(max(bound_log_above(2 * C) / c, Fraction(1))))  # C exp(-c T) <= 1/2
    norms = [bound_sqrt_above(q) for q in data.squares]
    g = sum((abs(y) * size for y, size in zip(data.labels, norms, strict=True)), _NONE) / n
    if 2 * g * until > _MOST:
        raise InvalidModelError(f"rate must be larger for this witness: it needs 2 g T <= {_MOST}, got {2 * g * until}")
    grown = Fraction(3) ** ceil(2 * g * until)  # at least exp(2 g T)
    room = min(abs(y) / size for y, size in zip(data.labels, norms, strict=True)) / 5
    power = 0
    while 2 * Fraction(1, 10 ** (2 * power)) * grown > room:
        power += 1
    kept = (Fraction(9, 10) / Fraction(11, 10)) ** 2
    if not kept > Fraction(1, 2):
        raise VerificationError("the loss need not be above one half", inequality="fixed rate", witness=kept)
    return Refutation(
        statement=f"V(t) <= C exp(-c t) V(0) with c = {as_text(c)}, C = {as_text(C)} from every balanced start of "
        f"{network!r}",
        witness=f"start a_1 = 1e-{power}, w_1 = 1e-{power} e_1, others 0: V({until}) >= 0.669 V(0), and C exp(-c "
        f"{until}) <= 0.5; |theta|^2 grows at most like exp({as_text(ceil_to(2 * g, 6))} t). The time to fit "
        "grows like ln(1/lambda)",
        standing=PROVED,
    )


def refute_every_balanced_start(network: ShallowReLU) -> Refutation:
    """Small and balanced is not enough: without a neuron of one sign the labels of that sign are never fitted.

    No a_j changes its sign (`prove_signs`), so outputs keep theirs.

    Raises
    ------
    InvalidModelError
        If the labels have one sign only.
    """
    data = network.data
    if not (data.side(1) and data.side(-1)):
        raise InvalidModelError("there must be labels of both signs")
    lost = min((1, -1), key=lambda sign: limits.square_drive(data, sign))
    least = limits.find_saddle_loss(data, (-lost,))
    if not least > 0:
        raise VerificationError("nothing is lost", inequality="balanced start", witness=least)
    word = "< 0" if lost < 0 else "> 0"
    return Refutation(
        statement=f"from every small balanced start {network!r} ends at the loss 0",
        witness=f"any balanced start without a_j {word}: signs stay, so every h_k {'>=' if lost < 0 else '<='} 0 and "
        f"the loss is never below {as_text(least)}, that of the saddle which has learnt the others",
        standing=PROVED,
    )
