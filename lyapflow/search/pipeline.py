"""From a system and a claim to an outcome: assemble, solve, round, prove."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

from ..certificates.certificate import Certificate
from ..classes import Convex, ConvexIndicator, Quadratic, SmoothConvex, SupportFunction
from ..classes.inequalities import EQUILIBRIUM, read_inequalities
from ..classes.slopes import is_smooth
from ..dynamics import LureSystem, ParametricSystem, StackedSystem, System
from ..errors import InvalidModelError
from ..exact.rationals import rational
from ..lmi.checks import check_claim
from ..lmi.claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from ..lmi.gain_claims import GainClaim
from ..lmi.metric import find_reduction, reduce_splitting
from ..lmi.signals import output_oracles
from ..lmi.templates import AdjointStorage, QuadraticPlusValue, QuadraticStorage, Template, VariableMetric, ZamesFalb
from .attempts import Family, SolverFactory
from .backend import MarginProblem, check_solver
from .best import LOSSES, attempt_best, attempt_given, give_up_range, name_tools
from .direct import DirectMarginProblem
from .families import find_refuting_member, read_family
from .gains import attempt_gain
from .large import attempt_large
from .member_bounds import is_large
from .outcomes import UNASKED, Inconclusive, Infeasible, Outcome, Proved, Reason, unwrap
from .poles import choose_poles
from .shifting import shift_loop
from .slow_members import SlowMember, find_slow_quadratic
from .sublinear import attempt_sublinear
from .witness import estimate_ceiling, find_turned_witness, find_witness

__all__ = ["SolverFactory", "attempt", "certify"]

_MOST_BITS = 332
"""Numbers of a model above 2 to this power (about 1e100), or below its inverse, leave the range of floating point when
they are multiplied."""

_TINY = 1e-12
"""A parameter that nothing numerical distinguishes from zero."""


def certify(
    system: System | Callable[..., LureSystem],
    claim: Claim | GainClaim | None = None,
    *,
    over: Mapping[str, tuple[object, object]] | None = None,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
    accuracy: float = 1e-6,
) -> Certificate:
    """Find a Lyapunov certificate and prove it in exact arithmetic.

    Parameters
    ----------
    system : System
        A `LureSystem` or another one of `lyapflow.dynamics`, in continuous or discrete time; or, with `over`, a
        function that makes a `LureSystem` from parameters by name.
    claim : ExponentialDecay, Contraction, SublinearDecay, L2Gain, InputToState or DelayTolerance, optional
        What to prove; without a number, the best that can be proved. Default: exponential decay in continuous time,
        contraction in discrete time.
    over : mapping of str to (rational, rational or None), optional
        Intervals of the parameters of a family: one certificate for all of them. On a single parameter everything may
        depend, through rational functions of small degrees (``Fraction(9, 10) / L``; ``0.9 / L`` is a float), and
        ``None`` for the upper end is a half-line: the certificate speaks of a `ParametricSystem`, or of one member that
        holds all. Of several, A and B must depend on each through one monotone function, C and D on none, and the
        classes may depend on all: the certificate speaks of the `PolytopicSystem` of the corners. That this is the
        given family, or holds it, is checked at random parameters.
    template : QuadraticStorage, QuadraticPlusValue, VariableMetric or ZamesFalb, optional
        Form of V; default ``QuadraticPlusValue()``, the richest, or ``QuadraticStorage()`` where it proves the same
        with a transient bound that is no larger, or at most 3. ``ZamesFalb()`` adds a memory, which proves larger rates
        for some plants of third and higher order; it takes seconds.
    solver : str, optional
        A semidefinite solver that cvxpy has, such as ``"SCS"``; default Clarabel, called directly. What it says is
        never believed: its numbers are rounded to rationals and those are checked. Where Clarabel fails, SCS is asked.
        With none named, a system of more than 20 states with one oracle of one quadratic inequality (sector, Lipschitz,
        cocoercive, ...) goes through a Riccati equation instead, with ``QuadraticStorage()``.
    accuracy : float, default 1e-6
        How far the proved rate, or one minus the factor, may lie below the best before the search turns to arithmetic
        in 192 bits, which is slow and gets closer. Relative; at least 1e-7. A tenth of it is tried first: where the
        best has no room left, a V for less has a smaller transient bound.

    Returns
    -------
    Certificate
        Proved: `verify` succeeds on it.

    Raises
    ------
    NoCertificateError
        If there is no proof; its ``outcome`` is `Infeasible` or `Inconclusive`.
    InvalidModelError
        If an argument is not valid.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> certify(gradient_flow(SmoothStronglyConvex(mu="1/3", L=7))).rate
    Fraction(1, 3)
    """
    return unwrap(attempt(system, claim, over=over, template=template, solver=solver, accuracy=accuracy))


def attempt(
    system: System | Callable[..., LureSystem],
    claim: Claim | GainClaim | None = None,
    *,
    over: Mapping[str, tuple[object, object]] | None = None,
    template: Template | None = None,
    solver: str | SolverFactory | None = None,
    accuracy: float = 1e-6,
) -> Outcome:
    """Like `certify`, but a "no" is a value, never an exception.

    Parameters
    ----------
    system : System
        A `LureSystem` or another one of `lyapflow.dynamics`, in continuous or discrete time; or, with `over`, a
        function that makes a `LureSystem` from parameters by name.
    claim : ExponentialDecay, Contraction or SublinearDecay, optional
        As in `certify`.
    over : mapping of str to (rational, rational), optional
        As in `certify`.
    template : QuadraticStorage or QuadraticPlusValue, optional
        As in `certify`.
    solver : str, optional
        As in `certify`; or a function from `ConeData` to a `Solver`, to bring one that cvxpy does not have.
    accuracy : float, default 1e-6
        As in `certify`.

    Returns
    -------
    Proved, Infeasible or Inconclusive
        The proof; or a "no", with whose word it is; or why nothing is known and what to try.

    Raises
    ------
    InvalidModelError
        If an argument is not valid.
    """
    if over is not None:
        if not callable(system):
            raise InvalidModelError(f"over goes with a function that makes systems, got {type(system).__name__}")
        found = attempt(read_family(system, over), claim, template=template, solver=solver, accuracy=accuracy)
        if isinstance(found, Infeasible):  # what stands for the family may hold more than it
            return replace(found, witness=find_refuting_member(system, over, found))
        return found
    if not isinstance(system, System):
        raise InvalidModelError(
            "system must be a LureSystem, a PrimalDualSystem, a PrimalDualIteration, a ProximalLagrangianSystem, a "
            f"SaddleSystem, a PolytopicSystem, a ParametricSystem or a StackedSystem, got {type(system).__name__}"
        )
    if isinstance(claim, GainClaim):
        if solver is not None:
            raise InvalidModelError("a claim about gains is searched with Clarabel; leave the solver out")
        return attempt_gain(system, claim, template)
    wanted: Claim = (Contraction() if system.dt > 0 else ExponentialDecay()) if claim is None else claim
    if not isinstance(wanted, ExponentialDecay | Contraction | SublinearDecay):
        raise InvalidModelError(
            "claim must be ExponentialDecay(rate), Contraction(factor) or SublinearDecay(order), got "
            f"{claim!r}. For another time scale, give scale_time a certificate of exponential decay."
        )
    if not isinstance(accuracy, float) or not LOSSES[0] <= accuracy < 1:
        raise InvalidModelError(f"accuracy must be a float in [{LOSSES[0]}, 1), got {accuracy!r}")
    if template is None and find_reduction(system) is not None and len(system.modes[0].norm_above) > 1:
        template = VariableMetric()
    if isinstance(template, ZamesFalb) and template.poles is None:
        check_claim(system, wanted, template)
        if not isinstance(system, LureSystem):
            raise TypeError("internal error: a memory belongs to a Lur'e system")
        template = replace(template, poles=choose_poles(system) if _is_representable(system) else (Fraction(1),))
    if isinstance(template, VariableMetric):
        return _attempt_in_metric(system, wanted, template, solver, accuracy)
    if isinstance(wanted, SublinearDecay):
        return _attempt_sublinear(system, wanted, template, solver)
    is_modal = system.dt > 0 and not isinstance(system, LureSystem | ParametricSystem)  # V is quadratic in the state
    every: tuple[Template, ...] = (QuadraticStorage(),) if is_modal else (QuadraticStorage(), QuadraticPlusValue())
    if _has_inertial_prox(system):
        every = (*every, QuadraticPlusValue(outputs=True))
    forms = every if template is None else (template,)
    check_claim(system, wanted, forms[-1])  # a claim that cannot be made of this system is an error, not a no
    name, make, fallback = _choose_solver(solver)
    if solver is None and QuadraticStorage() in forms and isinstance(system, LureSystem) and is_large(system):
        outcome = attempt_large(system, wanted)
        if outcome is not None:
            return outcome
    if not _is_representable(system):
        return give_up_range(wanted)
    ceiling = estimate_ceiling(system)
    if ceiling <= _TINY if wanted.parameter is None else wanted.parameter >= rational(ceiling * (1 - 1e-9)):
        witness = find_witness(system)
        for oracle in system.oracles:  # a class that makes no sense is an error, whatever its members do
            read_inequalities(oracle, ("t", EQUILIBRIUM))
        if witness.refutes(wanted.number):
            return Infeasible(claim=wanted, status=UNASKED, witness=witness)
    if not _is_moderate(wanted.parameter or Fraction(1)):
        return give_up_range(wanted)
    if ceiling <= _TINY and isinstance(system, ParametricSystem):  # far out on a half-line nothing is left
        return Inconclusive(reason=Reason.VANISHING, status=UNASKED, claim=wanted)
    around = max(ceiling, _TINY) if wanted.parameter is None else float(wanted.parameter)
    shift = shift_loop(system, forms[-1])
    families = [
        Family(shift=shift, template=form, around=around, solver=name, make=make, fallback=fallback) for form in forms
    ]
    if wanted.parameter is None:
        return _refute(attempt_best(families, wanted, around, accuracy), system)
    return _refute(attempt_given(families, wanted), system)


def _refute(outcome: Outcome, system: System) -> Outcome:
    """A no about functions of several arguments with a member that is not a sum, where that decides."""
    if not isinstance(outcome, Infeasible) or not isinstance(system, StackedSystem):
        return outcome
    number = outcome.claim.number
    if outcome.witness is not None and outcome.witness.refutes(number):
        return outcome
    turned = find_turned_witness(system)
    return replace(outcome, witness=turned) if turned is not None and turned.refutes(number) else outcome


def _translate(system: System, slow: SlowMember, order: Fraction | None) -> SlowMember | None:
    """A slow envelope, where it is one of members of the classes.

    With f = 0 and any convex g it is the Moreau envelope of g, which may be any convex function of its smoothness. In
    smaller classes, if 0 is a function g, it is a quadratic f alone, seen in another metric.
    """
    f, g = system.oracles
    if type(g) is Convex and isinstance(f, Quadratic) and not f.mu and slow.order > 0:
        return replace(slow, function=slow.function.replace("f(x)", "the envelope J(x)"))
    quadratic = find_slow_quadratic(reduce_splitting(system).plant, order)
    if quadratic is not None and quadratic.order <= 0:
        return replace(quadratic, function="quadratic members")
    if quadratic is None or type(g) not in (Convex, ConvexIndicator, SmoothConvex, SupportFunction):
        return None
    smaller = "" if quadratic.is_uniform else " of ever smaller curvature s"
    return replace(quadratic, function=f"quadratic f{smaller} and g = 0")


def _has_inertial_prox(system: System) -> bool:
    """Whether V needs the envelope of a prox step: momentum on a splitting method."""
    if isinstance(system, ParametricSystem):
        return _has_inertial_prox(system.middle)
    if not isinstance(system, LureSystem) or system.dt > 0 or len(system.A) == 1:
        return False
    steps = [j for j, row in enumerate(system.D) if row[j]]
    return bool(steps) and set(steps) <= set(output_oracles(system, QuadraticPlusValue(outputs=True)))


def _attempt_in_metric(
    system: System, wanted: Claim, template: VariableMetric, solver: str | SolverFactory | None, accuracy: float
) -> Outcome:
    """The search for the reduced system, told of the user's own."""
    check_claim(system, wanted, template)
    outcome = attempt(reduce_splitting(system).plant, wanted, template=template.form, solver=solver, accuracy=accuracy)
    if isinstance(outcome, Proved):
        form = outcome.certificate.template
        if isinstance(form, AdjointStorage | VariableMetric | ZamesFalb):
            raise TypeError("internal error: a metric has a plain form")
        return replace(outcome, certificate=replace(outcome.certificate, system=system, template=VariableMetric(form)))
    if isinstance(outcome, Infeasible) and isinstance(outcome.witness, SlowMember):
        return replace(outcome, witness=_translate(system, outcome.witness, wanted.number))
    if isinstance(outcome, Infeasible) and not isinstance(wanted, SublinearDecay):
        return replace(outcome, witness=find_witness(system))
    return outcome


def _attempt_sublinear(
    system: System, wanted: SublinearDecay, template: Template | None, solver: str | SolverFactory | None
) -> Outcome:
    check_claim(system, wanted, template or QuadraticPlusValue())
    sharper = (QuadraticPlusValue(outputs=True),) if is_smooth(system.oracles[0]) else ()
    forms = (QuadraticPlusValue(), *sharper) if template is None else (template,)
    if not _is_representable(system) or not _is_moderate(wanted.order or Fraction(1)):
        return give_up_range(wanted)
    return attempt_sublinear(system, wanted, forms, _choose_solver(solver), name_tools())


def _choose_solver(solver: str | SolverFactory | None) -> tuple[str, SolverFactory, bool]:
    """The user's own, or the one that is named through cvxpy; Clarabel directly, then SCS, where none is named."""
    if callable(solver):
        return getattr(solver, "__name__", type(solver).__name__), solver, False
    if solver is None:
        return "CLARABEL", DirectMarginProblem, True
    name = check_solver(solver)
    return f"{name} through cvxpy", partial(MarginProblem, solver=name), False


def _is_representable(system: System) -> bool:
    """Whether every number of the model can go to floating point and be multiplied there."""
    plants = [plant for mode in system.modes for plant in mode.vertices]
    numbers = [v for plant in plants for m in (plant.A, plant.B, plant.C, plant.D, plant.N) for row in m for v in row]
    members = [oracle.linear_members() for oracle in system.oracles]
    numbers += [bound for m in members for bound in (m.lower, m.upper) if bound is not None]
    return all(map(_is_moderate, numbers))


def _is_moderate(number: Fraction) -> bool:
    return not number or abs(number.numerator.bit_length() - number.denominator.bit_length()) < _MOST_BITS
