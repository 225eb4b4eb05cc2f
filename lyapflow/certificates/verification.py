"""The checker: re-assembles, substitutes, proves. Its trusted base is Python and python-flint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .. import classes
from ..dynamics import (
    LureSystem,
    ParametricSystem,
    PolytopicSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    StackedSystem,
)
from ..errors import CertificateFormatError
from ..exact.definite import find_negative_direction, measure_margin
from ..exact.dense import scalars
from ..exact.matrices import Matrix, Vector, quadratic_value
from ..exact.rationals import shorten
from ..lmi.claims import Contraction, ExponentialDecay, SublinearDecay
from ..lmi.delay_claims import DelayTolerance
from ..lmi.gain_claims import InputToState, L2Gain, NoiseAmplification, Port
from ..lmi.pencil import Pencil
from ..lmi.scaled_claims import FiniteTimeStability, FixedTimeStability, PrescribedTimeStability
from ..lmi.templates import AdjointStorage, QuadraticPlusValue, QuadraticStorage, VariableMetric, ZamesFalb
from .certificate import Certificate
from .evidence import Evidence, find_certificate
from .files import Stored, read

__all__ = ["Verification", "Violation", "check", "find_disguise", "judge", "measure_slack", "satisfies", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Evidence that a condition fails.

    Attributes
    ----------
    inequality : str
        Name of the condition.
    signals : tuple of str
        What the entries of `point` stand for: states and oracle outputs, a function value, or a multiplier.
    point : tuple of Fraction
        Where the condition fails; signals that are not named are zero.
    value : Fraction
        The slack there, negative.
    """

    inequality: str
    signals: tuple[str, ...]
    point: Vector
    value: Fraction

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {shorten(v)}" for name, v in zip(self.signals, self.point, strict=True))
        return f"the inequality '{self.inequality}' fails: at {at} the slack is {shorten(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Verdict of the checker.

    Attributes
    ----------
    proved : bool
        Whether every condition holds, exactly.
    margin : Fraction
        Largest power of two e with ``F - e I`` positive semidefinite for every matrix inequality F of the claim, on the
        signals that occur in it; 0 for a proof on the boundary, or no proof.
    witness : Violation or None
        The first condition that fails.
    reason : str
        One sentence.
    """

    proved: bool
    margin: Fraction
    witness: Violation | None
    reason: str

    def __bool__(self) -> bool:
        return self.proved


def verify(certificate: Certificate | Evidence | Path | str) -> Verification:
    """Prove a certificate again, from the definitions, in exact arithmetic.

    Parameters
    ----------
    certificate : Certificate, what has one as its ``certificate``, path or str
        A certificate, or a file that holds one.

    Returns
    -------
    Verification
        ``proved`` is True only if every sign, equality and matrix inequality holds exactly and, for a file, the stored
        digest and equalities are those of its content.

    Raises
    ------
    CertificateFormatError
        If a file cannot be read as a certificate.
    """
    found = find_certificate(certificate)
    if found is not None:
        return _judge(found)
    if not isinstance(certificate, str | Path):
        raise CertificateFormatError(f"verify needs a Certificate or a path, got {type(certificate).__name__}")
    return judge(read(certificate))


def judge(stored: Stored) -> Verification:
    """The verdict on a certificate that was read from a file: its mathematics first, then the file around it."""
    verdict = _judge(stored.certificate)
    if not verdict.proved or stored.complaint is None:
        return verdict
    return Verification(proved=False, margin=Fraction(0), witness=None, reason=stored.complaint)


def _judge(certificate: Certificate) -> Verification:
    stranger = _find_stranger(certificate)
    if stranger is not None:
        return Verification(proved=False, margin=Fraction(0), witness=None, reason=stranger)
    pencil = certificate.pencil()
    values = certificate.values
    if set(values) != set(pencil.unknowns):
        missing = _name_some(set(pencil.unknowns) - set(values))
        extra = _name_some(set(values) - set(pencil.unknowns))
        return Verification(
            proved=False,
            margin=Fraction(0),
            witness=None,
            reason=f"the unknowns are not those of the claim: missing {missing}; not known {extra}",
        )
    violation = check(pencil, values)
    if violation is not None:
        return Verification(proved=False, margin=Fraction(0), witness=violation, reason=str(violation))
    margins = [measure_slack(c.at(values)) for c in pencil.conditions]
    return Verification(
        proved=True,
        margin=min(margins, default=Fraction(0)),
        witness=None,
        reason="every sign, equality and matrix inequality holds exactly",
    )


def measure_slack(slack: Matrix) -> Fraction:
    """Margin of a matrix inequality on the signals that occur in it: rows that are all zero do not count."""
    kept = [i for i, row in enumerate(slack) if any(row)]
    return measure_margin(tuple(tuple(slack[i][j] for j in kept) for i in kept))


def _find_stranger(certificate: Certificate) -> str | None:
    """A part that only looks like one of lyapflow's: a subclass may say one thing and compute another."""
    form = getattr(certificate.template, "form", certificate.template)
    ports = (getattr(certificate.claim, "input", ""), getattr(certificate.claim, "output", ""))
    parts = (certificate, certificate.system, certificate.claim, certificate.template, form, *ports)
    known = (
        Certificate,
        LureSystem,
        PrimalDualSystem,
        PrimalDualIteration,
        ProximalLagrangianSystem,
        SaddleSystem,
        PolytopicSystem,
        ParametricSystem,
        StackedSystem,
        ExponentialDecay,
        Contraction,
        SublinearDecay,
        FiniteTimeStability,
        FixedTimeStability,
        PrescribedTimeStability,
        L2Gain,
        InputToState,
        DelayTolerance,
        NoiseAmplification,
        Port,
        str,
        QuadraticStorage,
        QuadraticPlusValue,
        AdjointStorage,
        VariableMetric,
        ZamesFalb,
    )
    vertices = getattr(certificate.system, "vertices", getattr(certificate.system, "systems", ()))
    if isinstance(certificate.system, StackedSystem):
        vertices = (certificate.system.plant,)
    for part in (*parts, *vertices):
        if type(part) not in known:
            return f"{type(part).__name__} is not a type of lyapflow, so what it says is not known to be what it does"
    return find_disguise(tuple(oracle for system in (certificate.system, *vertices) for oracle in system.oracles))


def find_disguise(oracles: tuple[classes.OperatorClass, ...]) -> str | None:
    """A class among some that only looks like one of lyapflow's, in a sentence; None if there is none."""
    own = tuple(c for c in vars(classes).values() if isinstance(c, type) and c is not classes.OperatorClass)
    for oracle in _parts(oracles):
        if isinstance(oracle, own) and type(oracle) not in own:
            return f"the class {type(oracle).__name__} derives from one of lyapflow's; write it as a class of its own"
    return None


def _parts(oracles: tuple[classes.OperatorClass, ...]) -> Iterator[classes.OperatorClass]:
    """The classes, and those that an intersection is made of."""
    for oracle in oracles:
        yield oracle
        yield from oracle.parts if isinstance(oracle, classes.Intersection) else ()


def _name_some(names: set[str]) -> str:
    some = ", ".join(repr(name[:60]) for name in sorted(names)[:3])
    return f"{some} and {len(names) - 3} more" if len(names) > 3 else some or "none"


def satisfies(pencil: Pencil, values: Mapping[str, Fraction]) -> bool:
    """Whether every condition of a pencil holds at the given values, exactly: then the claim is proved."""
    return pencil.holds(scalars(values))


def check(pencil: Pencil, values: Mapping[str, Fraction]) -> Violation | None:
    """The first condition of a pencil that fails at the given values, or None: then the claim is proved.

    Parameters
    ----------
    pencil : Pencil
        Conditions of the claim.
    values : mapping
        A rational for each unknown.
    """
    for name in pencil.nonnegative:
        if values[name] < 0:
            return Violation(
                inequality=f"multiplier '{name}' >= 0", signals=(name,), point=(values[name],), value=values[name]
            )
    for equality in pencil.equalities:
        left = equality.at(values)
        if left != 0:
            # The inequality is affine in this function value, so it fails for one of the two signs of it.
            sign = Fraction(-1 if left > 0 else 1)
            signal = f"phi_{equality.name.rpartition(' ')[2]}"
            return Violation(
                inequality=f"equality {equality.name} = 0", signals=(signal,), point=(sign,), value=sign * left
            )
    numbers = scalars(values)
    for condition in pencil.conditions:
        if not condition.holds(numbers):
            slack = condition.at(values)
            point = find_negative_direction(slack)
            if point is None:  # the two decisions disagree: never call that a proof
                raise ArithmeticError(f"internal error: no witness for '{condition.name}'")
            return Violation(
                inequality=condition.name, signals=condition.signals, point=point, value=quadratic_value(slack, point)
            )
    return None
