"""What is true of deep linear networks, and proved exactly each time it is asked; weights are rationals here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import isclose

import numpy as np

from ..errors import InvalidModelError, VerificationError
from ..exact.matrices import matrix, rank
from ..exact.rationals import rational
from . import layers as formulas
from .critical_points import count_hessian_signs, judge_escape, name_learnt, read_diagonal, select_exactly
from .deep_linear import DeepLinearNetwork
from .deep_linear_identities import state_adjacency, state_symmetry
from .evidence import COMPUTED, PROVED, Invariant, LocalRate, Verdict, prove_invariant

__all__ = [
    "find_local_rate",
    "prove_balance",
    "prove_branches",
    "prove_critical_points",
    "prove_decrease",
    "prove_every_width",
    "prove_orbit",
]


def prove_every_width(depths: Sequence[int] = (2, 3, 4, 5)) -> tuple[Verdict, ...]:
    """The identities of `state_adjacency` and `state_symmetry`, for networks of any widths.

    Raises
    ------
    VerificationError
        If one is not proved.

    Examples
    --------
    >>> [verdict.standing for verdict in prove_every_width([2, 3])]
    ['proved', 'proved']
    """
    found = []
    for depth in depths:
        identities = (*state_adjacency(depth), *state_symmetry(depth))
        for identity in identities:
            identity.prove()
        found.append(
            Verdict(
                statement=f"depth {depth}, any widths: A^{depth + 1} = 0, so spec A = {{0}}; the adjacency field is "
                "that of the layers; the interior blocks of A'A - AA' are constant; V' = -|grad V|^2; "
                "the derivative of |A|^2 is 2h <A^h, E - A^h>; invertible matrices act on critical points",
                reason=f"{len(identities)} identities of words in free letters",
                standing=PROVED,
            )
        )
    return tuple(found)


def prove_balance(network: DeepLinearNetwork) -> Invariant:
    """The entries of the interior blocks of ``A'A - AA'`` have the zero polynomial as derivative."""
    blocks = formulas.balances(network.cut_exactly(network.polynomials.variables))
    entries = [entry for block in blocks for entry in block.ravel()]
    proved = prove_invariant(network.polynomials, entries, name=f"balance of {network!r}")
    return replace(proved, statement="W_i'W_i - W_{i+1}W_{i+1}', the interior blocks of A'A - AA'")


def prove_decrease(network: DeepLinearNetwork) -> Verdict:
    """The derivative of the loss plus the squared speed is the zero polynomial.

    Raises
    ------
    VerificationError
        If it is not.
    """
    system = network.polynomials
    loss = formulas.squared_error(network.cut_exactly(system.variables), network.exact_target)
    rest = system.derivative_along(loss)
    for equation in system.equations:
        rest = rest + equation**2
    if rest:
        raise VerificationError("V' + |grad V|^2 is not 0", inequality="decrease", witness=rest)
    return Verdict(
        statement=f"V = |Sigma - P|^2 / 2 falls along {network!r}: V' = -|grad V|^2",
        reason=f"V' + |grad V|^2 is the zero polynomial in {network.shape[0]} weights",
        standing=PROVED,
    )


def prove_critical_points(network: DeepLinearNetwork) -> tuple[Verdict, ...]:
    """Of each class of `equilibria`: it is one, its loss, and the signs of its Hessian, counted exactly.

    Raises
    ------
    VerificationError
        If the formulas of the class say something else.
    InvalidModelError
        If the target is not diagonal with entries >= 0.
    """
    read_diagonal(network)
    found = []
    for one in network.equilibria():
        layers = select_exactly(network, one)
        speed = [v for w in formulas.descend(layers, network.exact_target) for v in w.ravel()]
        loss = rational(formulas.squared_error(layers, network.exact_target))
        signs = count_hessian_signs(network, layers)
        claimed = (one.index, one.nullity, network.shape[0] - one.index - one.nullity)
        if any(speed) or signs != claimed or not isclose(loss, one.loss, rel_tol=1e-12):
            raise VerificationError(
                f"{one.kind} {one.selection}: the Hessian has {signs} negative, zero, positive eigenvalues, not "
                f"{claimed}, the loss is {loss}, not {one.loss}, or the gradient is not 0",
                inequality="critical point",
                witness=signs,
            )
        found.append(
            Verdict(
                statement=f"{one.kind}: learnt {name_learnt(network, one)}; loss {loss}",
                reason=f"gradient 0; Hessian: {signs[0]} negative, {signs[1]} zero, {signs[2]} positive eigenvalues",
                standing=PROVED,
            )
        )
    return tuple(found)


def prove_branches(network: DeepLinearNetwork) -> tuple[Verdict, ...]:
    """Each class with a hidden unit to spare is left along the largest mode that is not learnt, so it is not stable.

    The sign of the lowest term of that mode's equation says that small ``s > 0`` grow, see `judge_escape`. A class
    without a unit to spare has learnt the wrong modes, and the Hessian says so: `prove_critical_points`.

    Raises
    ------
    VerificationError
        If a mode does not grow.
    """
    found = []
    for one in network.equilibria():
        sides = judge_escape(network, one)
        if sides is None:
            continue
        if sides.above != "unstable":
            raise VerificationError(f"{sides.equation} does not grow above 0", inequality="branch", witness=sides)
        blind = "its linear part is not zero" if sides.order == 1 else "its linear part is zero"
        found.append(
            Verdict(
                statement=f"{one.kind}, learnt {name_learnt(network, one)}: unstable along a mode that is not learnt",
                reason=f"on an invariant line s' = {sides.equation}: s > 0 {sides.above}, s < 0 {sides.below}; {blind}",
                standing=PROVED,
            )
        )
    return tuple(found)


def prove_orbit(network: DeepLinearNetwork) -> Verdict:
    r"""At a full-rank minimum the orbit of the symmetries has as many dimensions as the Hessian has zeros.

    Its tangent space holds the states :math:`X_{i-1}W_i - W_iX_i`, with any X_1, ..., X_{h-1} and X_0 = X_h = 0; the
    rank of that map is exact. If all hidden widths are the rank of the target, it is :math:`\sum d_l^2`.

    Raises
    ------
    VerificationError
        If the two numbers differ.
    """
    values = read_diagonal(network)
    if network.widths != (len(values),) * len(network.widths) or not all(values):
        raise InvalidModelError("the orbit is counted for square layers of one width and a target of full rank")
    best = next(e for e in network.equilibria() if e.kind == "minimum")
    layers = select_exactly(network, best)
    rows = []
    for i, width in enumerate(network.widths[1:-1], 1):
        for a in range(width):
            for b in range(width):
                X = np.full((width, width), Fraction(0), dtype=object)
                X[a, b] = Fraction(1)
                moved = [np.full(w.shape, Fraction(0), dtype=object) for w in layers]
                moved[i] = X @ layers[i]
                moved[i - 1] = -(layers[i - 1] @ X)
                rows.append([v for w in moved for v in w.ravel()])
    dimension = rank(matrix(rows))
    signs = count_hessian_signs(network, layers)
    if not dimension == signs[1] == sum(d * d for d in network.widths[1:-1]) or signs[0]:
        raise VerificationError(
            f"the orbit has dimension {dimension} and the Hessian {signs[1]} zeros", inequality="orbit", witness=signs
        )
    return Verdict(
        statement=f"the minima of {network!r} are an orbit of dimension {dimension}, normally stable",
        reason=f"the Hessian has {signs[1]} zeros, the tangent space of the orbit, and {signs[2]} positive eigenvalues",
        standing=PROVED,
    )


def find_local_rate(network: DeepLinearNetwork) -> LocalRate:
    """Rate of the state at the balanced minimum: the smallest nonzero eigenvalue of the Hessian; V has twice that.

    Raises
    ------
    InvalidModelError
        If the target is 0: then the Hessian of the minimum vanishes, and nothing decays exponentially.
    """
    if not np.any(network.target):
        raise InvalidModelError(
            "a local rate needs something to learn, got the target 0, around which the flow is slow"
        )
    best = next(e for e in network.equilibria() if e.kind == "minimum")
    return LocalRate(
        name=f"minimum of {network!r}", rate=min(-value for value, _ in best.spectrum if value < 0), standing=COMPUTED
    )
