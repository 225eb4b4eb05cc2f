"""The proof of one inequality: an identity between the claim, class inequalities and squares, checked by `field`.

Every vector is rewritten as a linear form in the deviations from the equilibrium; then all inner products are those of
these deviations, and the claim is, up to a positive factor, minus a sum of facts with nonnegative weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import lcm

from ..classes.inequalities import EQUILIBRIUM
from ..classes.slopes import read_slopes
from ..errors import InvalidModelError
from ..lmi.signals import NEXT, RATE
from .components import Component, Key
from .hypotheses import Use, put_to_use
from .scenes import Scene, Square, collect_groups, measure_slack
from .sections import slope_vectors
from .statements import Statement
from .terms import Terms, combine, difference, number

__all__ = ["prove"]


@dataclass(slots=True)
class _Script:
    """Lines of a proof, and what they have introduced."""

    readings: list[str] = field(default_factory=list)
    """Assertions on vectors as linear forms, while all vectors are spelled out."""
    facts: list[str] = field(default_factory=list)
    bases: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Deviations of each part that occur: names and texts."""
    known: dict[str, str] = field(default_factory=dict)
    """Vectors by their texts, with the names of what was proved of them."""
    weights: list[tuple[str, str, Fraction]] = field(default_factory=list)
    """Fact, what multiplies it beside a number and why that is not negative, number."""
    pairs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Vectors whose inner products occur in a fact."""
    parts: list[str] = field(default_factory=list)


def prove(scene: Scene, statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The script that proves a statement, and the parts of ``prelude.v`` that it needs.

    Raises
    ------
    InvalidModelError
        If the certificate does not prove it, or uses what cannot be exported.
    """
    script, scene = _Script(), _hold_still(scene, statement)
    for component in scene.components:
        _read_base(script, statement, component)
    for component in scene.components:
        _read_field(script, scene, statement, component)
    for j in sorted(_list_read(scene, statement)):
        _read_inputs(script, scene, statement, j)
    uses = [*_list_uses(scene, statement)]
    for k, (weight, use) in enumerate(uses, start=1):
        products = script.pairs[f"H{k}"] = []
        for c in scene.components:
            read = [_read_difference(script, scene, c, a, b) for a, b in _split(scene, use, c)]
            products += [(a, b) for one in read for a in one for b in one]
            products += [(w, y) for _, w in read[1:] for y, _ in read[:1]]
            products += [(u, y) for _, u in read for y, _ in read]
        script.facts.append(f"assert (H{k} := {use.term}).")
        script.weights.append((f"H{k}", "", weight / use.scale))
        script.parts += use.parts
    for weight, name in _list_slopes(scene, statement):
        script.weights.append((name, "", weight))
        j, c = scene.names.index(name.removeprefix("Hd_")), scene.components[0]
        script.pairs[name] = [_read_slope(script, scene, c, j)]
    return "\n".join(_write(script, scene, statement)), tuple(script.parts)


def _list_read(scene: Scene, statement: Statement) -> set[int]:
    """Oracles whose inputs are read."""
    found = {e.oracle for group in collect_groups(scene, statement) for _, e in group.points if group.uses}
    return found | {scene.owner(j) for j in found} | ({*scene.valued} if statement.change else set())


def _hold_still(scene: Scene, statement: Statement) -> Scene:
    """The scene with one plant per part, where a statement does not see the dynamics."""
    if statement.change or statement.next or statement.fast or statement.slow:
        return scene
    read = _list_read(scene, statement)

    def settle(c: Component) -> Component:
        seen = {tuple((plant.C[j], plant.D[j]) for j in read) for plant in c.plants}
        return c if len(seen) > 1 else replace(c, plants=c.plants[:1], kind="plain", ends=None)

    return replace(scene, components=tuple(map(settle, scene.components)))


# --- vectors as linear forms -----------------------------------------------------------------------------------------


def _form(terms: Terms, w: str = "w", star: str | None = None) -> str:
    parts = ([f"<< {star}, {w} >>"] if star else []) + [f"{c} * << {v}, {w} >>" for c, v in terms]
    return " + ".join(parts) if parts else "0"


def _row(component: Component, *keys: tuple[int, Key]) -> Terms:
    """A sum of signals over the base, spelled out."""
    values = []
    for plant in component.plants:
        rows = component.rows(plant)
        values.append(tuple(sum((c * v for c, v in zip([s for s, _ in keys], column, strict=True)), Fraction(0))
                            for column in zip(*(rows[key] for _, key in keys), strict=True)))  # fmt: skip
    return component.spell(values, [text for _, text in component.base()])


def _read_base(script: _Script, statement: Statement, c: Component) -> None:
    found = script.bases[c.mark] = _list_base(statement, c)
    texts = [text for _, text in found] + [f"{c.map} ({text})" for _, text in found if c.ends]
    script.readings.append(f"pose (base{c.mark} := {' :: '.join(texts)} :: nil).")
    for _, text in found:
        _declare(script, text, [("1", text)], c, "ring.")


def _list_base(statement: Statement, component: Component) -> list[tuple[str, str]]:
    """Names and texts of the deviations that a statement speaks of."""
    moves = statement.change or statement.next
    return [
        (f"d{k}{component.mark}", text)
        for k, ((kind, _), text) in enumerate(component.base(), start=1)
        if moves or kind in {"x", "u"}
    ]


def _bend(component: Component) -> str:
    """Moves the symmetric map to the right side of inner products."""
    return f" rewrite ?(proj1 spectrum{component.mark}). spread." if component.kind == "interval" else ""


def _read_field(script: _Script, scene: Scene, statement: Statement, c: Component) -> None:
    if not (statement.change or statement.next or statement.fast or statement.slow):
        return
    for i in c.states:
        now, star, row = c.field(i), c.field(i, "s"), _row(c, (1, ("F", i)))
        origin = c.x(i, "s") if c.is_discrete else None
        rule = f"RF{i + 1}{c.mark}"
        head = f" + << {origin}, w >>" if origin else ""
        unfold = f"unfold F{i + 1}{c.mark}. rewrite !sealed_is. spread.{_bend(c)} field."
        script.readings.append(
            f"assert ({rule} : forall w, << {now}, w >> = {_form(row, star=origin)}).\n"
            f"{{ intro w. transitivity (<< {now}, w >> - << {star}, w >>{head}).\n"
            f"  rewrite rest_{i + 1}{c.mark}. ring. {unfold} }}"
        )
        if c.is_discrete:
            text, how = difference(now, c.x(i, "s")), f"rewrite ip_add, ip_scale, {rule}. field."
            _declare(script, text, row, c, how)
        else:
            _declare(script, now, row, c, f"rewrite {rule}. field.")


def _declare(script: _Script, text: str, row: Terms, c: Component, proof: str) -> None:
    """Prove that a vector is a linear form in the base of its part."""
    if text in script.known:
        return
    name = script.known[text] = f"D{len(script.known)}{c.mark}"
    script.readings.append(
        f"assert ({name} : reads base{c.mark} ({text}) {_list(script, c, row)}).\n"
        f"{{ intro w. unfold base{c.mark}. cbn [dot]. {proof} }}"
    )


def _list(script: _Script, c: Component, row: Terms) -> str:
    """Coefficients of a row over the base and, in an interval, over its images."""
    texts = [text for _, text in script.bases[c.mark]]
    wanted = [*texts, *(f"{c.map} ({t})" if not t.isidentifier() else f"{c.map} {t}" for t in texts if c.ends)]
    known = dict((v, k) for k, v in row)
    return "(" + " :: ".join([*(known.pop(v, "0") for v in wanted), "nil"]) + ")"


def _times(scene: Scene, statement: Statement, j: int) -> list[str]:
    """When the input of an oracle is read: now, and at the next step."""
    both = statement.next and any(j in c.moving for c in scene.components)
    return ["", "n"] if both else [""]


def _read_inputs(script: _Script, scene: Scene, statement: Statement, j: int) -> None:
    first = scene.owner(j)
    for c in scene.with_signals(j):
        own, origin = f"y_{c.names[j]}{c.mark}", c.y(first, "s")
        fields = "".join(f", ?RF{i + 1}{c.mark}" for i in c.states)
        for time in _times(scene, statement, j):
            key: Key = ("y+" if time else "y", j)
            text, star, row = c.y(j, time), c.y(j, "s"), _row(c, (1, key))
            later = f"rewrite {fields[2:]}. spread." if time else ""
            same = f"rewrite same_{c.names[j]}{c.mark}. " if first != j else ""
            script.readings.append(
                f"assert (R{time}_{c.names[j]}{c.mark} : forall w, << {text}, w >> = {_form(row, star=origin)}).\n"
                f"{{ intro w. transitivity (<< {text}, w >> - << {star}, w >> + << {origin}, w >>). {same}ring.\n"
                f"  unfold {own}. rewrite !sealed_is. spread. {later}{_bend(c)} field. }}"
            )
        if statement.change and (("y'", j) in c.rows(c.plants[0])):
            text, row = c.y(j, "d"), _row(c, (1, ("y'", j)))
            proof = f"unfold {own}. rewrite !sealed_is. spread. rewrite {fields[2:]}. spread.{_bend(c)} field."
            _declare(script, text, row, c, proof)


# --- class inequalities ----------------------------------------------------------------------------------------------


def _list_uses(scene: Scene, statement: Statement) -> Iterator[tuple[Fraction, Use]]:
    values = scene.certificate.values
    for group in collect_groups(scene, statement):
        j0 = scene.owner(group.points[0][1].oracle)
        points = {n: scene.point(e.oracle, "n" if e.time == NEXT else "") for n, e in group.points if e.time != RATE}
        points[EQUILIBRIUM] = scene.star(j0)
        for name, inequality in group.uses:
            if values[name] and not inequality.name.startswith("slope"):
                owner = scene.names[j0]
                yield values[name], put_to_use(scene.beliefs[j0], inequality.name, points, points[EQUILIBRIUM], owner)


def _list_slopes(scene: Scene, statement: Statement) -> Iterator[tuple[Fraction, str]]:
    """What is known of derivatives, which is a premise."""
    for group in collect_groups(scene, statement):
        for name, inequality in group.uses:
            if scene.certificate.values[name] and inequality.name.startswith("slope"):
                moving = [e.oracle for _, e in group.points if e.time == RATE]
                if len(moving) != 1 or len(scene.components) != 1:
                    raise InvalidModelError("export_coq knows derivatives of outputs for oracles without a group only")
                yield scene.certificate.values[name], f"Hd_{scene.names[moving[0]]}"


def _read_slope(script: _Script, scene: Scene, c: Component, j: int) -> tuple[str, str]:
    """The two vectors of the premise about the derivatives of an oracle."""
    found = slope_vectors(scene, c, j)
    low, high = read_slopes(scene.certificate.system.oracles[j]) or (Fraction(0), None)
    rows = c.rows(c.plants[0])
    y, u = rows["y'", j], rows["u'", j]
    left = tuple(b - low * a for a, b in zip(y, u, strict=True))
    right = y if high is None else tuple(high * a - b for a, b in zip(y, u, strict=True))
    base = [text for _, text in c.base()]
    split = "repeat rewrite ?(ip_add _ _ _ w), ?(ip_scale _ _ _ w)."
    for text, row in zip(found, (left, right), strict=True):
        rule = f"rewrite ?{script.known[c.y(j, 'd')]}. unfold base{c.mark}. cbn [dot]."
        _declare(script, text, c.spell([row], base), c, f"{split} {rule} {split} field.")
    return found


def _split(scene: Scene, use: Use, c: Component) -> Iterator[tuple[tuple[int, str], tuple[int, str]]]:
    """The pairs of points of a use, as oracles and times, where a part has signals of them."""
    found: dict[str, tuple[int, str]] = {}
    for j in range(len(scene.names)):
        found[scene.star(j).premise] = (scene.owner(j), "s")
        for time in ("", "n"):
            found[scene.point(j, time).premise] = (j, time)
    for a, b in use.differences:
        first, second = found[a.premise], found[b.premise]
        if first[0] in c.active and second[0] in c.active:
            yield first, second


def _read_difference(
    script: _Script, scene: Scene, c: Component, a: tuple[int, str], b: tuple[int, str]
) -> tuple[str, str]:
    """The difference of inputs, and of outputs, of two points."""
    found: list[str] = []
    keys = {"": ("y", "u"), "n": ("y+", "u+")}
    for k, kind in enumerate("yu"):
        signs: list[tuple[int, Key]] = []
        for sign, (j, time) in ((1, a), (-1, b)):
            signs += [] if time == "s" else [(sign, (keys[time][k], j))]
        read = c.y if kind == "y" else c.u
        text = difference(read(*_at(scene, kind, a)), read(*_at(scene, kind, b)))
        row = _row(c, *signs) if signs else []
        rules = ", ".join(f"?R{t}_{c.names[j]}{c.mark}" for j, t in dict.fromkeys((a, b)) if t != "s")
        proof = f"spread. {f'rewrite {rules}. spread. ' if kind == 'y' and rules else ''}{_bend(c)} field."
        _declare(script, text, row, c, proof)
        found.append(text)
    return found[0], found[1]


def _at(scene: Scene, kind: str, point: tuple[int, str]) -> tuple[int, str]:
    j, time = point
    return (scene.owner(j), time) if time == "s" else (j, time)


# --- the script ------------------------------------------------------------------------------------------------------


def _write(script: _Script, scene: Scene, statement: Statement) -> Iterator[str]:
    weights = list(script.weights)
    hull = scene.components[0] if scene.components[0].kind == "hull" else None
    squares = [(c, s) for c in scene.components for s in measure_slack(scene, statement, c)]
    for text, weight in _list_poles(script, scene, statement):
        weights.append((f"M{len(weights)}", "", weight))
        script.facts.append(f"assert ({weights[-1][0]} := ip_pos _ ({text})).")
        script.pairs[weights[-1][0]] = [(text, text)]
    yield from script.readings
    yield from script.facts
    for fact, pairs in script.pairs.items():
        if len(scene.components) > 1 and fact.startswith("H") and not fact.startswith("Hd_"):
            yield f"rewrite ?sub_pair, ?ip_pair in {fact}."
        if fact.startswith("H"):
            yield f"rewrite ?height_rest in {fact}."
        rules = [f"?(product_of _ _ _ _ _ _ {script.known[a]} {script.known[b]})" for a, b in dict.fromkeys(pairs)]
        yield f"rewrite {', '.join(rules)} in {fact}."
    for k, (c, square) in enumerate(squares, start=1):
        yield from _write_square(script, k, c, square)
        weights.append((f"S{k}", _weigh(square) if c.kind == "hull" else "", _scale(c, square)))
    yield "apply monus."
    yield f"unfold {_unfolded(scene, statement)}."
    own = [pair for c in scene.components for pair in list_products(scene, statement, c)]
    rules = [f"?(product_of _ _ _ _ _ _ {script.known[a]} {script.known[b]})" for a, b in dict.fromkeys(own)]
    yield f"rewrite {', '.join(rules)}."
    common = lcm(*(w.denominator for _, _, w in weights), 1)
    last = ""
    for k, (fact, extra, weight) in enumerate(weights, start=1):
        n = number(weight * common)
        why = _nonnegative(extra) if extra else "lra"
        term = f"(weigh ({f'{extra} * ' if extra else ''}{n}) _ ltac:({why}) {fact})"
        yield f"assert (A{k} := {f'Rplus_le_le_0_compat _ _ {last} {term}' if last else term}). clear {last} {fact}."
        last = f"A{k}"
    yield f"refine (conclude {number(Fraction(common))} _ _ ltac:(lra) {last or '(Rle_refl 0)'} _)."
    if hull is not None:
        yield "rewrite ?w_last."
    for c in scene.components:
        yield from _write_gram(script, c)
    yield "cbn [form along]. clear. field."


def _nonnegative(extra: str) -> str:
    bounds = [f"exact {name}_nonneg" for name in dict.fromkeys(extra.split(" * "))]
    return "repeat apply Rmult_le_pos; first [" + " | ".join([*bounds, "lra"]) + "]"


def _scale(c: Component, square: Square) -> Fraction:
    if c.ends is None:
        return square.weight
    return square.weight / (c.ends[1] - c.ends[0]) ** len(square.places)


def _weigh(square: Square) -> str:
    return " * ".join(f"w{k + 1}" for k in square.places)


def _write_square(script: _Script, k: int, c: Component, square: Square) -> Iterator[str]:
    """The fact that a square is not negative, in inner products of the base."""
    base = [text for _, text in script.bases[c.mark]]
    terms = [(number(v), d) for v, d in zip(square.form, base, strict=False) if v]
    text = combine([(v, d if d.isidentifier() else f"({d})") for v, d in terms], instead=f"({base[0]})")
    unfold = f"intro w. unfold base{c.mark}. cbn [dot]."
    yield f"pose (l{k} := {text})."
    yield f"assert (L{k} : reads base{c.mark} l{k} {_list(script, c, terms)})."
    yield f"{{ {unfold} unfold l{k}. repeat rewrite ?(ip_add _ _ _ w), ?(ip_scale _ _ _ w). ring. }}"
    if c.ends is None:
        yield f"assert (S{k} := ip_pos _ l{k}). rewrite (product_of _ _ _ _ _ _ L{k} L{k}) in S{k}."
        return
    spectrum, T = f"spectrum{c.mark}", c.map
    low, high = map(number, c.ends)
    proofs = {
        (0,): f"from_below _ _ (proj2 (proj2 {spectrum} l{k}))",
        (1,): f"from_below _ _ (proj1 (proj2 {spectrum} l{k}))",
        (0, 1): f"between_product _ _ {low} {high} {spectrum} ltac:(lra) l{k}",
    }
    images = [(v, f"{T} ({d})" if not d.isidentifier() else f"{T} {d}") for v, d in terms]
    yield f"assert (N{k} : reads base{c.mark} ({T} l{k}) {_list(script, c, images)})."
    yield f"{{ {unfold} rewrite !(proj1 {spectrum}). unfold l{k}. spread. ring. }}"
    yield f"assert (S{k} := {proofs[square.places]})."
    rules = [(f"N{k}", f"N{k}"), (f"N{k}", f"L{k}"), (f"L{k}", f"L{k}")]
    yield f"rewrite {', '.join(f'?(product_of _ _ _ _ _ _ {a} {b})' for a, b in rules)} in S{k}."


def _write_gram(script: _Script, c: Component) -> Iterator[str]:
    """The table of inner products of a base, each in one order only."""
    texts = [text for _, text in script.bases[c.mark]]
    flips = [f"?(ip_sym _ ({b}) ({a}))" for a, b in combinations(texts, 2)]
    if c.ends is not None:
        images = [f"{c.map} ({text})" for text in texts]
        yield f"assert (swap{c.mark} : forall a b, << {c.map} a, b >> = << {c.map} b, a >>)."
        yield f"{{ intros a b. rewrite (proj1 spectrum{c.mark}), ip_sym. reflexivity. }}"
        flips += [f"?(ip_sym _ ({a}) ({b}))" for a in texts for b in images]
        flips += [f"?(swap{c.mark} ({b}) ({a}))" for a, b in combinations(texts, 2)]
        flips += [f"?(ip_sym _ ({b}) ({a}))" for a, b in combinations(images, 2)]
    count = len(texts) * (2 if c.ends else 1)
    same = len(texts) if c.ends else count + 1  # products <T a, b> have one name for both orders
    names = {(i, k): f"g{min(i, k)}_{max(i, k)}{c.mark}" for i in range(count) for k in range(count)}
    for i in range(same, count):
        for k in range(len(texts)):
            a, b = sorted((i - len(texts), k))
            names[i, k] = names[k, i] = f"g{a}_{b + len(texts)}{c.mark}"
    rows = " :: ".join("(" + " :: ".join([*(names[i, k] for k in range(count)), "nil"]) + ")" for i in range(count))
    chosen = list(dict.fromkeys(names.values()))
    yield f"assert (table{c.mark} : exists {' '.join(chosen)}, gram base{c.mark} = {rows} :: nil)."
    yield f"{{ unfold gram, base{c.mark}. cbn [map]."
    yield f"  {f'rewrite {chr(44).join(flips)}. ' if flips else ''}repeat eexists. }}"
    yield f"destruct table{c.mark} as ({' & '.join([*chosen, 'table'])}). rewrite table. clear table."


def _unfolded(scene: Scene, statement: Statement) -> str:
    names = ["V"] if statement.now or statement.next else []
    names += ["V_dot"] if statement.change else []
    names += ["norm"] if statement.above else []
    names += ["norm_low"] if statement.below else []
    names += ["speed"] if statement.fast else []
    names += ["speed_low"] if statement.slow else []
    return ", ".join(names)


def list_products(scene: Scene, statement: Statement, c: Component) -> Iterator[tuple[str, str]]:
    """Pairs of vectors whose inner products occur in the definitions of a statement."""
    states = [difference(c.x(i), c.x(i, "s")) for i in c.states]
    here = states + [difference(c.u(j), c.u(j, "s")) for j in c.moving]
    fields = [c.field(i) for i in c.states]
    if statement.now or statement.above or statement.below:
        yield from ((a, b) for a in here for b in here)
    if statement.next:
        later = [difference(c.field(i), c.x(i, "s")) for i in c.states]
        later += [difference(c.u(j, "n"), c.u(j, "s")) for j in c.moving]
        yield from ((a, b) for a in later for b in later)
    if statement.change:
        yield from ((a, b) for a in here for b in fields + [c.u(j, "d") for j in c.moving])
        for j in scene.valued:
            if j in c.active and scene.weight(j):
                yield difference(c.u(j), c.u(j, "s")), c.y(j, "d")
    if statement.fast or statement.slow:
        yield from ((a, b) for a in fields for b in fields)


def _list_poles(script: _Script, scene: Scene, statement: Statement) -> Iterator[tuple[str, Fraction]]:
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
                _declare(script, text, terms, c, "repeat rewrite ?(ip_add _ _ _ w), ?(ip_scale _ _ _ w). field.")
                yield text, -statement.slow * c.norm_below[i][i]
