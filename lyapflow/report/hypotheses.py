"""The hypotheses of a theorem in words and formulas: equations of motion, oracles, standing assumptions."""

from __future__ import annotations

from fractions import Fraction

from ..classes import SectorBounded, SlopeRestricted, StaticSector
from ..classes.inequalities import ANY, ZERO_OUTPUT
from ..dynamics import LureSystem, PolytopicSystem, System
from .clock import Clock
from .formulas import Block, Display, Listing, Math, Matrices, Paragraph, Sentence, Term, Where, combine
from .symbols import Symbols, belongs, is_varying, kind_of, state

__all__ = [
    "describe_motion",
    "describe_oracles",
    "join",
    "list_assumptions",
    "polytope_motion",
    "write_input",
    "write_motion",
    "write_output",
]


_VARYING: Sentence = (
    "Solution: ", Math("x"), " is absolutely continuous on every compact part of an interval ", Math("(0,T)"),
    " and satisfies the relations for almost every ", Math("t"), ".",
)  # fmt: skip


def describe_motion(system: LureSystem) -> list[Block]:
    """Equations of motion, and where the oracles are evaluated."""
    n, m = system.shape
    names = Symbols.of(system)
    x = [state(n, i) for i in range(n)]
    u = [names.signal("u", j) for j in range(m)]
    where: list[tuple[Math, Fraction]] = []
    rows = tuple(line for i in range(n) for line in write_motion(system, i, where))
    found: list[Block] = [Paragraph(Clock.of(system).motion), Display(rows)]
    inputs: list[Math] = []
    for j in range(m):
        inputs += _relation(system, names, j, x, u, where)
    if m:
        lead = "with the oracles, evaluated in this order," if m > 1 else "with the oracle"
        found += [Paragraph((lead,)), Display(tuple(inputs))]
    return [*found, Where(tuple(where))] if where else found


def polytope_motion(system: PolytopicSystem) -> list[Block]:
    """Equations of motion of all systems between the vertices."""
    first = system.vertices[0]
    names = Symbols.of(first)
    n, m = first.shape
    x, u = [state(n, i) for i in range(n)], [names.signal("u", j) for j in range(m)]
    where: list[tuple[Math, Fraction]] = []
    inputs = tuple(line for j in range(m) for line in _relation(first, names, j, x, u, where))
    left = "x^{+}" if system.dt else r"\dot{x}"
    stacked = ", ".join(u)
    found: list[Block] = [
        Paragraph(("Consider any dynamics, constant in time,",)),
        Display((Math(rf"{left} = Ax+Bu,\qquad u = ({stacked}),\qquad (A,B) = \sum_{{k}} w_{{k}}(A_{{k}},B_{{k}}),"),)),
        Paragraph(("with weights ", Math(r"w_{k} \geq 0"), " that add up to 1, and")),
        Matrices(
            tuple(
                (Math(f"{key}_{{{k}}}"), getattr(vertex, key))
                for k, vertex in enumerate(system.vertices, start=1)
                for key in "AB"
            )
        ),
        Paragraph(("The oracles are, evaluated in this order," if m > 1 else "The oracle is",)),
        Display(inputs),
    ]
    return [*found, Where(tuple(where))] if where else found


def write_motion(system: LureSystem, i: int, where: list[tuple[Math, Fraction]]) -> tuple[Math, ...]:
    """Equation of motion of a state, exactly; coefficients that are too long go to `where`."""
    n, m = system.shape
    names = Symbols.of(system)
    terms = [Term(system.A[i][k], f"a_{{{i + 1},{k + 1}}}", state(n, k)) for k in range(n)]
    terms += [Term(system.N[i][k], f"n_{{{i + 1},{k + 1}}}", rf"\frac{{{state(n, k)}}}{{t}}") for k in range(n)]
    terms += [Term(system.B[i][j], f"b_{{{i + 1},{j + 1}}}", names.signal("u", j)) for j in range(m)]
    return combine(terms, where, head=f"{Clock.of(system).move(n, i)} = ")


def write_input(system: LureSystem, j: int, where: list[tuple[Math, Fraction]], *, later: str = "") -> tuple[Math, ...]:
    """Input of an oracle in states and outputs, between deviations; ``later="^{+}"`` at the next step."""
    n, m = system.shape
    names = Symbols.of(system)
    terms = [Term(system.C[j][k], f"c_{{{j + 1},{k + 1}}}", state(n, k) + later) for k in range(n)]
    terms += [Term(system.D[j][k], f"d_{{{j + 1},{k + 1}}}", names.signal("u", k) + later) for k in range(m)]
    return combine(terms, where, head=f"{names.signal('y', j)}{later} = ")


def _relation(
    system: LureSystem, names: Symbols, j: int, x: list[str], u: list[str], where: list[tuple[Math, Fraction]]
) -> list[Math]:
    """Where oracle j is evaluated, and how."""
    y, v, f = names.signal("y", j), names.signal("v", j), names.functions[j]
    terms = [Term(value, f"c_{{{j + 1},{k + 1}}}", x[k]) for k, value in enumerate(system.C[j])]
    terms += [Term(value, f"d_{{{j + 1},{k + 1}}}", u[k]) for k, value in enumerate(system.D[j]) if k < j]
    step = -system.D[j][j]
    output = write_output(system, names, j)
    if step == 0:
        lines = combine(terms, where, head=f"{y} = ")
        return [*lines[:-1], Math(lines[-1].tex + rf",\qquad {u[j]} {output}")]
    gamma = names.signal(r"\gamma", j)
    if system.oracles[j].has_values and not belongs(system.oracles[j], SlopeRestricted, StaticSector):
        evaluated = rf"\mathrm{{prox}}_{{{gamma} {f}}}({v})"
    else:
        evaluated = rf"(I+{gamma} {f})^{{-1}}({v})"
    lines = combine(terms, where, head=f"{v} = ")
    value = [Term(step, gamma)]
    return [
        *lines[:-1],
        Math(lines[-1].tex + rf",\qquad {y} = {evaluated},\qquad " + combine(value, where, head=f"{gamma} = ")[0].tex),
        Math(rf"{u[j]} = ({v}-{y})/{gamma} {output}"),
    ]


def write_output(system: System, names: Symbols, j: int) -> str:
    r"""Relation of the output to the input, such as ``= \nabla f(y_f)``."""
    oracle, f, y = system.oracles[j], names.functions[j], names.signal("y", j)
    if is_varying(oracle):
        return f"= {f}({Clock.of(system).time},{y})"
    if not oracle.has_values or belongs(oracle, SectorBounded, SlopeRestricted, StaticSector):
        return ("= " if oracle.is_single_valued else r"\in ") + f"{f}({y})"
    return rf"= \nabla {f}({y})" if oracle.is_single_valued else rf"\in \partial {f}({y})"


def describe_oracles(system: System) -> list[Block]:
    """What is known of each operator."""
    names = Symbols.of(system)
    items: list[Sentence] = []
    for own in _group_oracles(system):
        f, oracle = names.functions[own[0]], system.oracles[own[0]]
        called = [system.oracle_names[j] for j in own]
        plural = "s" if len(own) > 1 else ""
        is_plain = called == [f.removeprefix(r"\mathrm{").removesuffix("}")]
        alias = () if is_plain else (f" (the oracle{plural} named {' and '.join(called)})",)
        items.append((f"The {kind_of(oracle)} ", Math(f), *alias, f" is {oracle.describe()}."))
    return [Paragraph(("where",)), Listing(tuple(items)), Paragraph(("Assume the following.",))]


def _group_oracles(system: System) -> list[list[int]]:
    """Oracles by the operator that they evaluate."""
    found: dict[int, list[int]] = {}
    for j, group in enumerate(system.groups):
        found.setdefault(group, []).append(j)
    return list(found.values())


def list_assumptions(system: LureSystem) -> list[Sentence]:
    """Standing assumptions: dimension, equilibrium, solution."""
    names = Symbols.of(system)
    still = tuple(
        Math(names.signal(kind, j) + r"^{\star} = 0")
        for j, o in enumerate(system.oracles)
        for kind in {ANY: "", ZERO_OUTPUT: "u"}.get(o.equilibria, "yu")
    )
    found: list[Sentence] = [
        ("Dimension: every signal takes values in ", Math(r"\mathbb{R}^{d}"), " for an arbitrary ", Math("d"),
         "; each number above acts as ", Math(r"(\cdot)\otimes I_{d}"), "."),
        ("Equilibrium: constant signals ", Math(r"(x^{\star},y^{\star},u^{\star})"), " satisfy all relations above. "
         "That they exist is assumed, not proved."),
    ]  # fmt: skip
    if still:
        found.append(("At this equilibrium ", *join(still), ": the hypothesis measures from there."))
    for own in _group_oracles(system):
        if len(own) > 1:
            same = (Math(" = ".join(names.signal(kind, j) + r"^{\star}" for j in own)) for kind in "yu")
            found.append(
                (Math(names.functions[own[0]]), f" is one operator, evaluated at {len(own)} points; at this "
                 "equilibrium they coincide: ", *join(tuple(same)), ".")
            )  # fmt: skip
    return [*found, _VARYING if system.is_time_varying else Clock.of(system).solution]


def join(parts: tuple[Math, ...]) -> Sentence:
    """Formulas with commas between them."""
    found: list[str | Math] = []
    for k, part in enumerate(parts):
        found += [*([", "] if k else []), part]
    return tuple(found)
