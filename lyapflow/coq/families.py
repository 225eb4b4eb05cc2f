"""A family over a parameter laid out for a proof: members at as many values as determine all functions of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..dynamics import LureSystem, ParametricSystem
from ..exact.polynomials import Polynomial, evaluate, polynomial
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.dissipation import assemble, lift_family
from ..lmi.signals import output_oracles
from .ratios import Range

__all__ = ["Family", "has_whole", "lay_out"]

_ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Family:
    """The certificate of a family.

    Attributes
    ----------
    certificate : Certificate
        Of the family.
    system : ParametricSystem
        The family.
    over : Range
        Its parameter.
    members : tuple of Certificate
        At the nodes of the range.
    factors : dict of str to Polynomial
        As in `lyapflow.lmi.parametric.Lifting`.
    orders : dict of str to int
        As there.
    """

    certificate: Certificate
    system: ParametricSystem
    over: Range
    members: tuple[Certificate, ...]
    factors: Mapping[str, Polynomial]
    orders: Mapping[str, int]

    @property
    def plants(self) -> tuple[LureSystem, ...]:
        """The members' systems."""
        return tuple(member.system for member in self.members if isinstance(member.system, LureSystem))

    @property
    def ratio(self) -> tuple[Polynomial, Polynomial]:
        """Polynomials p and q in s, with ``t = p / q`` between -1 and 1."""
        low, high = self.over.low, self.over.high
        if high is None:
            unit = abs(low) or _ONE
            return polynomial([-low - unit, _ONE]), polynomial([unit - low, _ONE])
        size = low.denominator * high.denominator
        return polynomial([-size * (low + high), 2 * size * _ONE]), polynomial([size * (high - low)])

    def factor(self, part: str, k: int) -> Fraction:
        """What the inequality of a member is multiplied by, with ``q^2m`` for the lifted form."""
        s = self.over.nodes[k]
        return evaluate(self.factors[part], self.system.find(s)) * evaluate(self.ratio[1], s) ** (2 * self.orders[part])


def has_whole(certificate: Certificate) -> bool:
    """Whether the theorem about all values of the parameter can be written."""
    family = certificate.system
    if not isinstance(family, ParametricSystem) or not isinstance(certificate.claim, ExponentialDecay | Contraction):
        return False
    return family.dt > 0 or not output_oracles(family, certificate.template)


def lay_out(certificate: Certificate) -> Family:
    """The family of a certificate for which `has_whole` is true."""
    system = certificate.system
    if not isinstance(system, ParametricSystem) or not isinstance(certificate.claim, ExponentialDecay | Contraction):
        raise TypeError("internal error: no family")
    claim, template, bounded = certificate.claim, certificate.template, certificate.is_bounded
    lifting = lift_family(system, claim, template, bounded=bounded)
    degree = system.degree * (8 + 2 * len(system.oracles)) + 2 * max(lifting.orders.values()) + 6
    nodes = _list_nodes(*system.ends, 2 * degree)
    members = []
    for s in nodes:
        member = system.at(s)
        found = lifting.evaluate(certificate.values, system.find(s))
        names = assemble(member, claim, template, bounded=bounded).unknowns
        members.append(replace(certificate, system=member, unknowns=tuple((name, found[name]) for name in names)))
    over = Range(*system.ends, system.denominator, nodes)
    return Family(certificate, system, over, tuple(members), lifting.factors, lifting.orders)


def _list_nodes(low: Fraction, high: Fraction | None, count: int) -> tuple[Fraction, ...]:
    step = (abs(low) or _ONE) if high is None else (high - low) / (count + 1)
    return tuple(low + (k + 1) * step for k in range(count))
