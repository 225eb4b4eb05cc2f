"""What a theorem and its proof say of time: words and formulas for flows and for algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import System
from ..lmi.claims import Contraction, SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.scaled_claims import ScaledClaim
from .formulas import Math, Sentence
from .symbols import state

__all__ = ["Clock", "is_discrete", "is_gain", "is_scaled", "is_sublinear", "number_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Words and formulas of one kind of time.

    Attributes
    ----------
    time : str
        Symbol of time.
    motion, solution, always : Sentence
        What leads in the equations of motion; what a solution is; for which times the claim holds.
    number : str
        What the claim is about.
    decay : str
        What the state norm is multiplied by, in TeX; `decay_twice` is its square.
    left : str
        Left side of the decrease; `falls` says what follows from it.
    weights : mapping
        What a function value is multiplied by there, now (False) and at the next step (True).
    unbounded : str
        Why there may be no bound of V by the state norm.
    """

    time: str
    motion: Sentence
    solution: Sentence
    always: Sentence
    number: str
    decay: str
    decay_twice: str
    left: str
    falls: str
    weights: Mapping[bool, str]
    unbounded: str

    @staticmethod
    def of(system: System) -> Clock:
        """That of a system."""
        return _DISCRETE if system.dt > 0 else _CONTINUOUS

    def move(self, n: int, i: int) -> str:
        """Left side of the equation of motion of a state, such as ``x_{1}^{+}``."""
        return state(n, i) + "^{+}" if self is _DISCRETE else state(n, i, r"\dot{x}")


_CONTINUOUS = Clock(
    time="t",
    motion=("Consider the dynamics",),
    solution=(
        "Solution: ", Math("x"), " is absolutely continuous on an interval ", Math("[0,T)"), " and satisfies the "
        "relations for almost every ", Math("t"), ".",
    ),
    always=("all ", Math(r"t \in [0,T)")),
    number="rate",
    decay=r"e^{-\rho t}",
    decay_twice=r"e^{-2\rho t}",
    left=r"-(\dot{V}+2\rho V)",
    falls=r"\dot{V} \leq -2\rho V",
    weights={False: r"-2\rho"},
    unbounded="V contains the value of a function without a Lipschitz gradient",
)  # fmt: skip

_DISCRETE = Clock(
    time="k",
    motion=(
        "Consider the iteration, for ", Math(r"k = 0,1,2,\ldots"), " and with ", Math("x = x(k)"), ", ",
        Math("x^{+} = x(k+1)"), ",",
    ),
    solution=(
        "Solution: sequences ", Math("x(k)"), ", ", Math("y(k)"), ", ", Math("u(k)"), " satisfy the relations at "
        "every ", Math("k"), ".",
    ),
    always=("all ", Math(r"k = 0,1,2,\ldots")),
    number="factor",
    decay=r"\rho^{k}",
    decay_twice=r"\rho^{2k}",
    left=r"\rho^{2}V-V^{+}",
    falls=r"V^{+} \leq \rho^{2}V",
    weights={False: r"\rho^{2}", True: "-"},
    unbounded="V contains the value or the output of an oracle that is not Lipschitz continuous",
)  # fmt: skip


def is_discrete(certificate: Certificate) -> bool:
    """Whether the claim is one of discrete time."""
    return isinstance(certificate.claim, Contraction) or (is_gain(certificate) and certificate.system.dt > 0)


def is_gain(certificate: Certificate) -> bool:
    """Whether the claim is one about gains or delays."""
    return isinstance(certificate.claim, GainClaim)


def is_sublinear(certificate: Certificate) -> bool:
    """Whether the claim is one about a power of time."""
    return isinstance(certificate.claim, SublinearDecay)


def is_scaled(certificate: Certificate) -> bool:
    """Whether the claim is one on another time scale."""
    return isinstance(certificate.claim, ScaledClaim)


def number_of(certificate: Certificate) -> Fraction:
    """The rate of a claim, its factor or its order; on another time scale its coefficient, or the prescribed time."""
    if isinstance(certificate.claim, ScaledClaim):
        return certificate.claim.number
    if isinstance(certificate.claim, GainClaim):
        return certificate.claim.number or Fraction(0)
    if is_sublinear(certificate):
        return certificate.order
    return certificate.factor if is_discrete(certificate) else certificate.rate
