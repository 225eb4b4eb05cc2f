"""The words of a family over a parameter: numbers as functions of it, and a proof that is polynomial in it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..classes.moduli import name_moduli
from ..dynamics import ParametricSystem
from ..dynamics.parametric import list_numerators
from ..exact.polynomials import Polynomial, coefficients, evaluate, polynomial, reduce_fraction, scale
from ..lmi.dissipation import lift_family
from ..lmi.gain_claims import GainClaim
from ..lmi.scaled_claims import ScaledClaim
from .clock import Clock
from .formulas import Block, Display, Listing, Math, Paragraph, Sentence, Term, Where, combine
from .hypotheses import describe_oracles, write_output
from .numbers import tex_number
from .symbols import Symbols, state

__all__ = ["argue_family", "family_motion", "family_oracles", "write_denominator"]

_LETTERS = {"mu": r"\mu", "beta": r"\beta", "lower": r"\ell", "upper": "h"}
_FREE = frozenset("LabceghjlopqrsvwzABCDEGHJKMOQRTUW")
"""Letters that mean nothing else in a report; another one gets an index of its own."""
_ONE = Fraction(1)


def _name_parameter(system: ParametricSystem) -> str:
    """The parameter in TeX."""
    name = system.parameter
    if name in _FREE:
        return name
    return r"\mu" if name == "mu" else rf"s_{{\mathrm{{{name}}}}}".replace("_", r"\_").replace(r"s\_", "s_", 1)


def _reduce(p: Polynomial, q: Polynomial, middle: Fraction) -> tuple[Polynomial, Polynomial]:
    """In lowest terms, with a denominator that is positive in the middle."""
    above, below = reduce_fraction(p, q)
    sign = 1 if evaluate(below, middle) > 0 else -1
    return scale(above, sign), scale(below, sign)


def write_denominator(system: ParametricSystem) -> Math:
    """The common denominator of all numbers."""
    return Math(_write_polynomial(polynomial(system.denominator), _name_parameter(system), "q", []))


def _write_range(system: ParametricSystem) -> Math:
    low, high = system.ends
    s = _name_parameter(system)
    if high is None:
        return Math(rf"{s} \geq {tex_number(low)}")
    return Math(rf"{tex_number(low)} \leq {s} \leq {tex_number(high)}")


class _Numbers:
    """Numbers of a system as terms: constants as they are, functions of the parameter by a symbol."""

    def __init__(self, system: ParametricSystem) -> None:
        self.letter = _name_parameter(system)
        below = polynomial(system.denominator)
        middle = system.place(Fraction(0))
        self.all = iter([_reduce(p, below, middle) for p in list_numerators(system)])
        self.varying: list[Math] = []
        self.where: list[tuple[Math, Fraction]] = []

    def read(self, symbol: str) -> Fraction | None:
        """The next number if it is constant; else None, and what its symbol stands for is written down."""
        above, below = next(self.all)
        if above.degree() <= 0 and below.degree() == 0:
            return next(iter(coefficients(above)), Fraction(0))
        self.varying.append(Math(f"{symbol} = {self._write(above, below, symbol)}"))
        return None

    def term(self, symbol: str, factor: str) -> Term:
        """The next number times a signal."""
        value = self.read(symbol)
        return Term(_ONE, "", rf"{symbol}\,{factor}") if value is None else Term(value, symbol, factor)

    def _write(self, above: Polynomial, below: Polynomial, symbol: str) -> str:
        top = _write_polynomial(above, self.letter, symbol, self.where)
        if below.degree() == 0:
            return top
        return rf"\frac{{{top}}}{{{_write_polynomial(below, self.letter, symbol, self.where)}}}"


def _write_polynomial(p: Polynomial, letter: str, symbol: str, where: list[tuple[Math, Fraction]]) -> str:
    """A polynomial in TeX; coefficients too long for a formula get a symbol."""
    powers = ["", letter, *(f"{letter}^{{{k}}}" for k in range(2, p.degree() + 1))]
    terms = [
        Term(c, f"{symbol}^{{({k})}}", power) for k, (c, power) in enumerate(zip(coefficients(p), powers, strict=False))
    ]
    return "".join(line.tex for line in combine(reversed(terms), where, width=10_000))


def family_motion(system: ParametricSystem) -> list[Block]:
    """Equations of motion, and where the oracles are evaluated."""
    n, m = system.shape
    first = system.systems[0]
    names, numbers = Symbols.of(first), _Numbers(system)
    x, u = [state(n, i) for i in range(n)], [names.signal("u", j) for j in range(m)]
    y = [names.signal("y", j) for j in range(m)]
    marks = [("a", x, n), ("b", u, n), ("c", x, m), ("d", u, m)]
    a, b, c, d = (
        [
            [numbers.term(f"{letter}_{{{i + 1},{k + 1}}}", signal) for k, signal in enumerate(signals)]
            for i in range(rows)
        ]
        for letter, signals, rows in marks
    )
    clock = Clock.of(first)
    motion = [line for i in range(n) for line in combine([*a[i], *b[i]], numbers.where, head=f"{clock.move(n, i)} = ")]
    inputs: list[Math] = []
    for j in range(m):
        *before, last = combine([*c[j], *d[j]], numbers.where, head=f"{y[j]} = ")
        inputs += [*before, Math(rf"{last.tex},\qquad {u[j]} {write_output(first, names, j)}")]
    found: list[Block] = [
        Paragraph(("For any number ", _write_range(system), ", constant in time, consider the dynamics")),
        Display(tuple(motion)),
        Paragraph(("with the oracles" if m > 1 else "with the oracle",)),
        Display(tuple(inputs)),
    ]
    if any(row[j] for j, row in enumerate(first.D)):
        found.append(Paragraph(("An output that occurs in its own input is that of a prox step.",)))
    if numbers.varying:
        found += [Paragraph(("where",)), Display(tuple(numbers.varying))]
    return [*found, Where(tuple(numbers.where))] if numbers.where else found


def family_oracles(system: ParametricSystem) -> list[Block]:
    """What is known of each operator, and how it depends on the parameter."""
    numbers = _Numbers(system)
    n, m = system.shape
    for _ in range((n + m) ** 2):
        next(numbers.all)
    names = Symbols.of(system.systems[0])
    for j, oracle in enumerate(system.systems[0].oracles):
        for name in name_moduli(oracle):
            numbers.read(f"{_LETTERS.get(name, name)}_{{{names.owners[j]}}}")
    low = system.ends[0]
    lead, items, assume = describe_oracles(system.at(low))
    if not numbers.varying:
        return [lead, items, assume]
    varying = tuple(dict.fromkeys(numbers.varying))  # oracles of one group have one class
    return [
        Paragraph(("where, at ", Math(f"{_name_parameter(system)} = {tex_number(low)}"), ",")),
        items,
        Paragraph((f"and elsewhere the same with these moduli ({_list_moduli(system)}) in their place:",)),
        Display(varying),
        *([Where(tuple(numbers.where))] if numbers.where else []),
        assume,
    ]


def _list_moduli(system: ParametricSystem) -> str:
    """What the letters of moduli stand for, class by class."""
    found = {type(oracle).__name__: ", ".join(name_moduli(oracle)) for oracle in system.oracles}
    return "; ".join(f"{kind}: {names}" for kind, names in found.items() if names)


def argue_family(certificate: Certificate, example: tuple[Block, ...]) -> Iterator[Block]:
    """The proof for all parameters, and that of the member in the middle as an example."""
    system = certificate.system
    if not isinstance(system, ParametricSystem):
        raise TypeError("internal error: no family")
    s, end = _name_parameter(system), r"\tau < 1" if system.ends[1] is None else r"\tau \leq 1"
    yield Paragraph(("Let ", Math(rf"-1 \leq {end}"), " stand for the parameter:"))
    yield Display((Math(f"{s} = {_write_place(system)}"),))
    yield Paragraph(
        ("At each ", Math(r"\tau"), " the claim follows, as for one system, from inequalities ",
         Math(r"\zeta^{\mathsf{T}}M\zeta \geq 0"),
         " in the signals: what remains of the decrease, and of the bounds of V, after the class inequalities with "
         "their multipliers have been subtracted. P and the weights of function values are the same for all of "
         "them. With the multipliers below each M, times a positive polynomial, is a polynomial ",
         Math(r"F(\tau) = \sum_{k} \tau^{k}F_{k}"), ", and")
    )  # fmt: skip
    yield Display(
        (Math(r"F(\tau) = Z^{\mathsf{T}}XZ+(1-\tau^{2})\,Y^{\mathsf{T}}SY,\qquad "
              r"Z = (\zeta,\tau\zeta,\ldots,\tau^{m}\zeta),\qquad Y = (\zeta,\ldots,\tau^{m-1}\zeta)"),)
    )  # fmt: skip
    yield Paragraph(
        ("identically in ", Math(r"\tau"), " and in the signals, with matrices X and S that follow from the numbers of "
         "the certificate's file by sums and products. They are positive semidefinite, decided in exact arithmetic "
         "when this was written. The checker decides it again. So each M is positive semidefinite. The coefficients of "
         "the function values cancel: that of each power of ", Math(r"\tau"), " is zero, exactly.")
    )  # fmt: skip
    where: list[tuple[Math, Fraction]] = []
    items = list(_write_multipliers(certificate, system, where))
    if items:
        yield Paragraph(
            ("The multipliers are nonnegative: in terms of the Bernstein polynomials ",
             Math(r"B_{r,n} = \frac{n!}{r!\,(n-r)!}\left(\frac{1+\tau}{2}\right)^{r}"
                  r"\left(\frac{1-\tau}{2}\right)^{n-r}"), ",")
        )  # fmt: skip
        yield Listing(tuple(items))
        yield Where(tuple(where))
    middle = system.place(Fraction(0))
    yield Paragraph(("The proof at ", Math(f"{s} = {tex_number(middle)}"), ", written out:"), lead="Example.")
    yield from example


def _write_place(system: ParametricSystem) -> str:
    low, high = system.ends
    middle = system.place(Fraction(0))
    step, factor = (middle - low, r"\frac{1+\tau}{1-\tau}") if high is None else (high - middle, r"\tau")
    terms = [Term(low if high is None else middle, ""), Term(step, "", factor)]
    return "".join(line.tex for line in combine(terms, [], width=10_000))


def _write_multipliers(
    certificate: Certificate, system: ParametricSystem, where: list[tuple[Math, Fraction]]
) -> Iterator[Sentence]:
    claim = certificate.claim
    if isinstance(claim, ScaledClaim | GainClaim):
        raise TypeError("internal error: no claim on another time scale, or about gains, is about a family")
    lifting = lift_family(system, claim, certificate.template, bounded=certificate.is_bounded)
    for k, multiplier in enumerate(lifting.multipliers, start=1):
        own = [(certificate.values[name], r) for r, (name, _) in enumerate(multiplier.terms)]
        if not any(value for value, _ in own):
            continue
        n = len(own) - 1
        lines = combine([Term(v, f"c_{{{k},{r}}}", f"B_{{{r},{n}}}") for v, r in own], where, width=10_000)
        above, below = (
            _write_polynomial(p, r"\tau", "q", where) for p in _reduce(multiplier.above, multiplier.below, Fraction(0))
        )
        ratio = "" if (above, below) == ("1", "1") else rf"\frac{{{above}}}{{{below}}}\,"
        body = lines[0].tex if not ratio else rf"({lines[0].tex})"
        yield (f"{multiplier.name}: ", Math(ratio + body))
