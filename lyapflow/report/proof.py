"""The proof of a certificate as data: each condition is a sum of class inequalities and weighted squares.

Made for people and for other checkers; `lyapflow.verify` does not use it. The squares come from an exact factorization
of the same matrices that the checker decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..certificates import Certificate
from ..certificates.verification import measure_slack
from ..classes.inequalities import Inequality
from ..dynamics import (
    LureSystem,
    Mode,
    ParametricSystem,
    PrimalDualIteration,
    PrimalDualSystem,
    ProximalLagrangianSystem,
    SaddleSystem,
    System,
)
from ..exact.factor import weighted_squares
from ..exact.matrices import Matrix, Vector
from ..lmi.claims import SublinearDecay
from ..lmi.groups import Evaluation, Group, list_groups, rename_group
from ..lmi.memory import list_filters
from ..lmi.scaled import list_parts as list_scaled_parts
from ..lmi.scaled_claims import ScaledClaim
from ..lmi.signals import output_oracles
from ..lmi.sublinear import list_uses
from .bilinear import saddle_sites
from .constrained import mode_signals
from .iteration import iteration_sites
from .memory import MARK, find_filter
from .proximal import proximal_sites
from .sublinear import sublinear_signals
from .symbols import Points, Symbols, filter_state, is_written, state

__all__ = ["Part", "Step", "Used", "list_parts", "list_steps"]

_MULTIPLIERS = {
    "decrease": r"\sigma", "rate": r"\tau", "speed": r"\chi", "speed limit": r"\chi", "positivity": r"\nu",
    "upper bound": r"\omega",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A class inequality with its multiplier.

    Attributes
    ----------
    name : str
        Name of the multiplier in the certificate.
    points : tuple of (name, Evaluation)
        What the points of the inequality stand for: which oracle, and when.
    inequality : Inequality
        The inequality, ``I >= 0``.
    label, symbol : str
        TeX symbols of the inequality and of the multiplier.
    value : Fraction
        The multiplier, >= 0.
    """

    name: str
    points: Points
    inequality: Inequality
    label: str
    symbol: str
    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the inequalities of a proof with its multipliers, common to all modes.

    Attributes
    ----------
    name : str
        ``"decrease"``, ``"positivity"`` or ``"upper bound"``; on another time scale also ``"rate"``, ``"speed"`` or
        ``"speed limit"``.
    used : tuple of Used
        Multipliers, zero ones included.
    """

    name: str
    used: tuple[Used, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    r"""One matrix inequality: what remains after the class inequalities is a sum of squares.

    Attributes
    ----------
    name : str
        Name of the condition in the pencil.
    part : str
        ``"decrease"``, ``"positivity"``, ``"upper bound"`` or ``"storage"``; for an interval of singular values also
        ``"decrease multiplier"``, and on another time scale those of `Part`.
    mode : str
        Label of the mode, and which end of its interval; empty if there is one mode only.
    theta : Fraction or None
        Squared singular value at which the condition is taken.
    signals : tuple of str
        TeX symbols of the entries of z.
    slack : Matrix
        The matrix M of the condition.
    squares : tuple of (Fraction, Vector)
        :math:`z^\top M z = \sum_i d_i (l_i\cdot z)^2`, exactly, with :math:`d_i > 0`; none for a system whose
        equations are not for reading.
    margin : Fraction
        Largest power of two e with ``M - e I`` positive semidefinite; 0 on the boundary.
    """

    name: str
    part: str
    mode: str
    theta: Fraction | None
    signals: tuple[str, ...]
    slack: Matrix
    squares: tuple[tuple[Fraction, Vector], ...]
    margin: Fraction


def list_parts(certificate: Certificate) -> tuple[Part, ...]:
    """Class inequalities and multipliers of each inequality of the proof."""
    certificate = certificate.core
    system, values = certificate.system, certificate.values
    if isinstance(system, ParametricSystem):
        return ()  # its multipliers are functions, which the argument writes
    owners = Symbols.of(system).owners
    known: dict[str, list[Inequality]] = {}  # an inequality has one label, in whatever parts it is used
    found: list[Part] = []
    for part in (*_name_flow_parts(certificate), "positivity", *(("upper bound",) if certificate.is_bounded else ())):
        used: list[Used] = []
        for group in _list_groups(certificate, part):
            owner = owners[group.points[0][1].oracle]
            own = known.setdefault(owner, [])
            for name, inequality in group.uses:
                if inequality not in own:
                    own.append(inequality)
                mark = f"{owner},{own.index(inequality) + 1}"
                past = find_filter(group.points, inequality)
                label = f"I_{{{mark}}}" if past is None else f"{MARK}_{{{past + 1}}}"
                used.append(
                    Used(
                        name=name, points=group.points, inequality=inequality, label=label,
                        symbol=f"{_MULTIPLIERS[part]}_{{{mark}}}", value=values[name],
                    )
                )  # fmt: skip
        found.append(Part(name=part, used=tuple(used)))
    return tuple(found)


def _name_flow_parts(certificate: Certificate) -> tuple[str, ...]:
    """Names of the parts that are no bounds of V."""
    claim = certificate.claim
    return tuple(p.name for p in list_scaled_parts(claim)) if isinstance(claim, ScaledClaim) else ("decrease",)


def _list_groups(certificate: Certificate, part: str) -> tuple[Group, ...]:
    if isinstance(certificate.claim, ScaledClaim) and part in _name_flow_parts(certificate):
        groups = list_groups(certificate.system, certificate.template, "decrease")
        return tuple(rename_group(group, "decrease", part) for group in groups)
    if not isinstance(certificate.claim, SublinearDecay):
        return list_groups(certificate.system, certificate.template, part)
    uses = list_uses(certificate.system, certificate.template, part)
    points = tuple((point, Evaluation(0, point)) for point in dict.fromkeys(point for _, point, _ in uses))
    return (Group(points, tuple((name, inequality) for name, _, inequality in uses)),) if uses else ()


def list_steps(certificate: Certificate) -> tuple[Step, ...]:
    """Matrix inequalities of the proof with their sums of squares.

    Raises
    ------
    InvalidModelError
        If a matrix is not positive semidefinite, so that the certificate proves nothing.
    """
    conditions = (certificate if isinstance(certificate.claim, ScaledClaim) else certificate.core).pencil().conditions
    certificate = certificate.core  # on another time scale its pencil would forget that the speed is Euclidean
    values = certificate.values
    found: list[Step] = []
    for condition, (part, mode, theta, signals) in zip(conditions, _sites(certificate), strict=True):
        named = condition.name.partition(" of ")[0].partition(",")[0]
        if named != part or len(signals) != len(condition.signals):  # the pencil changed: never label a matrix wrongly
            raise ArithmeticError(f"internal error: expected the condition '{part}', got '{condition.name}'")
        slack = condition.at(values)
        found.append(
            Step(
                name=condition.name, part=part, mode=mode, theta=theta, signals=signals, slack=slack,
                squares=weighted_squares(slack) if is_written(certificate.system) else (), margin=measure_slack(slack),
            )
        )  # fmt: skip
    return tuple(found)


def _sites(certificate: Certificate) -> Iterator[tuple[str, str, Fraction | None, tuple[str, ...]]]:
    """Part, mode, squared singular value and signals of each condition, in the order of the pencil."""
    system = certificate.system
    if isinstance(system, ParametricSystem):
        yield from ((c.name, "", None, c.signals) for c in certificate.pencil().conditions)
        return
    if isinstance(certificate.claim, SublinearDecay):
        signals = sublinear_signals(certificate)
        yield "decrease", "", None, signals
        yield "positivity", "", None, signals
        yield "positivity", "", None, (r"\varphi",)
        return
    if isinstance(system, PrimalDualIteration):
        yield from ((part, mode, None, signals) for part, mode, signals in iteration_sites(certificate))
        return
    if isinstance(system, ProximalLagrangianSystem):
        yield from ((part, mode, None, signals) for part, mode, signals in proximal_sites(certificate, system))
        return
    if isinstance(system, SaddleSystem):
        yield from ((part, mode, None, signals) for part, mode, signals in saddle_sites(certificate))
        return
    if isinstance(certificate.claim, ScaledClaim):  # a part of all modes comes before the next part
        for part in _name_flow_parts(certificate):
            for index, mode in enumerate(system.modes):
                yield from _decrease_sites(certificate, part, index, mode)
    for index, mode in enumerate(system.modes):
        states, outputs, own = _mode_symbols(certificate, index)
        both = states + outputs
        if not isinstance(certificate.claim, ScaledClaim):
            yield from _decrease_sites(certificate, "decrease", index, mode)
        theta = _theta(certificate, mode.vertices[0], mode)
        yield "positivity", mode.label, theta, both
        if certificate.is_bounded:
            yield "upper bound", mode.label, theta, both
        if getattr(certificate.template, "definite", False):
            yield "storage", mode.label, theta, states + own


def _mode_symbols(certificate: Certificate, index: int) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """States, outputs, and those outputs that V contains, of a mode."""
    system = certificate.system
    if isinstance(system, PrimalDualSystem):
        states = mode_signals(system, index)
        outputs: tuple[str, ...] = ("u" + states[0].removeprefix("x"),)
    else:
        n, m = system.shape
        states = tuple(state(n, i) for i in range(n))
        states += tuple(map(filter_state, range(len(list_filters(system, certificate.template)))))
        outputs = tuple(Symbols.of(system).signal("u", j) for j in range(m))
    return states, outputs, tuple(outputs[j] for j in output_oracles(system, certificate.template))


def _decrease_sites(
    certificate: Certificate, part: str, index: int, mode: Mode
) -> Iterator[tuple[str, str, Fraction | None, tuple[str, ...]]]:
    """Sites of a part that moves, one at each vertex of a mode."""
    states, outputs, own = _mode_symbols(certificate, index)
    signals = (*states, *outputs, *(_name_next(certificate.system, output) for output in own))
    for plant in mode.vertices:
        yield part, mode.label, _theta(certificate, plant, mode), signals


def _name_next(system: System, output: str) -> str:
    """An output at the next step, or its derivative."""
    return f"{output}^{{+}}" if system.dt else output.replace("u", r"\dot{u}", 1)


def _theta(certificate: Certificate, plant: LureSystem, mode: Mode) -> Fraction | None:
    system = certificate.system
    if not isinstance(system, PrimalDualSystem) or mode.label == "null":
        return None
    return plant.A[1][0] / (system.dual_gain * (system.step or 1))
