"""The end of a proof about a family: an identity between rational functions of the parameter."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import combinations

from ..exact.factor import weighted_squares
from ..exact.matrices import Matrix
from ..exact.polynomials import Polynomial, evaluate
from .components import Component
from .families import Family
from .gaps import list_gaps
from .ratios import clear, write_polynomial
from .readings import list_weights
from .scenes import Scene, clear_denominators
from .scripts import Script
from .statements import Statement

__all__ = ["close_family"]


def close_family(script: Script, scene: Scene, family: Family, statement: Statement, unfolded: str) -> Iterator[str]:
    """From facts, and the goal with its definitions unfolded by name, to the end.

    Raises
    ------
    InvalidModelError
        If the certificate does not prove the statement.
    """
    c, over, part = scene.components[0], family.over, statement.part
    nodes = range(len(over.nodes))
    weights = [list_weights(member, statement) for member in scene.members]
    columns = [[family.factor(part, k) for k in nodes]]
    columns += [[columns[0][k] * weights[k][i] for k in nodes] for i in range(len(script.weights))]
    facts = [fact for fact, _, _ in script.weights]
    p, q = family.ratio
    conditions = {condition.name: condition for condition in family.certificate.pencil().conditions}
    m = family.orders[part]
    for name, order in ((part, m), (f"{part} multiplier", m - 1)):
        form = conditions[name].at(family.certificate.values) if name in conditions else ()
        if not weighted_squares(form):
            continue
        label = f"S{len(facts)}"
        scalars = [" * ".join(_power(p, k) + _power(q, order - k)) or "1" for k in range(order + 1)]
        divisor = yield from _write_lifted(script, c, label, scalars, form)
        facts.append(label)
        gap = [evaluate(q, s) ** 2 - evaluate(p, s) ** 2 for s in over.nodes]
        columns.append([(gap[k] if order < m else Fraction(1)) / divisor for k in nodes])
    found = clear([over.find(column) for column in columns], over)
    texts = [over.write_positive(found[0]), *map(over.write_nonnegative, found[1:])]
    yield "assert (above := s_above)."
    yield from (["assert (below := s_below)."] if over.high is not None else [])
    yield "assert (whole := denominator_positive)."
    known = {f"known{k}": name for k, (name, _, _) in enumerate(list_gaps(scene))}
    yield from (f"assert ({fact} := {name})." for fact, name in known.items())
    ends = ["above", "below"] if over.high is not None else ["above"]
    kept = " ".join([f"table{c.mark}", *facts, *ends, "whole", *known])
    yield "apply monus."
    yield unfolded
    yield f"clear - {kept}."
    total = ""
    for k, (fact, text) in enumerate(zip(facts, texts[1:], strict=True)):
        yield f"apply (weigh ({text})) in {fact}; [| nonneg]."
        total = f"(Rplus_le_le_0_compat _ _ {total} {fact})" if k else fact
    yield f"refine (conclude ({texts[0]}) _ _ ltac:(positive) {total or '(Rle_refl 0)'} _)."
    yield f"rewrite table{c.mark}."
    yield "cbn [form along weave map]. settle."


def _power(p: Polynomial, k: int) -> list[str]:
    return [f"{write_polynomial(p)}^{k}"] if k else []


def _write_lifted(
    script: Script, c: Component, label: str, scalars: list[str], form: Matrix
) -> Generator[str, None, Fraction]:
    """The fact that a form in multiples of the base is not negative; what divides its integers."""
    texts = [text for _, text in script.bases[c.mark]]
    pairs = [f"({scalar}, {text})" for scalar in scalars for text in texts]
    upper = [row[i:] for i, row in enumerate(form)]
    divisor, numbers = clear_denominators(upper)
    rows = " :: ".join(f"({' :: '.join([*map(str, row), 'nil'])})" for row in numbers)
    name = script.add_squares(label.removeprefix("S"), rows)
    yield f"assert ({label} := use_squares_scaled _ ({' :: '.join(pairs)} :: nil) {name} {name}_squares)."
    yield f"cbn [grid map fst snd] in {label}."
    flips = [f"?(ip_sym _ ({b}) ({a}))" for a, b in combinations(texts, 2)]
    yield from ([f"rewrite {', '.join(flips)} in {label}."] if flips else [])
    names = [f"e{i}_{k}" for i in range(len(texts)) for k in range(i, len(texts))]
    yield f"assert (entries := table{c.mark}). {script.open_base(c.mark)} in entries. cbn [grid map] in entries."
    yield f"injection entries as {' '.join(names)}."
    yield f"rewrite {', '.join('?' + name for name in names)} in {label}."
    yield f"clear {' '.join(names)}. unfold {name} in {label}."
    return divisor
