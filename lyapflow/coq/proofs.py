"""The proof of one inequality: an identity between the claim, class inequalities and squares, which is decided.

All inner products are those of the deviations from the equilibrium (see `readings`), and the claim is, up to a positive
factor, minus a sum of facts with nonnegative weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import lcm

from .components import Component
from .heads import list_moving
from .readings import hold_still, take_readings
from .sampled import close_family
from .scenes import Scene, Slack, measure_slack
from .scripts import Script
from .sections import output_text
from .statements import Statement
from .terms import combine, difference, number

__all__ = ["prove"]

_LITERAL = "apply IZR_le; discriminate"
"""Proof that an integer is not negative; it looks at nothing else, unlike `lra`."""


def prove(scene: Scene, statement: Statement) -> tuple[str, str, tuple[str, ...]]:
    """Lemmas, the script that proves a statement with them, and the parts of ``prelude.v`` that both need.

    Raises
    ------
    InvalidModelError
        If the certificate does not prove it, or uses what cannot be exported.
    """
    scene = hold_still(scene, statement)
    script = take_readings(scene, statement)
    proof = "\n".join(_write(script, scene, statement))
    lemmas = [*(script.write_lemma(c, list_moving(statement, c)) for c in scene.components), *script.lemmas]
    return "\n\n".join(lemmas), proof, tuple(script.parts)


def _write(script: Script, scene: Scene, statement: Statement) -> Iterator[str]:
    weights = list(script.weights)
    hull = scene.components[0] if scene.components[0].kind == "hull" else None
    if scene.family is not None:
        yield from _write_head(script, scene, statement)
        own = [pair for c in scene.components for pair in list_products(scene, statement, c)]
        script.parts.append("scaled")
        rules = [f"?(product_of _ _ _ _ _ _ {script.known[a]} {script.known[b]})" for a, b in dict.fromkeys(own)]
        goal = f"unfold {_unfolded(scene, statement)}.\nrewrite {', '.join(rules)}."
        yield from close_family(script, scene, scene.family, statement, goal)
        return
    slacks = [(c, s) for c in scene.components for s in measure_slack(scene, statement, c)]
    for text, weight in _list_poles(script, scene, statement):
        weights.append((f"M{len(weights)}", "", weight))
        script.facts.append(f"assert ({weights[-1][0]} := ip_pos _ ({text})).")
        script.pairs[weights[-1][0]] = [(text, text)]
    yield from _write_head(script, scene, statement)
    for k, (c, slack) in enumerate(slacks, start=1):
        yield from _write_slack(script, k, c, slack)
        weights.append((f"S{k}", _weigh(slack) if c.kind == "hull" else "", _scale(c, slack)))
    yield "apply monus."
    yield f"unfold {_unfolded(scene, statement)}."
    own = [pair for c in scene.components for pair in list_products(scene, statement, c)]
    rules = [f"?(product_of _ _ _ _ _ _ {script.known[a]} {script.known[b]})" for a, b in dict.fromkeys(own)]
    yield f"rewrite {', '.join(rules)}."
    if hull is None:  # again, while the goal is small
        kept = [*(f"table{c.mark}" for c in scene.components), *(fact for fact, _, _ in weights)]
        yield f"clear - {' '.join(kept)}."
    common = lcm(*(w.denominator for _, _, w in weights), 1)
    total = ""
    for k, (fact, extra, weight) in enumerate(weights, start=1):
        n = number(weight * common)
        why = _nonnegative(extra) if extra else _LITERAL
        yield f"apply (weigh ({f'{extra} * ' if extra else ''}{n})) in {fact}; [| {why}]."
        total = f"(Rplus_le_le_0_compat _ _ {total} {fact})" if k > 1 else fact
    positive = "ltac:(apply IZR_lt; reflexivity)"
    yield f"refine (conclude {number(Fraction(common))} _ _ {positive} {total or '(Rle_refl 0)'} _)."
    if hull is not None:
        yield "rewrite ?w_last."
    yield f"rewrite {', '.join(f'table{c.mark}' for c in scene.components)}."
    between = " near far image firstn skipn" if any(c.ends for c in scene.components) else ""
    yield f"cbn [form along weave map{between}]. clear. lra."


def _write_head(script: Script, scene: Scene, statement: Statement) -> Iterator[str]:
    """Readings, the table of products, and facts in its letters."""
    for c in scene.components:
        yield from script.recall(c, list_moving(statement, c))
    for c in scene.components:  # while the goal is small: every step below carries it along
        yield from _write_gram(script, c)
    yield from script.facts
    for fact, pairs in script.pairs.items():
        if len(scene.components) > 1 and fact.startswith("H") and not fact.startswith("Hd_"):
            yield f"rewrite ?sub_pair, ?ip_pair in {fact}."
        if fact.startswith("H"):
            yield f"rewrite ?height_rest, ?no_gap in {fact}."
        rules = [f"?(product_of _ _ _ _ _ _ {script.known[a]} {script.known[b]})" for a, b in dict.fromkeys(pairs)]
        yield f"rewrite {', '.join(rules)} in {fact}."


def _nonnegative(extra: str) -> str:
    bounds = [f"exact {name}_nonneg" for name in dict.fromkeys(extra.split(" * "))]
    return f"repeat first [{' | '.join([*bounds, f'({_LITERAL})', 'apply Rmult_le_pos'])}]"


def _scale(c: Component, slack: Slack) -> Fraction:
    width = c.ends[1] - c.ends[0] if c.ends else Fraction(1)
    return 1 / (slack.divisor * width ** len(slack.places))


def _weigh(slack: Slack) -> str:
    return " * ".join(f"w{k + 1}" for k in slack.places)


def _write_slack(script: Script, k: int, c: Component, slack: Slack) -> Iterator[str]:
    """The fact that a quadratic form in the base is not negative: the proof assistant eliminates."""
    rows = " :: ".join(f"({' :: '.join([*map(str, row), 'nil'])})" for row in slack.rows)
    name = script.add_squares(k, rows)
    if c.ends is None or not slack.places:
        yield f"assert (S{k} := use_squares _ base{c.mark} {name} {name}_squares)."
    else:
        low, high = map(number, c.ends)
        size = len(script.bases[c.mark])
        near, far, image = (f"weave {name} ({part} {size} (gram base{c.mark}))" for part in ("near", "far", "image"))
        product = f"({low} + {high}) * {far} - {low} * {high} * {near} - {image}"
        fact, proof = {
            (1,): (f"{far} - {low} * {near}", "proj1 between"),
            (0,): (f"{high} * {near} - {far}", "proj1 (proj2 between)"),
            (0, 1): (product, "proj2 (proj2 between)"),
        }[slack.places]
        use = f"use_squares_between _ _ _ _ spectrum{c.mark} ltac:(lra)"
        yield f"assert (S{k} : 0 <= {fact})."
        yield f"{{ assert (between := {use} (firstn {size} base{c.mark}) {name} {name}_squares)."
        yield f"  exact ({proof}). }}"
    yield f"unfold {name} in S{k}."


def _write_gram(script: Script, c: Component) -> Iterator[str]:
    """The table of inner products of a base, each pair of vectors once."""
    texts = [text for _, text in script.bases[c.mark]]
    size = len(texts)
    count = 2 * size if c.ends else size
    names = {(i, k): f"g{i}_{k}{c.mark}" for i in range(count) for k in range(i, count)}
    flips = []
    if c.ends:  # products <a, T b> and <b, T a> have one name
        yield f"assert (swap{c.mark} : forall a b, << a, {c.map} b >> = << b, {c.map} a >>)."
        yield f"{{ intros a b. rewrite <- (proj1 spectrum{c.mark}), ip_sym. reflexivity. }}"
        for k, i in combinations(range(size), 2):
            names[i, size + k] = names[k, size + i]
            flips.append(f"?(swap{c.mark} ({texts[i]}) ({texts[k]}))")
    rows = [" :: ".join([*(names[i, k] for k in range(i, count)), "nil"]) for i in range(count)]
    chosen = list(dict.fromkeys(names.values()))
    yield f"assert (table{c.mark} : exists {' '.join(chosen)}, gram base{c.mark} ="
    yield f"  {' :: '.join([f'({row})' for row in rows])} :: nil)."
    flip = f"rewrite {', '.join(flips)}. " if flips else ""
    yield f"{{ {script.open_base(c.mark)}. cbn [grid map]. {flip}repeat eexists. }}"
    yield f"destruct table{c.mark} as ({' & '.join([*chosen, f'table{c.mark}'])})."


def _unfolded(scene: Scene, statement: Statement) -> str:
    names = ["V"] if statement.now or statement.next else []
    names += ["V_dot"] if statement.change else []
    names += ["norm"] if statement.above else []
    names += ["norm_low"] if statement.below else []
    names += ["speed"] if statement.fast else []
    names += ["speed_low"] if statement.slow else []
    names += ["intake"] if statement.intake else []
    names += ["output"] if statement.output else []
    return ", ".join(names)


def list_products(scene: Scene, statement: Statement, c: Component) -> Iterator[tuple[str, str]]:
    """Pairs of vectors whose inner products occur in the definitions of a statement."""
    states = [difference(c.x(i), c.x(i, "s")) for i in c.states]
    here = states + [difference(c.u(j), c.u(j, "s")) for j in c.moving]
    fields = [c.field(i) for i in c.states]
    images = [f"{c.map} ({a})" for a in states] if c.is_span else []
    if statement.now or statement.above or statement.below:
        yield from ((a, b) for a in here for b in [*here, *images])
    if statement.next:
        later = [difference(c.field(i), c.x(i, "s")) for i in c.states]
        later += [difference(c.u(j, "n"), c.u(j, "s")) for j in c.moving]
        images = [f"{c.map} ({a})" for a in later] if c.is_span else []
        yield from ((a, b) for a in later for b in [*later, *images])
    if statement.change:
        yield from ((a, b) for a in here for b in fields + [c.u(j, "d") for j in c.moving])
        for j in scene.valued:
            if j in c.active and scene.weight(j):
                yield difference(c.u(j), c.u(j, "s")), c.y(j, "d")
    if statement.intake:
        moves = [difference(c.u(k), c.u(k, "s")) for k in range(scene.inputs)]
        yield from ((a, a) for a in moves)
    if statement.output:
        yield from ((output_text(o), output_text(o)) for o in scene.outputs())
    if statement.fast or statement.slow:
        yield from ((a, b) for a in fields for b in fields)


def _list_poles(script: Script, scene: Scene, statement: Statement) -> Iterator[tuple[str, Fraction]]:
    """Squares of F - M, with M the right side at the first vertex."""
    for c in scene.components if statement.slow else ():
        if len(c.plants) == 1:
            continue
        for i in c.states:
            values = [c.rows(plant)["F", i] for plant in c.plants]
            bent = [tuple(v - w for v, w in zip(row, values[0], strict=True)) for row in values]
            terms = c.spell(bent, [text for _, text in c.base()])
            if terms:
                text = combine([(k, v if v.isidentifier() else f"({v})") for k, v in terms], instead="")
                script.declare(text, terms, c, "repeat rewrite ?(ip_add _ _ _ w), ?(ip_scale _ _ _ w). settle.")
                yield text, -statement.slow * c.norm_below[i][i]
