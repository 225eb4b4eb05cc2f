"""The theorem and the proof of a sublinear certificate in words and formulas, from its exact data alone."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..dynamics import LureSystem
from ..lmi.logtime import LogTime, take_logarithmic_time
from ..lmi.sublinear import has_outputs
from .formulas import Block, Display, Math, Paragraph, Sentence, Term, Where, combine
from .hypotheses import write_motion
from .numbers import tex_approximate, tex_number
from .symbols import Symbols, product, state

__all__ = [
    "LEFT_OF_SUBLINEAR",
    "finish_sublinear",
    "prepare_sublinear",
    "sublinear_conclusion",
    "sublinear_signals",
    "sublinear_storage",
]

LEFT_OF_SUBLINEAR = {"decrease": r"-(\dot{U}+(p-e)U)", "positivity": r"U-\varphi"}


def _system(certificate: Certificate) -> tuple[LureSystem, LogTime]:
    system = certificate.core.system
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: a sublinear certificate is about a Lur'e system")
    return system, take_logarithmic_time(system)


def _power(exponent: Fraction | int) -> str:
    """A power of t in TeX; empty for exponent 0."""
    if exponent == 0:
        return ""
    return "t" if exponent == 1 else rf"t^{{{exponent}}}"


def sublinear_signals(certificate: Certificate) -> tuple[str, ...]:
    """TeX symbols of the signals of the matrix inequalities: states, output and, where V has outputs, its rate."""
    system, _ = _system(certificate)
    n, names = system.shape[0], Symbols.of(system)
    last = (names.signal("v", 0),) if has_outputs(certificate.template) else ()
    return (*(state(n, i) for i in range(n)), names.signal("u", 0), *last)


def sublinear_conclusion(certificate: Certificate) -> Iterator[Block]:
    """What holds."""
    system, log = _system(certificate)
    names, p = Symbols.of(system), certificate.order
    f, y = names.functions[0], names.signal("y", 0)
    value = rf"{f}({y}(t))-{f}({y}^{{\star}})"
    yield Paragraph(
        ("Then, for every member of this class, every such equilibrium, every solution and all ",
         Math(r"0 < t_{0} \leq t < T"), ",")
    )  # fmt: skip
    yield Display((Math(rf"{value} \leq \frac{{V(t)}}{{t^{{p}}}} \leq \frac{{V(t_{{0}})}}{{t^{{p}}}}"),))
    number = tex_number(p) + ("" if p.denominator == 1 else " " + tex_approximate(p, side="down"))
    yield Paragraph(
        ("with the exact order ", Math(f"p = {number}"), " and V as given below; the point ", Math(rf"{y}^{{\star}}"),
         f" minimises the function, because there its gradient is 0.{_rounded(number)}")
    )  # fmt: skip
    slow = [i for i, power in enumerate(log.powers) if power == 0]
    if p == log.degree and len(slow) == 1:
        x, C = state(system.shape[0], slow[0]), certificate.P[slow[0]][slow[0]]
        bound = Term(C, "C", rf"|{x}(0)-{x}^{{\star}}|^{{2}}")
        where: list[tuple[Math, Fraction]] = []
        tex = combine([bound], where)[0].tex
        yield Paragraph(
            ("For a start at rest at time 0, where f is finite, ", Math(rf"V(t) \to {tex}"), " as ", Math(r"t \to 0"),
             ", and then")
        )  # fmt: skip
        yield Display((Math(rf"{value} \leq {tex}\,/\,{_power(p)}"),))
        if where:
            yield Where(tuple(where))


def _rounded(number: str) -> str:
    return " (The decimal is rounded down.)" if r"\approx" in number else ""


def _join(parts: list[Math]) -> Sentence:
    found: list[str | Math] = []
    for k, part in enumerate(parts):
        found += [*([", "] if k else []), part]
    return tuple(found)


def sublinear_storage(certificate: Certificate) -> Iterator[Block]:
    """V, with its powers of time."""
    system, log = _system(certificate)
    names, p, n = Symbols.of(system), certificate.order, system.shape[0]
    f, y, u = names.functions[0], names.signal("y", 0), names.signal("u", 0)
    signals = [state(n, i, r"\tilde{x}") for i in range(n)]
    powers = [*log.powers, log.degree]
    if has_outputs(certificate.template):
        signals.append(u)
    where: list[tuple[Math, Fraction]] = []
    (weight,) = certificate.value_weights.values()
    head = _power(p)
    terms = [Term(weight, r"\lambda", rf"{head}\,({f}({y})-{f}({y}^{{\star}}))")]
    for i, a in enumerate(signals):
        for j, b in enumerate(signals):
            if i <= j:
                time = _power(p - log.degree + powers[i] + powers[j])
                factor = (rf"{time}\," if time else "") + product(a, b)
                terms.append(Term(certificate.P[i][j], f"p_{{{i + 1}{j + 1}}}", factor, 1 if i == j else 2))
    yield Paragraph(("With the deviations ", Math(r"\tilde{x} = x-x^{\star}"), ","))
    yield Display(combine(terms, where, head="V(t) = "))
    if where:
        yield Where(tuple(where))


def prepare_sublinear(certificate: Certificate) -> Iterator[Block]:
    """The scaled signals and logarithmic time, in which the proof is written."""
    system, log = _system(certificate)
    names, n, p, e = Symbols.of(system), system.shape[0], certificate.order, log.degree
    y, u, v, phi = (names.signal(letter, 0) for letter in ("y", "u", "v", r"\varphi"))
    scaled = [Math(rf"{state(n, i)} \to {_power(d)}{state(n, i)}") for i, d in enumerate(log.powers) if d]
    parts = [*scaled, Math(rf"{u} \to {_power(e)}{u}"), Math(rf"{phi} \to {_power(e)}{phi}")]
    yield Paragraph(
        ("From here on ", Math("x, y, u"), " are the deviations from the equilibrium and ", Math(phi), " the value "
         "above its minimum, multiplied by powers of time, ", *_join(parts), ", and a dot is ",
         Math(r"t\,\mathrm{d}/\mathrm{d}t"), ". In these letters nothing varies with time:")
    )  # fmt: skip
    where: list[tuple[Math, Fraction]] = []
    lines = [line for i in range(n) for line in write_motion(log.plant, i, where)]
    terms = [Term(c, f"c_{{{k + 1}}}", state(n, k)) for k, c in enumerate(log.plant.C[0])]
    lines += combine(terms, where, head=f"{y} = ")
    moved_y, moved_u, moved = (names.signal(rf"\dot{{{letter}}}", 0) for letter in ("y", "u", r"\varphi"))
    lines.append(Math(rf"{moved} = {_coefficient(e)}{phi}+\langle {u},{moved_y}\rangle"))
    if has_outputs(certificate.template):
        lines.append(Math(rf"{v} = {moved_u}-{_coefficient(e)}{u}"))
    yield Display(tuple(lines))
    yield Paragraph(
        ("With ", Math(rf"p = {p}"), ", ", Math(f"e = {e}"), " and ", Math(r"U = t^{e-p}V"), ", so that ",
         Math(r"\dot{V} = t^{p-e}(\dot{U}+(p-e)U)"), ", where ", Math(_power(e) or "1"), " times the value above its "
         "minimum is ", Math(r"\varphi = " + phi), ".")
    )  # fmt: skip
    if where:
        yield Where(tuple(where))


def _coefficient(number: int) -> str:
    return "" if number == 1 else str(number)


def finish_sublinear(certificate: Certificate) -> Paragraph:
    """The last step of the proof."""
    names = Symbols.of(_system(certificate)[0])
    f, y = names.functions[0], names.signal("y", 0)
    return Paragraph(
        ("All multipliers and all ", Math("d_{i}"), " are nonnegative and all ", Math("I"), " are nonnegative along "
         "solutions. Hence ", Math(r"\dot{V} \leq 0"), " and ", Math(r"\varphi \leq U"), ", that is ",
         Math(rf"t^{{p}}({f}({y}(t))-{f}({y}^{{\star}})) \leq V(t) \leq V(t_{{0}})"), ", which is the claim.")
    )  # fmt: skip
