r"""What is true of shallow ReLU networks on orthogonal inputs, decided exactly each time it is asked.

The identities of `state_identities` are of letters that stand for matrices of any size: any inputs, any number of
neurons, whatever each of them sees. The rest is about given data, in rationals.
"""

from __future__ import annotations

from fractions import Fraction

from ..errors import InvalidModelError, VerificationError
from ..exact.elementary import exact_sqrt
from ..exact.identities import Identity
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, floor_to, show_above, show_below
from ..exact.words import Expression, Letter, differentiate, letter
from . import relu_limits as limits
from .evidence import PROVED, LocalRate, Verdict
from .orthogonal_data import OrthogonalData
from .shallow_relu import ShallowReLU

__all__ = [
    "exact_field",
    "exact_loss",
    "find_end_rate",
    "place_saddle",
    "prove_decay",
    "prove_identities",
    "prove_least_norm",
    "prove_saddle",
    "prove_signs",
    "prove_switches",
    "state_identities",
]

Row = tuple[Fraction, ...]
_NONE = Fraction(0)


def state_identities() -> tuple[Identity, ...]:
    """Balance of each neuron, and descent of the loss, for every network and all data.

    X holds the inputs as rows, S_j is the diagonal matrix of zeros and ones of what neuron j sees, H is the sum of
    S_j X w_j a_j', the outputs, one or several, and time runs in units of n; two neurons stand for any number.

    Examples
    --------
    >>> for identity in state_identities():
    ...     identity.prove()
    ...     print(identity.statement)
    a'a - w'w of a neuron has derivative zero, whatever its drive D
    V' = -|grad V|^2 for V = |Y - H|^2/2, whatever the neurons see
    """
    X, Y = letter("X", "n", "d"), letter("Y", "n", "o")
    neurons = [(letter(f"a{j}", "o", "1"), letter(f"w{j}", "d", "1"), letter(f"S{j}", "n")) for j in (1, 2)]
    rest = Y
    for a, w, S in neurons:
        rest = rest - S * X * w * a.T
    flow: dict[Letter, Expression] = {_only(X): 0 * X, _only(Y): 0 * Y}
    squares = 0 * (rest.T * rest)
    for a, w, S in neurons:
        D = X.T * S * rest
        flow |= {_only(a): D.T * w, _only(w): D * a, _only(S): 0 * S}
        squares = squares - D.T * w * (D.T * w).T - a * (D * a).T * D  # with the traces |a'|^2 and |w'|^2
    a, w, D = letter("a", "o", "1"), letter("w", "d", "1"), letter("D", "d", "o")
    alone = {_only(a): D.T * w, _only(w): D * a, _only(D): 0 * D}
    return (
        Identity(
            name="balance",
            statement="a'a - w'w of a neuron has derivative zero, whatever its drive D",
            left=differentiate(a.T * a - w.T * w, alone),
            right=0 * (a.T * a),
        ),
        Identity(
            name="descent",
            statement="V' = -|grad V|^2 for V = |Y - H|^2/2, whatever the neurons see",
            left=differentiate(Fraction(1, 2) * (rest.T * rest), flow),
            right=squares,
            is_trace=True,
        ),
    )


def prove_identities() -> tuple[Identity, ...]:
    """Those of `state_identities`, each proved.

    Raises
    ------
    VerificationError
        If one is not.
    """
    stated = state_identities()
    for identity in stated:
        identity.prove()
    return stated


def prove_switches(network: ShallowReLU) -> Verdict:
    """An input that a neuron does not see it never sees again, because the inputs are orthogonal.

    Raises
    ------
    VerificationError
        If a drive moves the product with an input that is not seen.
    """
    data = network.data
    n = len(data.labels)
    weights = variables([f"c{k + 1}" for k in range(n)])
    for k, x in enumerate(data.inputs):
        moved = sum((weights[i] * _dot(x, z) for i, z in enumerate(data.inputs)), 0 * weights[0])
        if moved - weights[k] * data.squares[k]:
            raise VerificationError(f"input {k + 1} is moved by others", inequality="switches", witness=moved)
    return Verdict(
        statement=f"{network!r}: an input that a neuron does not see it never sees again; at most "
        f"{network.width * n} changes of activation, each of them a loss of sight",
        reason="(c_1 x_1 + ... + c_n x_n) . x_k = c_k |x_k|^2, polynomials in c; so w_j . x_k moves by "
        "a_j 1[w_j . x_k > 0] (y_k - h_k) |x_k|^2/n only",
        standing=PROVED,
    )


def prove_signs(network: ShallowReLU) -> Verdict:
    r"""No a_j of a balanced start changes its sign: :math:`a_j(t)^2\ge a_j(0)^2e^{-2gt}`, from any balanced start.

    Balance gives :math:`|\dot{(a_j^2)}| = 2|a_j\,w_j\cdot D_j|\le2a_j^2\|D_j\|`, and
    :math:`\|D_j\|\le\max\|x_k\|\sqrt{2V(0)/n}` as V falls.

    Raises
    ------
    VerificationError
        If the squared drive is not the sum of squares that orthogonality makes it.
    """
    data = network.data
    c = variables([f"c{k + 1}" for k in range(len(data.labels))])
    gap = _square_sum(data, c) - sum((v * v * q for v, q in zip(c, data.squares, strict=True)), 0 * c[0])
    if gap:
        raise VerificationError("|c_1 x_1 + ...|^2 is not a sum of squares", inequality="signs", witness=gap)
    top = max(data.squares)
    return Verdict(
        statement=f"{network!r}: from a balanced start no a_j changes its sign",
        reason="|D_j|^2 = sum of 1[seen] r_k^2 |x_k|^2/n^2 (polynomials in r), at most max |x_k|^2 2V/n with max "
        f"|x_k|^2 = {as_text(top)}; V falls and |a_j| = |w_j|, so a_j^2 falls at most like exp(-2 |D| t)",
        standing=PROVED,
    )


def prove_decay(network: ShallowReLU) -> Verdict:
    r"""The inequality of Polyak and Lojasiewicz, with the weights that see each input as its constant.

    :math:`\dot V\le-\frac2n\min_k\|x_k\|^2A_k\,V` with :math:`A_k = \sum_{j\text{ sees }k}a_j^2`.

    Raises
    ------
    VerificationError
        If the part of the inner weights is not the sum of squares that orthogonality makes it.
    """
    data = network.data
    n = len(data.labels)
    r = variables([f"r{k + 1}" for k in range(n)])
    gap = _square_sum(data, r) - sum((v * v * q for v, q in zip(r, data.squares, strict=True)), 0 * r[0])
    if gap:
        raise VerificationError("the speed of the inner weights is not diagonal", inequality="decay", witness=gap)
    return Verdict(
        statement=f"{network!r}: V' <= -(2/{n}) min_k(|x_k|^2 A_k) V, A_k the sum of a_j^2 over the neurons that "
        "see x_k",
        reason="V' = -|grad V|^2 <= -sum_j |w_j'|^2 = -sum_k r_k^2 |x_k|^2 A_k/n^2, a polynomial identity in r for "
        "each pattern of activation, and V = sum_k r_k^2/(2n)",
        standing=PROVED,
    )


def prove_saddle(network: ShallowReLU, sign: int | None = None) -> Verdict:
    """A rational point that has learnt the labels of one sign (by default those learnt first) is an equilibrium.

    Raises
    ------
    VerificationError
        If the field is not zero there, or the loss is not half the mean of the squares that are left.
    """
    data = network.data
    first = limits.order_signs(data)[0] if sign is None else sign
    outer, weights = place_saddle(data, first)
    speed, loss = exact_field(data, (outer,), (weights,)), exact_loss(data, (outer,), (weights,))
    if any(speed[0]) or any(v for row in speed[1] for v in row) or loss != limits.find_saddle_loss(data, (first,)):
        raise VerificationError(f"the point moves, or its loss is {loss}", inequality="saddle", witness=speed)
    return Verdict(
        statement=f"{network!r}: where one neuron has learnt the {_name(first)} labels and the others are zero, the "
        f"flow rests; the loss is {as_text(loss)}",
        reason=f"the field is exactly 0 at a = {as_text(outer)}, w = ({', '.join(map(as_text, weights))}), the "
        "balanced point or one of the same function",
        standing=PROVED,
    )


def prove_least_norm(network: ShallowReLU) -> Verdict:
    r"""The least :math:`\sum_j|a_j|\|w_j\|` of networks that fit is :math:`\sqrt{S_+}+\sqrt{S_-}`, for any width.

    Below: with :math:`\nu_k = y_k/(\|x_k\|^2\sqrt{S_\pm})` every unit vector u has
    :math:`|\sum_k\nu_k\max(u\cdot x_k, 0)|\le1`, by the inequalities of Cauchy and Bessel on either sign, so a network
    that fits has :math:`\sum_k\nu_ky_k\le\sum_j|a_j|\|w_j\|`. Above: two neurons do it.

    Raises
    ------
    VerificationError
        If the dual point is not feasible, its value is another one, or the two neurons do not fit.
    """
    data = network.data
    signs = [s for s in (1, -1) if data.side(s)]
    for s in signs:
        square = limits.find_square(data, s)
        # nu times the root of S, and a w for a neuron with a = the sign: both are rational
        dual = {k: data.labels[k] / data.squares[k] for k in data.side(s)}
        feasible = sum((v * v * data.squares[k] for k, v in dual.items()), _NONE) / square
        value = sum((v * data.labels[k] for k, v in dual.items()), _NONE)
        product = tuple(
            sum((v * data.inputs[k][c] for k, v in dual.items()), _NONE) for c in range(len(data.inputs[0]))
        )
        outputs = [s * max(s * _dot(product, x), _NONE) for x in data.inputs]
        wanted = [y if y * s > 0 else _NONE for y in data.labels]
        if feasible != 1 or value != square or outputs != wanted or _dot(product, product) != square:
            raise VerificationError(
                f"the norm of the {_name(s)} labels is not the root of {square}", inequality="norm", witness=dual
            )
    low, high = limits.variation_norm(data)
    squares = " + ".join(f"sqrt({as_text(limits.find_square(data, s))})" for s in signs)
    return Verdict(
        statement=f"least sum of |a_j| |w_j| among ReLU networks of any width that fit the data of {network!r}: "
        f"{squares}, between {show_below(low, 11)} and {show_above(high, 11)}",
        reason="two neurons a w = sum y_k x_k/|x_k|^2, one for each sign, fit and have these norms; the dual point "
        "nu_k = y_k/(|x_k|^2 sqrt S) has sum nu_k^2 |x_k|^2 = 1 on either sign and the same value; all in rationals",
        standing=PROVED,
    )


def find_end_rate(network: ShallowReLU, *, measured: float | None = None) -> LocalRate:
    r"""The local rate at the interpolator of least norm: :math:`\lambda_{\min}(K_\pm)/n`; the loss has twice that.

    Near the interpolator :math:`n^2|\nabla V|^2 = r^\top K r`, and K differs little from one that is not below
    :math:`K_+\oplus K_-`: what spare neurons see adds to it.

    Raises
    ------
    InvalidModelError
        If there are fewer neurons than signs of the labels: then there is no interpolator.
    """
    data = network.data
    signs = [s for s in (1, -1) if data.side(s)]
    if network.width < len(signs):
        raise InvalidModelError(f"width must be >= {len(signs)}, one neuron for each sign, got {network.width}")
    bounds = [limits.bound_rates(data, s)[0] for s in signs]
    low = min(b[0] for b in bounds)
    return LocalRate(
        name=f"interpolator of least norm of {network!r}, V-rate of the loss at least {show_below(low, 9)}",
        rate=float(low) / 2,
        exact=floor_to(low / 2, 9),
        standing=PROVED,
        measured=measured,
    )


def place_saddle(data: OrthogonalData, sign: int) -> tuple[Fraction, Row]:
    """A rational neuron (a, w) that fits the labels of one sign with the least norm: balanced if that is rational.

    Otherwise a is its sign, the same function on the same orbit of the rescaling ``(a, w) -> (ca, w/c)``.
    """
    side = data.side(sign)
    if not side:
        raise InvalidModelError(f"there must be {_name(sign)} labels")
    root = exact_sqrt(limits.find_square(data, sign))
    fourth = None if root is None else exact_sqrt(root)
    size = Fraction(1) if fourth is None else fourth
    row = tuple(
        sum((abs(data.labels[k]) / data.squares[k] * data.inputs[k][c] for k in side), _NONE) / size
        for c in range(len(data.inputs[0]))
    )
    return sign * size, row


def exact_loss(data: OrthogonalData, outer: tuple[Fraction, ...], weights: tuple[Row, ...]) -> Fraction:
    """The loss at a rational state."""
    rest = _residual(data, outer, weights)
    return sum((v * v for v in rest), _NONE) / (2 * len(rest))


def exact_field(
    data: OrthogonalData, outer: tuple[Fraction, ...], weights: tuple[Row, ...]
) -> tuple[Row, tuple[Row, ...]]:
    """The right-hand side at a rational state: that of the a_j and of the w_j."""
    rest, n = _residual(data, outer, weights), len(data.labels)
    drives = [
        tuple(
            sum((r * x[c] for r, x in zip(rest, data.inputs, strict=True) if _dot(w, x) > 0), _NONE) / n
            for c in range(len(w))
        )
        for w in weights
    ]
    return (
        tuple(_dot(w, D) for w, D in zip(weights, drives, strict=True)),
        tuple(tuple(a * v for v in D) for a, D in zip(outer, drives, strict=True)),
    )


def _residual(data: OrthogonalData, outer: tuple[Fraction, ...], weights: tuple[Row, ...]) -> list[Fraction]:
    return [
        y - sum((a * max(_dot(w, x), _NONE) for a, w in zip(outer, weights, strict=True)), _NONE)
        for x, y in zip(data.inputs, data.labels, strict=True)
    ]


def _square_sum(data: OrthogonalData, c: tuple[Polynomial, ...]) -> Polynomial:
    """|c_1 x_1 + ... + c_n x_n|^2, multiplied out."""
    total = 0 * c[0]
    for place in range(len(data.inputs[0])):
        entry = sum((v * x[place] for v, x in zip(c, data.inputs, strict=True)), 0 * c[0])
        total = total + entry * entry
    return total


def _dot(a: Row, b: Row) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True)), _NONE)


def _name(sign: int) -> str:
    return "positive" if sign > 0 else "negative"


def _only(expression: Expression) -> Letter:
    ((one,),) = expression.terms
    return one
