r"""How fast a controller may optimise a plant: the largest proved gain, beside the bound of time-scale separation.

Between a gain that is proved and one at which a concrete linear member of the cost is proved not to converge lies the
true limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..certificates.certificate import Certificate
from ..classes.inequalities import LinearMembers
from ..dynamics import LureSystem, StackedSystem
from ..dynamics.plants import StablePlant, read_stable_plant
from ..errors import InvalidModelError, NoCertificateError
from ..exact.rationals import rational, shorten, simplest_between
from ..flows.feedback_optimization import Cost, close_plant
from ..lmi.claims import ExponentialDecay
from ..lmi.templates import QuadraticPlusValue, Template
from .member_bounds import Slope, bound_rate
from .outcomes import Outcome, Proved
from .pipeline import attempt
from .separation import bound_classically
from .witness import Witness, estimate_ceiling, find_witness

if TYPE_CHECKING:
    from control import StateSpace

__all__ = ["GainLimit", "largest_gain"]

_SLOWER = Fraction(1, 1000)
"""A gain counts if this part of the slowest linear member's rate is proved."""

_DOUBLINGS = 20
"""How far from the start, upward and downward, gains are looked at."""

Loop = LureSystem | StackedSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class GainLimit:
    """Between which gains the closed loop stops to converge.

    Attributes
    ----------
    gain : Fraction
        The largest gain that was tried and proved.
    certificate : Certificate
        Its proof: exponential decay of the closed loop with this gain.
    classical : float or None
        The classical bound, computed; None with a constraint, about which it says nothing.
    unstable : Fraction or None
        The smallest gain that was tried and at which a member is proved not to converge; None if none was found.
    witness : Witness or None
        That member.
    """

    gain: Fraction
    certificate: Certificate
    classical: float | None
    unstable: Fraction | None
    witness: Witness | None

    @property
    def ratio(self) -> float | None:
        """How many times the classical bound the proved gain is; None where there is no bound, or it is infinite."""
        return float(self.gain) / self.classical if self.classical is not None and self.classical < np.inf else None

    @property
    def gap(self) -> float | None:
        """How far the gains of the proof and of the witness lie apart, relative to the latter."""
        return None if self.unstable is None else float(1 - self.gain / self.unstable)

    def __str__(self) -> str:
        times = "" if self.ratio is None else f", {self.ratio:.4g} times the classical bound {self.classical:.4g}"
        proved = f"gain {shorten(self.gain, most=24)} ({float(self.gain):.6g}) is proved{times}"
        if self.unstable is None:
            return f"{proved}; no unstable member was found at larger ones"
        return f"{proved}; at gain {shorten(self.unstable, most=24)} ({float(self.unstable):.6g}) {self.witness}"


def largest_gain(
    plant: StateSpace,
    f: Cost | tuple[Cost, Cost],
    *,
    constraint: object = None,
    dual_gain: object = 1,
    template: Template | None = None,
    tolerance: object = "1e-3",
) -> GainLimit:
    r"""The largest gain with which `feedback_optimization` is proved to converge, and the smallest at which it may not.

    Parameters
    ----------
    plant : control.StateSpace
        As in `feedback_optimization`.
    f : pair of costs, or OperatorClass
        As in `feedback_optimization`.
    constraint, dual_gain
        As in `feedback_optimization`.
    template : Template, optional
        Form of V, default ``QuadraticPlusValue()``.
    tolerance : rational, default "1e-3"
        Relative accuracy of both gains, at least 1e-9 and less than 1.

    Returns
    -------
    GainLimit
        With a certificate, the classical bound, and a member that does not converge where one was found.

    Raises
    ------
    NoCertificateError
        If no gain is found with which the loop is proved to converge; its ``outcome`` says why.
    InvalidModelError
        If an argument is not valid.

    Notes
    -----
    A witness is sought first, then a proof just below it, else between it and the classical bound. Every gain that
    counts is a proved one, with a rate of at least a thousandth of that of the slowest linear member; nothing is
    claimed about gains in between, or about larger ones. The member that does not converge has a diagonal Hessian, with
    the slopes that the witness names.

    At any gain below the classical bound the proof of that bound is one of the proofs that are searched (see
    `feedback_optimization`), so where the cost is strongly convex the proved gain is never below it.

    Examples
    --------
    >>> import control
    >>> import lyapflow as lf
    >>> plant = control.ss([[-1, 1], [0, -2]], [[0], [1]], [[1, 0]], 0)
    >>> limit = largest_gain(plant, (lf.SmoothStronglyConvex("1/10", 2), lf.SmoothConvex(4)), tolerance="1/10")
    >>> limit.gain >= limit.classical, limit.gain < limit.unstable
    (True, True)
    """
    width = rational(tolerance, name="tolerance")
    if not Fraction(1, 10**9) <= width < 1:
        raise InvalidModelError(f"tolerance must be in [1e-9, 1), got {tolerance!r}")
    read = read_stable_plant(plant)
    classical = None if constraint is not None else bound_classically(read, f)

    def close(gain: Fraction) -> Loop:
        return close_plant(read, f, gain, constraint=constraint, dual_gain=dual_gain)

    def judge(gain: Fraction) -> Outcome:
        loop = close(gain)
        ceiling = estimate_ceiling(loop)
        claim = ExponentialDecay(_SLOWER * rational(ceiling) if ceiling > 0 else None)
        return attempt(loop, claim, template=template or QuadraticPlusValue())

    start = _choose_start(read, f, classical, width)
    unstable, witness = _find_unstable(close, start, width)
    gain, proof = _find_proved(judge, start, unstable, width)
    return GainLimit(gain=gain, certificate=proof.certificate, classical=classical, unstable=unstable, witness=witness)


def _choose_start(
    plant: StablePlant, f: Cost | tuple[Cost, Cost], classical: float | None, width: Fraction
) -> Fraction:
    """A simple gain not below the classical bound; without one, near that of the same loop without a constraint."""
    if classical is None:
        found = bound_classically(plant, f)
        return simplest_between(rational(found) / 2, rational(found)) if 0 < found < np.inf else Fraction(1)
    if not np.isfinite(classical):
        return Fraction(1)
    exact = rational(classical)
    return simplest_between(exact, exact * (1 + width / 10))


def _find_unstable(
    close: Callable[[Fraction], Loop], start: Fraction, width: Fraction
) -> tuple[Fraction | None, Witness | None]:
    """The smallest gain at which a member is found not to converge, and that member."""

    def fails(gain: Fraction) -> bool:
        return estimate_ceiling(close(gain)) <= 0

    low = high = start
    step = Fraction(1, 2) if fails(start) else Fraction(2)
    for _ in range(_DOUBLINGS):
        low, high = (low * step, low) if step < 1 else (high, high * step)
        if fails(low if step < 1 else high) != (step < 1):
            break
    else:
        if step > 1:
            return None, None
        high = start  # at no gain does it converge
        low = start
    while high > low * (1 + width):
        middle = _between(low, high)
        low, high = (low, middle) if fails(middle) else (middle, high)
    for gain in (high, high * (1 + width), high * 2):  # at the boundary itself a member may be too near to decide
        loop = close(gain)
        found = find_witness(loop)
        for witness in (_simplify(loop, found), found):
            if witness.refutes(None):
                return gain, witness
    return None, None


def _find_proved(
    judge: Callable[[Fraction], Outcome], start: Fraction, unstable: Fraction | None, width: Fraction
) -> tuple[Fraction, Proved]:
    """The largest gain that is proved: just below that of the witness if it can be, else by bisection."""
    above = start * 2**_DOUBLINGS if unstable is None else simplest_between(unstable * (1 - width), unstable)
    top = judge(above)
    if isinstance(top, Proved) and above >= start:
        return above, top
    gain = start
    for _ in range(_DOUBLINGS):
        outcome = judge(gain)
        if isinstance(outcome, Proved):
            break
        above, gain = gain, gain / 2
    else:
        shown = f"{float(above):.4g} to {float(start):.4g}"
        about = f"Of the gains that were tried, {shown}, none is proved to converge. At the smallest: "
        raise NoCertificateError(outcome, about=about)
    while above > gain * (1 + width):
        middle = _between(gain, above)
        further = judge(middle)
        if isinstance(further, Proved):
            gain, outcome = middle, further
        else:
            above = middle
    return gain, outcome


def _between(low: Fraction, high: Fraction) -> Fraction:
    """A simple number near the geometric mean."""
    middle = float(low) * float(high / low) ** 0.5
    room = (float(high / low) ** 0.5 - 1) / 4
    return simplest_between(rational(middle / (1 + room)), rational(middle * (1 + room)))


def _simplify(loop: Loop, witness: Witness) -> Witness:
    """The member whose slopes are the ends of their intervals where they are next to them, with its own rate."""
    slopes = tuple(_snap(s, oracle.linear_members()) for s, oracle in zip(witness.slopes, loop.oracles, strict=True))
    return replace(witness, slopes=slopes, rate=bound_rate(loop, slopes))


def _snap(slope: Slope, members: LinearMembers) -> Slope:
    low, high = members.lower, members.upper
    if slope[1] or low is None or high is None:
        return slope
    near = [end for end in (low, high) if abs(slope[0] - end) <= (high - low) / 1000]
    return (near[0], slope[1]) if near else slope
