r"""Each stage with its input gain: :math:`\dot V_i + 2\rho V_i + \eta_i|z_i|^2 \le \gamma_i|w_i|^2`, proved by itself.

What enters a stage is taken in as few numbers as carry it: with :math:`(A_{ij}, B_{ij}; C_{ij}, D_{ij}) = L R` of the
rank of the coupling, stage j hands over :math:`z = R\,(x_j, u_j)`, and stage i receives :math:`w = z` through L.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..certificates.verification import Verification, check, find_disguise
from ..dynamics import LureSystem
from ..errors import InvalidModelError, NoCertificateError
from ..exact.dense import dense, fraction, reduced_rows
from ..exact.matrices import Matrix
from ..exact.rationals import rational
from ..lmi.claims import Contraction, ExponentialDecay
from ..lmi.dissipation import storage_name
from ..lmi.driven import INPUT, OUTPUT, DrivenSystem, assemble_driven
from ..lmi.templates import PlainTemplate, QuadraticPlusValue, QuadraticStorage
from ..search.driven import find_gain
from ..search.outcomes import Infeasible, Outcome, Proved
from ..search.pipeline import attempt
from .decomposition import Cascade, Stage, pick, read_cascade

__all__ = ["StageCertificate", "attempt_stage", "certify_stage", "certify_stages", "drive_stage", "restrict"]

_OUTWARD = Fraction(1, 1000)
"""Scale of what leaves a loop: it must not weigh on the gains inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCertificate:
    """The input gain of one stage at a rate, with the numbers that prove it.

    Attributes
    ----------
    stage : Stage
        Which one.
    system : DrivenSystem
        The stage with its input w and its output z.
    claim : ExponentialDecay or Contraction
        The decay.
    template : QuadraticStorage or QuadraticPlusValue
        Form of V.
    unknowns : tuple of (name, Fraction)
        Exact.
    """

    stage: Stage
    system: DrivenSystem
    claim: ExponentialDecay | Contraction
    template: PlainTemplate
    unknowns: tuple[tuple[str, Fraction], ...]

    @property
    def input_gain(self) -> Fraction | None:
        """gamma; None without an input."""
        return dict(self.unknowns).get(INPUT)

    @property
    def output_gain(self) -> Fraction | None:
        """eta; None without an output."""
        return dict(self.unknowns).get(OUTPUT)

    @property
    def gain(self) -> Fraction | None:
        """``gamma / eta``: the squared gain from w to z at this rate; None without input or output."""
        if self.input_gain is None or self.output_gain is None:
            return None
        return self.input_gain / self.output_gain

    def storage(self, deviation: Sequence[object]) -> Fraction:
        """Exact V at a deviation from the equilibrium, one number per state; for a `QuadraticStorage`.

        Raises
        ------
        InvalidModelError
            If V holds function values, or there are not as many numbers as states.
        """
        if not isinstance(deviation, Iterable):
            raise InvalidModelError(f"deviation must be a sequence of numbers, one per state, got {deviation!r}")
        x = [rational(v, name="deviation") for v in deviation]
        if not isinstance(self.template, QuadraticStorage) or len(x) != len(self.stage.states):
            raise InvalidModelError(
                f"storage needs one number per state of {self.stage}, and a V without function values, got "
                f"{list(deviation)} and {self.template}"
            )
        own, mode = dict(self.unknowns), self.system.plant.modes[0]
        every = range(len(x))
        return sum(
            (own[storage_name(mode, min(i, j), max(i, j))] * x[i] * x[j] for i in every for j in every), Fraction(0)
        )

    def verify(self) -> Verification:
        """Prove it again, from the definitions, in exact arithmetic."""
        pencil, values = assemble_driven(self.system, self.claim, self.template), dict(self.unknowns)
        complaint = find_disguise(self.system.plant.oracles)
        if set(values) != set(pencil.unknowns) or not all(isinstance(v, Fraction) for v in values.values()):
            complaint = f"the unknowns must be a Fraction for each of {', '.join(pencil.unknowns)}"
        if complaint is not None:
            return Verification(proved=False, margin=Fraction(0), witness=None, reason=complaint)
        violation = check(pencil, values)
        reason = "all inequalities hold" if violation is None else str(violation)
        return Verification(proved=violation is None, margin=Fraction(0), witness=violation, reason=reason)


def restrict(cascade: Cascade, stage: Stage) -> LureSystem:
    """A stage of a Lur'e system by itself, with nothing driving it.

    Raises
    ------
    InvalidModelError
        If the system is not a `LureSystem` that does not vary with time.
    """
    whole = cascade.coordinates
    if not isinstance(whole, LureSystem) or whole.is_time_varying:
        kind = "one that varies with time" if isinstance(whole, LureSystem) else type(whole).__name__
        raise InvalidModelError(f"stages are certified of a LureSystem that does not vary with time, got {kind}")
    x, u = stage.states, stage.oracles
    return LureSystem(
        pick(whole.A, x, x),
        pick(whole.B, x, u),
        pick(whole.C, u, x),
        pick(whole.D, u, u),
        oracles=tuple(whole.oracles[j] for j in u),
        dt=whole.dt,
        name=f"{stage} of {whole.name}",
        oracle_names=tuple(whole.oracle_names[j] for j in u),
        groups=tuple(whole.groups[j] for j in u),
    )


def drive_stage(cascade: Cascade, position: int) -> DrivenSystem:
    """A stage with what enters it as its input, and what leaves it as its output."""
    stage, plant = cascade.stages[position], restrict(cascade, cascade.stages[position])
    E: list[tuple[Fraction, ...]] = [()] * len(stage.states)
    F: list[tuple[Fraction, ...]] = [()] * len(stage.oracles)
    for source in cascade.find_sources(position):
        left = _factor(cascade, source, position)[0]
        top, bottom = left[: len(E)], left[len(E) :]
        E = [e + row for e, row in zip(E, top, strict=True)]
        F = [f + row for f, row in zip(F, bottom, strict=True)]
    out = [row for c in cascade.couplings if c.source == position for row in _factor(cascade, position, c.target)[1]]
    n = len(stage.states)
    return DrivenSystem(plant, E=E, F=F, H=[row[:n] for row in out], J=[row[n:] for row in out])


def _factor(cascade: Cascade, source: int, target: int) -> tuple[Matrix, Matrix]:
    """L and R of a coupling: columns at the pivots, and the nonzero rows of the reduced echelon form."""
    whole, a, b = cascade.coordinates, cascade.stages[target], cascade.stages[source]
    if not isinstance(whole, LureSystem):
        raise TypeError("internal error: only Lur'e systems have coupling matrices")
    upper = zip(pick(whole.A, a.states, b.states), pick(whole.B, a.states, b.oracles), strict=True)
    lower = zip(pick(whole.C, a.oracles, b.states), pick(whole.D, a.oracles, b.oracles), strict=True)
    block = tuple(x + u for x, u in (*upper, *lower))
    right = tuple(tuple(map(fraction, row)) for row in reduced_rows(dense(block, len(block[0]))))
    pivots = [next(j for j, v in enumerate(row) if v) for row in right]
    part = _OUTWARD if _leaves_loop(cascade, source, target) else Fraction(1)
    left = tuple(tuple(row[j] / part for j in pivots) for row in block)
    return left, tuple(tuple(part * v for v in row) for row in right)


def _leaves_loop(cascade: Cascade, source: int, target: int) -> bool:
    """Whether, in a structure with feedback, a coupling is part of none."""
    if cascade.is_triangular:
        return False
    reached, waiting = set[int](), [target]
    while waiting:
        stage = waiting.pop()
        if stage not in reached:
            reached.add(stage)
            waiting += [c.target for c in cascade.couplings if c.source == stage]
    return source not in reached


def attempt_stage(cascade: Cascade, position: int) -> Outcome:
    """The best decay of a stage by itself; in discrete time with a V that is quadratic in the state."""
    system = restrict(cascade, cascade.stages[position])
    return attempt(system, template=QuadraticStorage() if system.dt > 0 else None)


def certify_stages(
    cascade: Cascade, claim: ExponentialDecay | Contraction, *, given_up: float | None = None
) -> tuple[StageCertificate, ...]:
    """The input gain of each stage at one rate, proved.

    Parameters
    ----------
    cascade : Cascade
        Of a `LureSystem` that does not vary with time.
    claim : ExponentialDecay or Contraction
        With a number: the rate, or factor, at which gains are taken.
    given_up : float, optional
        Asks for the smallest gains, up to this share in (0, 1): what feedback between stages needs. The default asks
        for the V that is least distorted: a cascade has room for any gain.

    Raises
    ------
    NoCertificateError
        If a stage has no gain that can be proved at this rate; the message names it.
    InvalidModelError
        If the cascade is not of such a system.
    """
    count = len(read_cascade(cascade).stages)
    return tuple(certify_stage(cascade, k, claim, given_up=given_up) for k in range(count))


def certify_stage(
    cascade: Cascade, position: int, claim: ExponentialDecay | Contraction, *, given_up: float | None = None
) -> StageCertificate:
    """The input gain of one stage, as `certify_stages`; the others need not decay.

    Parameters
    ----------
    cascade : Cascade
        Of a `LureSystem` that does not vary with time.
    position : int
        Which stage, from 0.
    claim : ExponentialDecay or Contraction
        With a number.
    given_up : float, optional
        As in `certify_stages`.

    Raises
    ------
    NoCertificateError, InvalidModelError
        As `certify_stages`.
    """
    count = len(read_cascade(cascade).stages)
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < count:
        raise InvalidModelError(f"position must be that of a stage, 0 to {count - 1}, got {position!r}")
    if given_up is not None and not (isinstance(given_up, float) and 0 < given_up < 1):
        raise InvalidModelError(f"given_up must be a float in (0, 1), or None, got {given_up!r}")
    stage, system = cascade.stages[position], drive_stage(cascade, position)
    forms: tuple[PlainTemplate, ...] = (QuadraticStorage(), QuadraticPlusValue())
    for template in forms[:1] if system.plant.dt > 0 else forms:
        found = find_gain(system, claim, template, given_up=given_up)
        if found is not None:
            return StageCertificate(
                stage=stage, system=system, claim=claim, template=template, unknowns=tuple(found.items())
            )
    outcome: Outcome = attempt(system.plant, claim)
    if isinstance(outcome, Proved):
        outcome = Infeasible(claim=claim, status="no gain from its input", witness=None)
    raise NoCertificateError(outcome, about=f"{stage}, driven by the others: ")
