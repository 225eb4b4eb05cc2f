r"""The theorem of a certificate on another time scale in words and formulas, from its exact data alone.

The velocity of the unscaled flow is :math:`\mathcal{F}`, its norm is r. Exponents and gains stand as numbers; only what
is too long for a formula has a symbol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..certificates import Certificate
from ..certificates.settling import tell_scaled
from ..dynamics import PrimalDualSystem
from ..exact.settling import settling_time_by_terms
from ..lmi.dissipation import UPPER
from ..lmi.metric import reduce_splitting
from ..lmi.scaled_claims import PrescribedTimeStability, ScaledClaim
from ..lmi.time_scales import FiniteTime, FixedTime, PrescribedTime, TimeScale
from .formulas import Block, Display, Math, Paragraph, Sentence, Term, Where, combine
from .numbers import approximate, tex_number

__all__ = [
    "claim_of",
    "explain_speed",
    "list_gains",
    "measure_in_euclidean",
    "name_numbers",
    "scale_motion",
    "scaled_conclusion",
    "solve_scaled",
    "tex_above",
    "tex_power",
]

_ONE = Fraction(1)


def claim_of(certificate: Certificate) -> ScaledClaim:
    """The claim of a certificate on another time scale."""
    if not isinstance(certificate.claim, ScaledClaim):
        raise TypeError("internal error: the claim is on no other time scale")
    return certificate.claim


def tex_above(value: Fraction) -> str:
    """A decimal that is not below the value, in TeX, preceded by its relation to it."""
    return r"\leq " + _write_decimal(approximate(value, side="up"))


def tex_below(value: Fraction) -> str:
    """A decimal that is not above the value, in TeX, preceded by its relation to it."""
    return r"\geq " + _write_decimal(approximate(value, side="down"))


def _write_decimal(decimal: str) -> str:
    mantissa, _, exponent = decimal.partition("e")
    return rf"{mantissa}\times 10^{{{exponent}}}" if exponent else mantissa


def tex_power(base: str, exponent: Fraction) -> str:
    """A power in TeX; the base alone for exponent 1."""
    return base if exponent == 1 else rf"{base}^{{{exponent}}}"


def scale_motion(certificate: Certificate, motion: Sequence[Block]) -> list[Block]:
    """The scaled equation of motion, in front of the relations that give the unscaled velocity."""
    scale, where = claim_of(certificate).scale, list[tuple[Math, Fraction]]()
    left = r"(\dot{x},\dot{\lambda})" if isinstance(certificate.system, PrimalDualSystem) else r"\dot{x}"
    if isinstance(scale, PrescribedTime):
        lines: tuple[Math, ...] = (Math(rf"{left} = \dfrac{{c}}{{T-t}}\,\mathcal{{F}},"),)
    else:
        *above, last = combine(_list_speeds(scale), where, head=f"{left} = ")
        ends = rf"\quad (\mathcal{{F}} \neq 0),\qquad {left} = 0\quad (\mathcal{{F}} = 0),"
        lines = (*above, Math(last.tex + ends))
    found: list[Block] = [Paragraph(("Consider the flow", *_name_scale(scale), ",")), Display(lines)]
    if where:
        found.append(Where(tuple(where)))
    first, *rest = motion
    if not isinstance(first, Paragraph) or not isinstance(first.sentence[0], str):
        raise TypeError("internal error: equations of motion start with words")
    words = first.sentence[0].removeprefix("Consider")
    lead: Sentence = (
        "where r is the norm of ", Math(r"\mathcal{F}"), ", and ", Math(r"\mathcal{F}"), " is the right side of the "
        "unscaled flow, that is, the time derivative of the state in" + words,
    )  # fmt: skip
    return [*found, Paragraph((*lead, *first.sentence[1:])), *rest]


def _name_scale(scale: TimeScale) -> Sentence:
    if isinstance(scale, PrescribedTime):
        return (" on the time scale of the prescribed time ", Math(f"T = {tex_number(scale.time)}"), " with the gain ",
                Math(f"c = {tex_number(scale.gain or _ONE)}"))  # fmt: skip
    numbers: Sentence = (Math(rf"\alpha = {scale.alpha}"),)
    if isinstance(scale, FixedTime):
        numbers += (" and ", Math(rf"\beta = {scale.beta}"))
    return (" on the time scale of the exponent", "s " if isinstance(scale, FixedTime) else " ", *numbers)


def list_gains(scale: FiniteTime | FixedTime) -> tuple[Fraction, ...]:
    """c, or c1 and c2."""
    if isinstance(scale, FiniteTime):
        return (scale.gain,)
    return scale.gains


def _list_speeds(scale: FiniteTime | FixedTime) -> Iterator[Term]:
    """Terms of the scaled right side."""
    gains = list_gains(scale)
    below = tex_power("r", 1 - scale.alpha)
    yield Term(gains[0], "c_{1}", rf"\dfrac{{\mathcal{{F}}}}{{{below}}}")
    if isinstance(scale, FixedTime):
        yield Term(gains[1], "c_{2}", rf"{tex_power('r', scale.beta - 1)}\,\mathcal{{F}}")


def solve_scaled(certificate: Certificate, assumed: Sequence[Sentence]) -> list[Sentence]:
    """The standing assumptions with what a solution of the scaled flow is, in place of one of the unscaled flow."""
    x = r"(x,\lambda)" if isinstance(certificate.system, PrimalDualSystem) else "x"
    end = "T" if isinstance(claim_of(certificate), PrescribedTimeStability) else "t_{1}"
    return [
        *assumed[:-1],
        ("Solution: ", Math(x), " is absolutely continuous on every compact part of an interval ",
         Math(f"[0,{end})"), " and satisfies the scaled relations for almost every ", Math("t"),
         ". That it exists is assumed, not proved."),
    ]  # fmt: skip


def explain_speed(certificate: Certificate) -> Iterator[Block]:
    """In a variable metric: the norm of the speed stays what it is."""
    reduction = reduce_splitting(certificate.system)
    low, high = (tex_number(v) + r"\," if v != 1 else "" for v in (reduction.least, reduction.largest))
    yield Paragraph(
        ("The speed r alone keeps the Euclidean norm; in the norm of W ",
         Math(rf"{low}r^{{2}} \leq \langle\mathcal{{F}},\mathcal{{F}}\rangle \leq {high}r^{{2}}"), ".")
    )  # fmt: skip


def measure_in_euclidean(certificate: Certificate) -> Iterator[Block]:
    """In a variable metric: the settling time for a start that is measured in the Euclidean norm."""
    if certificate.is_bounded and not isinstance(certificate.claim, PrescribedTimeStability):
        number = tex_above(certificate.settling_time(x0=1))
        yield Paragraph(("For a start at most at the Euclidean distance 1, ", Math(f"T {number}"), " (rounded up)."))


def name_numbers(claim: ScaledClaim) -> tuple[tuple[Math, Fraction], ...]:
    """Symbols of the numbers of a claim with their exact values."""
    letters = {"decay": r"\delta", "dissipation": r"\varepsilon", "rate": r"\rho", "speed": r"\kappa",
               "speed_limit": "K"}  # fmt: skip
    numbers = ((Math(letter), getattr(claim, name, None)) for name, letter in letters.items())
    return tuple((letter, number) for letter, number in numbers if number is not None)


def scaled_conclusion(certificate: Certificate) -> Iterator[Block]:
    """What holds, in the norm of the storage function."""
    claim = claim_of(certificate)
    yield Paragraph(
        ("Then, for every member of these classes, every such equilibrium and every solution, V as given below "
         "satisfies",)
    )  # fmt: skip
    if isinstance(claim, PrescribedTimeStability):
        yield from _conclude_prescribed(certificate, claim)
        return
    exponents, letters = claim.exponents, ("A", "B")
    terms = [rf"-{letter}\,{tex_power('V', a)}" for letter, a in zip(letters, exponents, strict=False)]
    yield Display((Math(rf"\dot{{V}} \leq {''.join(terms)},\qquad {_norm(certificate)}^{{2}} \leq V,"),))
    formulas = _write_coefficients(claim.scale)
    bounds = zip(letters, formulas, claim.coefficients, strict=False)
    yield Paragraph((f"for almost every t, with {'the coefficients' if len(exponents) > 1 else 'the coefficient'} "
                     "(rounded down)",))  # fmt: skip
    yield Display(tuple(Math(f"{letter} = {formula} {tex_below(value)}") for letter, formula, value in bounds))
    yield Where(name_numbers(claim))
    yield Paragraph((f"This is {tell_scaled(claim)}: V is zero, and the state at the equilibrium, from a time T on,",))
    yield from _conclude_fixed(certificate) if len(exponents) > 1 else _conclude_finite(certificate)


def _write_coefficients(scale: TimeScale) -> Iterator[str]:
    """A and B as products of powers of the numbers of the claim."""
    if isinstance(scale, PrescribedTime):
        return
    a, gains = scale.exponents[0], list_gains(scale)
    first = "" if gains[0] == 1 else tex_number(gains[0]) + r"\,"
    yield first + _raise(1 / a, r"\delta", a) + _raise(1 / (1 - a), r"\varepsilon", 1 - a)
    if isinstance(scale, FixedTime):
        yield rf"{tex_number(2 * gains[1])}\,\rho\," + tex_power(r"\kappa", scale.exponents[1] - 1)


def _raise(multiple: Fraction, letter: str, exponent: Fraction) -> str:
    return rf"({tex_number(multiple)}\,{letter})^{{{exponent}}}"


def _conclude_finite(certificate: Certificate) -> Iterator[Block]:
    claim = claim_of(certificate)
    rest = 1 - claim.exponents[0]
    top = tex_power("V(0)", rest)
    whole = _ratio(1 / rest, above=rf"\,{top}", below="A").replace(r"\frac", r"\dfrac", 1)
    lines = [Math(rf"T \leq {whole} {tex_above(certificate.settling_time(V0=1))}\,{top}")]
    if certificate.is_bounded:
        distance = tex_power(_norm(certificate, "0"), 2 * rest)
        lines.append(Math(rf"T {tex_above(certificate.settling_time(x0=1))}\,{distance}"))
    yield Display(tuple(lines))
    yield Paragraph(("(rounded up)", *_explain_start(certificate)))


def _conclude_fixed(certificate: Certificate) -> Iterator[Block]:
    claim = claim_of(certificate)
    (a, b), (A, B) = claim.exponents, claim.coefficients
    m = (1 - a) / (b - a)
    whole = rf"\int_{{0}}^{{\infty}}\,\dfrac{{\mathrm{{d}}v}}{{A\,{tex_power('v', a)}+B\,{tex_power('v', b)}}}"
    above, below = ("" if n == 1 else rf"{n}\," for n in (1 / (b - a)).as_integer_ratio())
    angle = _ratio(m, above=r"\pi")
    sine = "" if m == Fraction(1, 2) else rf"\,\sin({angle})"
    closed = rf"\dfrac{{{above}\pi}}{{{below}{tex_power('A', 1 - m)}{tex_power('B', m)}{sine}}}"
    yield Display((Math(rf"T \leq {whole} = {closed} {tex_above(certificate.settling_time())},"),))
    plain = tex_above(settling_time_by_terms(A, a, B, b, _ONE))
    terms = _ratio(1 / (1 - a), below="A") + "+" + _ratio(1 / (b - 1), below="B")
    yield Paragraph(
        ("whatever the start (rounded up). It is the least time for all starts that this bound of ", Math(r"\dot{V}"),
         " gives; the plainer bound by terms, of Polyakov, is ", Math(f"T \\leq {terms} {plain}"), ".")
    )  # fmt: skip
    if certificate.is_bounded:
        yield Paragraph(
            ("For ", Math(_norm(certificate, "0") + r" \leq 1"), " in particular ",
             Math(f"T {tex_above(certificate.settling_time(x0=1))}"), *_explain_start(certificate))
        )  # fmt: skip


def _ratio(value: Fraction, *, above: str = "", below: str = "") -> str:
    """A fraction with a letter beside its numerator or its denominator."""
    top, bottom = value.as_integer_ratio()
    return rf"\frac{{{'' if top == 1 and above else top}{above}}}{{{'' if bottom == 1 and below else bottom}{below}}}"


def _explain_start(certificate: Certificate) -> Sentence:
    if not certificate.is_bounded:
        return (". No bound of ", Math("V(0)"), " by the initial distance is proved.")
    c2 = certificate.values[UPPER]
    number = tex_number(c2) + ("" if c2.denominator == 1 else f" {tex_above(c2)}")
    relation = rf"V(0) \leq c_{{2}}{_norm(certificate, '0')}^{{2}}"
    return (", because ", Math(relation), " with ", Math(f"c_{{2}} = {number}"), ".")


def _conclude_prescribed(certificate: Certificate, claim: PrescribedTimeStability) -> Iterator[Block]:
    left = r"(1-\frac{t}{T})"
    twice, rest = claim.exponents[0], claim.exponents[0] / 2 - 1
    is_plain = len(str(rest)) < 8  # else the exponents stand as products
    falls = tex_power(left, twice) if is_plain else rf"{left}^{{2\rho c}}"
    yield Display((Math(rf"{_norm(certificate, 't')}^{{2}} \leq V(t) \leq V(0)\,{falls}"),))
    if claim.speed_limit is None:
        yield Paragraph(("for all ", Math(r"t \in [0,T)"), ", with"))
    else:
        yield Paragraph(("for all ", Math(r"t \in [0,T)"), ", and the speed is"))
        shape = r"\," + (tex_power(left, rest) if is_plain else rf"{left}^{{\rho c-1}}") if rest else ""
        yield Display((Math(rf"\dfrac{{c\,r}}{{T-t}} \leq \dfrac{{c}}{{T}}\,\sqrt{{K\,V(0)}}{shape},"),))
        yield Paragraph(("with",))
    yield Where(name_numbers(claim))
    is_slow = rest >= 0 and claim.speed_limit is not None
    until = " The speed stays bounded." if is_slow else " No bound of the speed up to T is proved."
    yield Paragraph(
        ("This is prescribed-time stability: whatever the start, V and the distance go to zero as t goes to T."
         + until,)
    )  # fmt: skip
    if certificate.is_bounded:
        yield Paragraph(("Here ", *_explain_start(certificate)[1:]))


def _norm(certificate: Certificate, at: str = "") -> str:
    """Distance from the equilibrium in TeX."""
    time = f"({at})" if at else ""
    if isinstance(certificate.system, PrimalDualSystem):
        return rf"\|(x,\lambda){time}-(x^{{\star}},\lambda^{{\star}})\|"
    return rf"\|x{time}-x^{{\star}}\|"
