"""The theorem and the proof of a certificate with memory: filters, what is known of the past, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ..certificates import Certificate
from ..classes.inequalities import Inequality
from ..lmi.memory import Filter, list_filters, read_moduli
from .formulas import Block, Display, Math, Paragraph, Sentence, Term, Where, combine
from .numbers import tex_number
from .symbols import Points, Symbols, filter_state, quadratic_terms, state

__all__ = ["MARK", "find_filter", "finish_memory", "has_memory", "memory_storage", "prepare_memory", "weigh_past"]

MARK = "M"
"""Letter of what is known of the past."""


def has_memory(certificate: Certificate) -> bool:
    """Whether V has filters."""
    return bool(list_filters(certificate.system, certificate.template))


def find_filter(points: Points, inequality: Inequality) -> int | None:
    """The filter that an inequality speaks of, by its place among all; None for one that holds at every time."""
    named = {point for pair, _ in inequality.products for _, point in pair}
    return next((e.filter for name, e in points if name in named and e.filter is not None), None)


def memory_storage(certificate: Certificate) -> Iterable[Block]:
    """V over states and filters, and what the filters are."""
    from .statement import describe_values, weighted_oracles

    system, filters = certificate.system, list_filters(certificate.system, certificate.template)
    names, n, K = Symbols.of(system), system.shape[0], len(filters)
    where: list[tuple[Math, Fraction]] = []
    yield Paragraph(
        ("With the deviations ", Math(r"\tilde{x} = x-x^{\star}"), " and, for each gradient with a memory,")
    )
    yield Display(tuple(line for j in _owners(filters) for line in _signals(certificate, names, j, where, star=True)))
    yield Paragraph(("let filters, which are at rest at the start, obey",))
    yield Display(tuple(_filter(certificate, names, filters, k, where) for k in range(K)))
    signals = (*(state(n, i, r"\tilde{x}") for i in range(n)), *(filter_state(k) for k in range(K)))
    yield Paragraph(("They are no part of the dynamics, only of",))
    if len(signals) <= 12:
        terms = quadratic_terms(certificate.P, signals, "p")
        weights = {j: certificate.value_weights.get(name, Fraction(0)) for j, name in enumerate(system.oracle_names)}
        terms += [Term(w, names.signal(r"\lambda", j), names.signal(r"\varphi", j)) for j, w in weights.items()]
        yield Display(combine(terms, where, head="V = "))
    else:
        weighted = weighted_oracles(certificate)
        values = "".join("+" + names.signal(r"\lambda", j) + r"\," + names.signal(r"\varphi", j) for j in weighted)
        yield Display((Math(rf"V = z^{{\mathsf{{T}}}}Pz{values},\qquad z = (\tilde{{x}},\psi)"),))
        yield Paragraph(("The rational matrix ", Math("P"), " and all weights are in the certificate's file."))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    if where:
        yield Where(tuple(where))


def prepare_memory(certificate: Certificate) -> Iterator[Block]:
    """What is known of the past of a gradient, with its proof."""
    system, filters = certificate.system, list_filters(certificate.system, certificate.template)
    names = Symbols.of(system)
    where: list[tuple[Math, Fraction]] = []
    for j in _owners(filters):
        mu, L = read_moduli(system.oracles[j]) or (Fraction(0), Fraction(0))
        f, y, phi = names.functions[j], names.signal("y", j), names.signal(r"\varphi", j)
        p, q, r, r_star = (names.signal(letter, j) for letter in ("p", "q", "r", r"r^{\star}"))
        inner = combine([Term(Fraction(1), "", phi), Term(-mu / 2, r"\mu/2", f"|{y}|^{{2}}")], where)[0].tex
        yield Paragraph(
            ("Along a solution let ", Math("y, u"), " be deviations from the equilibrium, and for ", Math(f))
        )
        yield Display(
            (
                *_signals(certificate, names, j, where, star=False),
                Math(rf"{r} = {tex_number(L - mu)}\,({inner})-\frac{{1}}{{2}}|{p}|^{{2}}"),
                Math(rf"{r_star} = \langle {p},{q}\rangle-{r}"),
            )
        )
        yield Paragraph(
            ("The interpolation inequality of the class between two times, multiplied by ",
             Math(rf"L-\mu = {tex_number(L - mu)}"), ", and the same with the times exchanged, are")
        )  # fmt: skip
        yield Display(
            (
                Math(rf"\langle {p}(t),{q}(t)-{q}(s)\rangle \geq {r}(t)-{r}(s)"),
                Math(rf"\langle {q}(t),{p}(t)-{p}(s)\rangle \geq {r_star}(t)-{r_star}(s)"),
            )
        )
        yield Paragraph(
            ("With the equilibrium in the place of one of them, where all is zero, they say that ", Math(r), " and ",
             Math(r_star), " are nonnegative.")
        )  # fmt: skip
    yield Paragraph(
        (
            "Filter these as V filters ",
            Math("p"),
            " and ",
            Math("q"),
            ", from rest; so all ",
            Math(r"R_{k} \geq 0"),
            ":",
        )
    )
    yield Display(tuple(_filter(certificate, names, filters, k, where, letter="R") for k in range(len(filters))))
    yield Paragraph(
        ("Integrate the inequality of ", Math("t"), " and ", Math("s"), " over all ", Math("s"), " between 0 and ",
         Math("t"), " with the weight of the filter with the pole ", Math(r"\lambda"), ". The weight has the total ",
         Math(r"w \leq 1/(\lambda+2\rho) \leq 1/\lambda"), ". Add ",
         Math(r"(1/\lambda-w)(\langle p,q\rangle-r) \geq 0"), ", and multiply by ", Math(r"\lambda"), ":")
    )  # fmt: skip
    lines = []
    for k, part in enumerate(filters):
        p, q, r = _letters(names, part)
        decay = tex_number(part.pole)
        times = "" if decay == "1" else decay + r"\,"
        lines.append(
            Math(
                rf"{MARK}_{{{k + 1}}} = \langle {p},{q}-{times}{filter_state(k)}\rangle,\qquad {MARK}_{{{k + 1}}} \geq "
                rf"{r}-{times}R_{{{k + 1}}} = \dot{{R}}_{{{k + 1}}}+2\rho R_{{{k + 1}}}"
            )
        )
    yield Display(tuple(lines))
    if where:
        yield Where(tuple(where))


def weigh_past(certificate: Certificate, symbols: dict[int, tuple[str, Fraction]]) -> Iterator[Block]:
    """The multipliers of the memory in the letters of the literature.

    Parameters
    ----------
    certificate : Certificate
        With memory.
    symbols : dict
        Symbol and value of the multiplier of each filter that is used.
    """
    filters = list_filters(certificate.system, certificate.template)
    if not symbols:
        yield Paragraph(("No multiplier of the past is used: the certificate is one without memory.",))
        return
    parts: list[str | Math] = []
    for k, (symbol, value) in symbols.items():
        c = Math(rf"c_{{{k + 1}}} = \lambda_{{{k + 1}}}\,{symbol} = {tex_number(filters[k].pole * value)}")
        parts += [*([", "] if parts else []), c]
    yield Paragraph(
        ("As Zames-Falb multipliers ", Math(r"P_{0}\langle p,q\rangle-\sum c_{k}\langle p,\psi_{k}\rangle"), " (with ",
         Math("p"), " and ", Math("q"), " exchanged where ", Math("p"), " is filtered) they are ", *parts,
         "; the condition ", Math(r"\sum c_{k}/\lambda_{k} \leq P_{0}"), " holds, because the rest of ", Math("P_{0}"),
         " are the multipliers of the class inequalities, which are nonnegative.")
    )  # fmt: skip


def finish_memory(certificate: Certificate, symbols: dict[int, tuple[str, Fraction]]) -> Paragraph:
    """What follows: V with its memory decreases."""
    added = "".join(rf"+{symbol}R_{{{k + 1}}}" for k, (symbol, _) in symbols.items())
    chain = r"N(t) \leq V(t) \leq W(t) \leq e^{-2\rho t}W(0) = e^{-2\rho t}V(0)"
    if certificate.is_bounded:
        chain += r" \leq c_{2}e^{-2\rho t}N(0)"
    last: Sentence = ("; the last step because the filters are at rest at the start",) if certificate.is_bounded else ()
    return Paragraph(
        ("All multipliers are nonnegative, all ", Math("I"), " are nonnegative along solutions, and ",
         Math(rf"{MARK}_{{k}} \geq \dot{{R}}_{{k}}+2\rho R_{{k}}"), ". Hence ", Math(f"W = V{added}"), " has ",
         Math(r"\dot{W} \leq -2\rho W"), ", and ", Math(chain), *last, ". This is the claim. ", Math("V"),
         " alone need not fall at every time.")
    )  # fmt: skip


def _owners(filters: tuple[Filter, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(part.oracle for part in filters))


def _letters(names: Symbols, part: Filter) -> tuple[str, str, str]:
    """What a filter's inequality pairs, what it filters, and what is filtered beside it."""
    p, q, r, r_star = (names.signal(letter, part.oracle) for letter in ("p", "q", "r", r"r^{\star}"))
    return (p, q, r) if part.causal else (q, p, r_star)


def _signals(
    certificate: Certificate, names: Symbols, j: int, where: list[tuple[Math, Fraction]], *, star: bool
) -> list[Math]:
    """P and q of an oracle."""
    mu, L = read_moduli(certificate.system.oracles[j]) or (Fraction(0), Fraction(0))
    y, u = (f"({s}-{s}^{{\\star}})" if star else s for s in (names.signal("y", j), names.signal("u", j)))
    p = combine([Term(Fraction(1), "", u), Term(-mu, "\\mu", y)], where, head=f"{names.signal('p', j)} = ")
    q = combine([Term(L, "L", y), Term(Fraction(-1), "", u)], where, head=f"{names.signal('q', j)} = ")
    return [*p, *q]


def _filter(
    certificate: Certificate,
    names: Symbols,
    filters: tuple[Filter, ...],
    k: int,
    where: list[tuple[Math, Fraction]],
    *,
    letter: str = r"\psi",
) -> Math:
    """The differential equation of a filter."""
    part = filters[k]
    own = rf"{letter}_{{{k + 1}}}"
    _, fed, kept = _letters(names, part)
    decay = tex_number(part.pole)
    return Math(
        rf"\dot{{{letter}}}_{{{k + 1}}} = -({decay}+2\rho)\,{own}+{fed if letter != 'R' else kept},\qquad {own}(0) = 0"
    )
