"""The two-sided answer: a proof from below, a concrete member from above."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..certificates.certificate import Certificate
from ..dynamics import System
from ..exact.rationals import show_above, show_below
from ..lmi.templates import Template
from .outcomes import Proved, unwrap
from .pipeline import SolverFactory, attempt
from .witness import Witness, find_witness

__all__ = ["Bracket", "bracket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """A two-sided answer: ``proved rate <= true rate of the class <= rate of a concrete member``.

    In discrete time: ``factor of a concrete member <= true factor of the class <= proved factor``.

    Attributes
    ----------
    certificate : Certificate
        The proof of one end.
    witness : Witness
        The member at the other; its rate or factor is rigorous too.
    """

    certificate: Certificate
    witness: Witness

    @property
    def gap(self) -> Fraction:
        """Distance of the two ends, >= 0."""
        if self.witness.factor is not None:
            return self.certificate.factor - self.witness.factor
        return (self.witness.rate or Fraction(0)) - self.certificate.rate

    def __str__(self) -> str:
        gap = show_above(self.gap, 2)
        if self.witness.factor is not None:
            low, high = show_below(self.witness.factor), show_above(self.certificate.factor)
            return f"{low} <= true factor <= {high} proved (gap {gap}); {self.witness}"
        low, high = show_below(self.certificate.rate), show_above(self.witness.rate or Fraction(0))
        return f"proved {low} <= true rate <= {high} (gap {gap}); {self.witness}"


def bracket(
    system: System,
    *,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
    accuracy: float = 1e-6,
) -> Bracket:
    """Bracket the best decay rate, or contraction factor, that holds for the whole class.

    Parameters
    ----------
    system : LureSystem, PrimalDualSystem, PrimalDualIteration or ProximalLagrangianSystem
        In continuous or discrete time.
    template : Template, optional
        As in `certify`.
    solver : str, optional
        As in `certify`.
    accuracy : float, default 1e-6
        As in `certify`.

    Returns
    -------
    Bracket
        Proved rate or factor, slowest linear member found, and the gap between them.

    Raises
    ------
    NoCertificateError
        If no rate can be proved.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> print(bracket(gradient_flow(SmoothStronglyConvex(mu=2, L=9))))
    proved 2 <= true rate <= 2 (gap 0); the linear member f: u = 2 y decays with rate at most 2
    """
    outcome = attempt(system, template=template, solver=solver, accuracy=accuracy)
    certificate = unwrap(outcome)
    witness = outcome.witness if isinstance(outcome, Proved) else find_witness(system)
    return Bracket(certificate=certificate, witness=witness)
