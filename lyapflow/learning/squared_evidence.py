r"""What is true of shallow networks with squared ReLU on orthogonal inputs, decided exactly each time it is asked."""

from __future__ import annotations

from fractions import Fraction

from ..errors import VerificationError
from ..exact.elementary import bound_sqrt_above
from ..exact.identities import Identity
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, show_above
from ..exact.words import Expression, Letter, differentiate, letter
from .evidence import PROVED, Verdict
from .orthogonal_data import OrthogonalData
from .squared_relu import SquaredReLU

__all__ = [
    "bound_speed",
    "prove_balance",
    "prove_descent",
    "prove_escape_law",
    "prove_origin",
    "prove_rays",
    "prove_saddles",
    "prove_sparsity",
    "state_balance",
]

_NONE = Fraction(0)


def state_balance() -> Identity:
    r"""Each neuron keeps :math:`\|w\|^2 - 2v^2`, whatever the others do.

    Its flow is :math:`\dot v = w^\top Gw`, :math:`\dot w = 2vGw`, where G is the sum of :math:`r_i\,x_ix_i^\top` over
    the inputs that the neuron sees, symmetric, which depends on time and on all other neurons; nothing of that matters.

    Examples
    --------
    >>> state_balance().prove()
    """
    v, w, G = letter("v", "1"), letter("w", "d", "1"), letter("G", "d")
    flow = {_only(v): w.T * G * w, _only(w): 2 * (G * w * v), _only(G): 0 * G}
    return Identity(
        name="balance",
        statement="w'w - 2 v v of a neuron has derivative zero, whatever G = sum r_i x_i x_i' over what it sees",
        left=differentiate(w.T * w - 2 * (v * v), flow),
        right=0 * (v * v),
    )


def prove_balance() -> Identity:
    """That of `state_balance`, proved.

    Raises
    ------
    VerificationError
        If it is not.
    """
    stated = state_balance()
    stated.prove()
    return stated


def prove_descent(network: SquaredReLU) -> Verdict:
    r"""The loss falls: :math:`\dot V = -|\nabla V|^2`, a polynomial identity for what one neuron adds.

    With :math:`p_i = \max(w\cdot x_i, 0)` and the residuals as free variables it holds for every pattern of
    activation, so for every number of neurons. The gradient is continuous, so nothing happens at the kinks.

    Raises
    ------
    VerificationError
        If the identity is not one.
    """
    data = network.data
    n = len(data.labels)
    names = variables([*(f"r{i + 1}" for i in range(n)), *(f"p{i + 1}" for i in range(n)), "v"])
    r, p, v = names[:n], names[n:-1], names[-1]
    outer = _sum([a * b**2 for a, b in zip(r, p, strict=True)])
    inner = [
        2 * v * _sum([a * b * x[c] for a, b, x in zip(r, p, data.inputs, strict=True)])
        for c in range(len(data.inputs[0]))
    ]
    moved = [
        outer * b**2 + 2 * v * b * _sum([x[c] * w for c, w in enumerate(inner)])
        for b, x in zip(p, data.inputs, strict=True)
    ]
    gap = _sum([a * h for a, h in zip(r, moved, strict=True)]) - outer**2 - _sum([w**2 for w in inner])
    if gap:
        raise VerificationError("V' + |grad V|^2 is not 0", inequality="descent", witness=gap)
    return Verdict(
        statement=f"V = |y - H|^2/2 falls along {network!r}: V' = -|grad V|^2",
        reason=f"what a neuron adds to V' + |grad V|^2 is the zero polynomial in {2 * n + 1} variables",
        standing=PROVED,
    )


def prove_sparsity(network: SquaredReLU) -> Verdict:
    """What is zero stays zero: products with inputs keep their sign, and neurons that are zero rest.

    Raises
    ------
    VerificationError
        If the product with one input is moved by another.
    """
    data = network.data
    n = len(data.labels)
    c = variables([f"c{i + 1}" for i in range(n)])
    for i, x in enumerate(data.inputs):
        moved = _sum(
            [a * sum((u * w for u, w in zip(x, z, strict=True)), _NONE) for a, z in zip(c, data.inputs, strict=True)]
        )
        if moved - c[i] * data.squares[i]:
            raise VerificationError(f"input {i + 1} is moved by others", inequality="sparsity", witness=moved)
    return Verdict(
        statement=f"{network!r}: every w_j . x_i keeps its sign for ever; what is <= 0 does not move, a neuron that "
        "is zero "
        "stays zero, and there are no changes of activation",
        reason="(c_1 x_1 + ... + c_n x_n) . x_i = c_i |x_i|^2, polynomials in c; so the derivative of w_j . x_i is 2 "
        "v_j r_i "
        "|x_i|^2 times its positive part",
        standing=PROVED,
    )


def prove_origin(network: SquaredReLU) -> Verdict:
    """The origin is a saddle that is not strict: its Hessian is zero, and the loss falls along a ray.

    The gradients of H are bounded by a constant times the squared norm of the weights, so the derivative of the
    gradient of the loss at zero is zero.

    Raises
    ------
    VerificationError
        If the loss does not fall.
    """
    label, change = _fall_from_origin(network.data)
    lowest = change.terms[min(change.terms)]
    if min(change.terms) != (3,) or lowest >= 0:
        raise VerificationError("the loss does not fall from the origin", inequality="origin", witness=change)
    return Verdict(
        statement=f"{network!r}: the origin is a nonstrict saddle, its Hessian is 0",
        reason=f"H is homogeneous of degree 3; with v = {'' if label > 0 else '-'}s, w = s x_1 the loss changes by "
        f"{change}",
        standing=PROVED,
    )


def prove_rays(network: SquaredReLU) -> tuple[Verdict, ...]:
    r"""The rays of one neuron and label: stationary points of N on the sphere, their values and their order.

    Raises
    ------
    VerificationError
        If a point is not stationary.
    """
    data = network.data
    v, s = variables(["v", "s"])  # w = s x_i/|x_i|, and s^2 = 2 v^2 on the ray
    found = []
    for i, (label, q) in enumerate(zip(data.labels, data.squares, strict=True)):
        sign, strength = 1 if label > 0 else -1, abs(label) * q
        N = label * q * v * s**2
        turn = N.derivative(0) * s - N.derivative(1) * v
        euler = N.derivative(0) * v + N.derivative(1) * s - 3 * N
        if turn - label * q * s * (s**2 - 2 * v**2) or euler:
            raise VerificationError(f"the ray of label {i + 1} is not stationary", inequality="ray", witness=turn)
        above = [
            k + 1 for k, (y, p) in enumerate(zip(data.labels, data.squares, strict=True)) if sign * y * p > strength
        ]
        order = (
            "second-order" if not above else f"not second-order: input{'s' * (len(above) > 1)} {above} would do better"
        )
        found.append(
            Verdict(
                statement=f"{network!r}, label {as_text(label)}: v = {'-' if sign < 0 else ''}1/sqrt 3, w along "
                f"x_{i + 1} with |w|^2 = 2/3 is a KKT point of the correlation N on the sphere, N* = 2 |y| |x|^2/(3 "
                f"sqrt 3), N*^2 = {as_text(4 * strength**2 / 27)}; {order}",
                reason="N = y q v s^2 along x; the part of its gradient across the ray is y q s (s^2 - 2 v^2), and "
                "v N_v + s N_s = 3 N; curvatures across are 2 (y_k q_k - y q)/sqrt 3, -4 y q/sqrt 3, and -3 N*",
                standing=PROVED,
            )
        )
    return tuple(found)


def prove_saddles(network: SquaredReLU) -> tuple[Verdict, ...]:
    """Rational points that have learnt one label rest, with the loss of the labels that are left.

    Raises
    ------
    VerificationError
        If the field is not zero there, or the loss is another one.
    """
    data, found = network.data, []
    for i, label in enumerate(data.labels):
        v, w = label, tuple(a / data.squares[i] for a in data.inputs[i])  # H_i = v (w . x_i)^2 = y_i
        speed, rest = _push_one(data, v, w)
        loss = sum((r * r for r in rest), _NONE) / 2
        left = sum((y * y for k, y in enumerate(data.labels) if k != i), _NONE) / 2
        if any(speed) or loss != left:
            raise VerificationError(f"label {i + 1}: the point moves", inequality="saddle", witness=speed)
        found.append(
            Verdict(
                statement=f"{network!r}: where one neuron has learnt the label {as_text(label)} alone the flow rests; "
                "loss "
                f"{as_text(loss)}",
                reason=f"the field is exactly 0 at v = {as_text(v)}, w = ({', '.join(map(as_text, w))}); balanced, "
                "v^3 = "
                f"{as_text(label / data.squares[i] / 2)} and |w|^2 = 2 v^2",
                standing=PROVED,
            )
        )
    return tuple(found)


def bound_speed(network: SquaredReLU) -> Fraction:
    r"""A rational c with :math:`\frac{d}{dt}|\theta|\le c|\theta|^2` everywhere: an upper bound of :math:`3\max N`.

    :math:`\frac d{dt}|\theta|^2 = 6\sum_ir_iH_i\le6N(\theta)`, and
    :math:`N(\theta)\le\max|y_i|q_i\sum_j|v_j|\|w_j\|^2\le\frac2{3\sqrt3}\max|y_i|q_i\,|\theta|^3`.

    Raises
    ------
    VerificationError
        If the inequality between the means is not the identity that proves it.
    """
    s, q = variables(["s", "q"])  # v^2 and |w|^2
    if 4 * (s + q) ** 3 - 27 * s * q**2 - (q - 2 * s) ** 2 * (4 * q + s):
        raise VerificationError("4 (s + q)^3 - 27 s q^2 is not as said", inequality="speed", witness=s)
    top = max(abs(y) * p for y, p in zip(network.data.labels, network.data.squares, strict=True))
    return 2 * top * bound_sqrt_above(Fraction(1, 3))


def prove_escape_law(network: SquaredReLU) -> Verdict:
    r"""The time to leave the origin is :math:`\Theta(1/\delta)`: bounds from both sides, with the exponent -(L - 2).

    Below, from every start of norm :math:`\delta`: `bound_speed`. Above, on the ray of the strongest label:
    :math:`\dot v = 2qv^2(y - 2qv^3)\ge qyv^2` until half of it is learnt, so that takes at most
    :math:`\sqrt3/(qy\delta)`.

    Raises
    ------
    VerificationError
        If the flow on the ray is another one.
    """
    data = network.data
    c = bound_speed(network)
    strengths = [abs(y) * p for y, p in zip(data.labels, data.squares, strict=True)]
    best = strengths.index(max(strengths))
    v, z = variables(["v", "z"])  # |w|^2 = 2 v^2, so H = 2 q v^3 sign, z = |w| |x|, z^2 = 2 q v^2
    y, q = abs(data.labels[best]), data.squares[best]
    rest = y - v * z**2
    flow = rest * z**2 - 2 * q * v**2 * (y - 2 * q * v**3)
    if flow - (z**2 - 2 * q * v**2) * (y - v * z**2 - 2 * q * v**3):
        raise VerificationError("the flow on the ray is another one", inequality="escape", witness=flow)
    return Verdict(
        statement=f"{network!r}: from any start of norm d, |theta| = rho takes at least (1/d - "
        f"1/rho)/{show_above(c, 6)}; on "
        f"the ray of the label {as_text(data.labels[best])} half of it takes "
        f"at most {show_above(bound_sqrt_above(Fraction(3)) / (y * q), 6)}/d",
        reason="(d/dt)|theta|^2 <= 6 N and 4 (s + q)^3 - 27 s q^2 = (q - 2 s)^2 (4 q + s), s = v^2, q = |w|^2; on the "
        "ray v' = "
        "2 q v^2 (y - 2 q v^3); polynomial identities",
        standing=PROVED,
    )


def _fall_from_origin(data: OrthogonalData) -> tuple[int, Polynomial]:
    """The change of the loss along v = +-s, w = s x_1, and the sign."""
    (s,) = variables(["s"])
    label, q = data.labels[0], data.squares[0]
    sign = 1 if label > 0 else -1
    return sign, ((label - sign * s**3 * q**2) ** 2 - label**2) / 2


def _push_one(data: OrthogonalData, v: Fraction, w: tuple[Fraction, ...]) -> tuple[list[Fraction], list[Fraction]]:
    """The field at a rational state of one neuron, and the residuals."""
    seen = [max(sum((a * b for a, b in zip(w, x, strict=True)), _NONE), _NONE) for x in data.inputs]
    rest = [y - v * p * p for y, p in zip(data.labels, seen, strict=True)]
    inner = [
        2 * v * sum((r * p * x[c] for r, p, x in zip(rest, seen, data.inputs, strict=True)), _NONE)
        for c in range(len(w))
    ]
    return [sum((r * p * p for r, p in zip(rest, seen, strict=True)), _NONE), *inner], rest


def _sum(terms: list[Polynomial]) -> Polynomial:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _only(expression: Expression) -> Letter:
    ((one,),) = expression.terms
    return one
