"""The proof of a certificate in words and formulas: every condition as class inequalities plus weighted squares."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import LureSystem, PrimalDualSystem
from ..lmi.dissipation import UPPER
from .constrained import describe_modes
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where, add_up, combine
from .proof import Part, Step, list_parts, list_steps
from .statement import describe_values, weighted_oracles
from .symbols import Symbols, inequality_terms, state

__all__ = ["argue"]

_LEFT = {"decrease": r"-(\dot{V}+2\rho V)", "positivity": "V-N", "upper bound": "c_{2}N-V"}
_TITLES = {"decrease": "Decrease", "positivity": "Positivity", "upper bound": "Upper bound"}


def argue(certificate: Certificate) -> tuple[Block, ...]:
    """The proof as blocks, from the exact data alone.

    Parameters
    ----------
    certificate : Certificate
        One that `lyapflow.verify` accepts.

    Returns
    -------
    tuple of Block
        Preparation, class inequalities, one identity per condition, conclusion.

    Raises
    ------
    InvalidModelError
        If a condition fails.
    """
    steps = list_steps(certificate)
    blocks: list[Block] = [*_prepare(certificate), *_inequalities(certificate)]
    count = 0
    for part in list_parts(certificate):
        own = [step for step in steps if step.part == part.name]
        blocks += _identity(certificate, part, own, count)
        count += sum(len(step.squares) for step in own)
    blocks += _definite(certificate, [step for step in steps if step.part == "storage"], count)
    return (*blocks, _finish(certificate))


def _prepare(certificate: Certificate) -> Iterator[Block]:
    system = certificate.system
    used = [u for part in list_parts(certificate) for u in part.used if u.value]
    valued = {u.oracle for u in used if u.inequality.values} - set(weighted_oracles(certificate))
    yield from describe_values(system, valued, lead="Let")
    if any(certificate.value_weights.values()):
        yield Paragraph(
            ("Along solutions ", Math(r"\dot{\varphi}_{j} = \langle u_{j}-u_{j}^{\star},\dot{y}_{j}\rangle"), ".")
        )
    if isinstance(system, PrimalDualSystem):
        yield from describe_modes(system)
        yield Paragraph(
            ("The output ", Math(r"u-u^{\star}"), " splits likewise into ", Math("u_{k}"), ". With ", Math(r"\theta"),
             " a squared singular value, ", Math(r"\dot{x}_{k} = -u_{k}-w_{k}-a\theta x_{k}"), " and ",
             Math(r"\dot{w}_{k} = \eta\theta x_{k}"), ", where ", *_gains(system), "; on the null space ",
             Math(r"\dot{x}_{0} = -u_{0}"), ". Class inequalities contain inner products only, so each is a multiple "
             "of ", Math(r"\varphi_{f}"), " plus a sum over ", Math("k"), ".")
        )  # fmt: skip
        yield Paragraph(
            ("Let ", Math(r"N = |\tilde{x}|^{2}+|\lambda-\lambda^{\star}|^{2}"), "; in each mode ",
             Math(r"|\lambda-\lambda^{\star}|^{2}"), " is ", Math(r"|w_{k}|^{2}/\theta"), ".")
        )  # fmt: skip
        return
    yield Paragraph(
        ("From here on ", Math("x, y, u"), " are the deviations from the equilibrium. They obey the same linear "
         "relations, so that")
    )  # fmt: skip
    where: list[tuple[Math, Fraction]] = []
    yield Display(tuple(line for j in range(len(system.oracles)) for line in _input(system, j, where)))
    n = system.shape[0]
    norm = "+".join(rf"|{state(n, i)}|^{{2}}" for i in range(n))
    yield Paragraph(("Let ", Math(f"N = {norm}"), ", the squared norm of the state."))
    if where:
        yield Where(tuple(where))


def _gains(system: PrimalDualSystem) -> Sentence:
    return Math(rf"\eta = {system.dual_gain}"), " and ", Math(f"a = {system.augmentation}")


def _input(system: LureSystem, j: int, where: list[tuple[Math, Fraction]]) -> tuple[Math, ...]:
    names = Symbols.of(system)
    n, m = system.shape
    terms = [Term(system.C[j][k], f"c_{{{j + 1},{k + 1}}}", state(n, k)) for k in range(n)]
    terms += [Term(system.D[j][k], f"d_{{{j + 1},{k + 1}}}", names.signal("u", k)) for k in range(m)]
    return combine(terms, where, head=f"{names.signal('y', j)} = ")


def _inequalities(certificate: Certificate) -> Iterator[Block]:
    """The class inequalities that have a multiplier other than 0."""
    system = certificate.system
    names = Symbols.of(system)
    found = {u.label: u for part in list_parts(certificate) for u in part.used if u.value}
    if not found:
        return
    yield Paragraph(("By hypothesis,",))
    where: list[tuple[Math, Fraction]] = []
    lines: list[Math] = []
    sources: list[Sentence] = []
    for label, used in sorted(found.items()):
        terms = inequality_terms(used.inequality, names, used.oracle, label)
        sums = combine(terms, where, head=f"{label} = ")
        lines += [*sums[:-1], Math(sums[-1].tex + r" \geq 0")]
        sources.append((Math(label), f": {used.inequality.name}, {used.inequality.source}"))
    yield Display(tuple(lines))
    yield Listing(tuple(sources))
    if isinstance(system, PrimalDualSystem):
        mark = names.marks[0]
        yield Paragraph(
            ("with ", Math(rf"y_{{{mark}}} = \tilde{{x}}"), " and ", Math(rf"u_{{{mark}}} = u-u^{{\star}}"), ".")
        )
    if where:
        yield Where(tuple(where))


def _identity(certificate: Certificate, part: Part, steps: list[Step], count: int) -> Iterator[Block]:
    """One condition: its left side as multipliers times class inequalities, plus squares."""
    used = [u for u in part.used if u.value]
    weighted = [rf"+{u.symbol}\,{u.label}" for u in used]
    where: list[tuple[Math, Fraction]] = [(Math(u.symbol), u.value) for u in used]
    if part.name == "upper bound":
        where.append((Math("c_{2}"), certificate.values[UPPER]))
    forms: list[Math] = []
    yield Paragraph(_lead(certificate, part.name), lead=f"{_TITLES[part.name]}.")
    left = _LEFT[part.name]
    if not isinstance(certificate.system, PrimalDualSystem):
        squares, _ = _squares(steps[0], count, where, forms)
        yield Display((*add_up([*weighted, *squares], head=f"{left} = "), *forms))
    else:
        rest = [f"+S_{{{k}}}" for k in dict.fromkeys(_mode_mark(step) for step in steps)]
        lines = list(add_up([*weighted, *rest], head=f"{_bounded_left(part.name)} = "))
        for step in steps:
            squares, count = _squares(step, count, where, forms)
            at = "" if step.theta is None or part.name != "decrease" else rf"\ \ (\theta = {step.theta})"
            sums = add_up(squares, head=f"S_{{{_mode_mark(step)}}} = ")
            lines += [*sums[:-1], Math(sums[-1].tex + at)]
        yield Display((*lines, *forms))
    yield from _cancellations(certificate, part)
    yield Where(tuple(where))


def _lead(certificate: Certificate, part: str) -> Sentence:
    if not isinstance(certificate.system, PrimalDualSystem):
        return ("The following is an identity in the signals:",)
    if part == "decrease":
        return ("The following is an identity; each ", Math("S_{k}"), " is affine in ", Math(r"\theta"), ", so it is "
                "enough that it is a sum of squares at the ends of the enclosure:")  # fmt: skip
    sign, end = ("-", "lower") if part == "positivity" else ("+", "upper")
    relation = Math(r"N \leq N^{-}" if sign == "-" else r"N^{+} \leq N")
    return (
        "With ", Math(rf"N^{{{sign}}}"), " the quadratic form N with each squared singular value replaced by the "
        f"{end} end of its enclosure, so that ", relation, ",",
    )  # fmt: skip


def _bounded_left(part: str) -> str:
    return {"positivity": "V-N^{-}", "upper bound": "c_{2}N^{+}-V"}.get(part, _LEFT[part])


def _mode_mark(step: Step) -> str:
    return step.mode.removeprefix("sigma") if step.mode != "null" else "0"


def _squares(step: Step, count: int, where: list[tuple[Math, Fraction]], forms: list[Math]) -> tuple[list[str], int]:
    """The weighted squares of a step in TeX; their linear forms and numbers are added to the lists."""
    parts: list[str] = []
    for weight, vector in step.squares:
        count += 1
        d, form = f"d_{{{count}}}", rf"\ell_{{{count}}}"
        where.append((Math(d), weight))
        entries = enumerate(zip(vector, step.signals, strict=True), start=1)
        terms = [Term(v, rf"\ell_{{{count},{k}}}", signal) for k, (v, signal) in entries]
        forms += combine(terms, where, head=f"{form} = ")
        parts.append(rf"+{d}|{form}|^{{2}}")
    return parts, count


def _cancellations(certificate: Certificate, part: Part) -> Iterator[Block]:
    """The coefficients of the function values vanish."""
    names = Symbols.of(certificate.system)
    weights = certificate.value_weights
    lines: list[Math] = []
    for j, owner in enumerate(certificate.system.oracle_names):
        terms: list[str] = []
        weight = names.signal(r"\lambda", j)
        if weights.get(owner):
            terms.append({"decrease": rf"-2\rho{weight}", "positivity": weight, "upper bound": f"-{weight}"}[part.name])
        for used in part.used:
            if used.oracle == j and used.value:
                for _, value in used.inequality.values:
                    terms.append(combine([Term(-value, "", used.symbol)], [])[0].tex)
        if terms:
            lines.append(Math("+".join(terms).replace("+-", "-") + " = 0"))
    if lines:
        yield Paragraph(("The coefficients of the function values agree on both sides:",))
        yield Display(tuple(lines))


def _definite(certificate: Certificate, steps: list[Step], count: int) -> Iterator[Block]:
    """Storage matrices that were claimed to be positive semidefinite."""
    if not steps:
        return
    where: list[tuple[Math, Fraction]] = []
    forms: list[Math] = []
    lines: list[Math] = []
    for step in steps:
        squares, count = _squares(step, count, where, forms)
        lines += add_up(squares, head=r"z^{\mathsf{T}}Pz = ")
    yield Paragraph(("Each storage matrix is positive semidefinite:",), lead="Storage.")
    yield Display((*lines, *forms))
    yield Where(tuple(where))


def _finish(certificate: Certificate) -> Paragraph:
    chain = r"N(t) \leq V(t) \leq e^{-2\rho t}V(0)"
    if certificate.is_bounded:
        chain += r" \leq c_{2}e^{-2\rho t}N(0)"
    return Paragraph(
        ("All multipliers and all ", Math("d_{i}"), " are nonnegative and all ", Math("I"), " are nonnegative along "
         "solutions. Hence ", Math(r"\dot{V} \leq -2\rho V"), " and ", Math(chain), ", which is the claim.")
    )  # fmt: skip
