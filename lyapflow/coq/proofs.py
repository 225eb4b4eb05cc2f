"""The proof of one inequality: an identity between the claim, class inequalities and squares, checked by `field`.

Every vector is rewritten as a linear form in the deviations from the equilibrium; then all inner products are those of
these deviations, and the claim is, up to a positive factor, minus a sum of facts with nonnegative weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import lcm

from ..classes.inequalities import EQUILIBRIUM
from ..errors import InvalidModelError
from ..exact.matrices import Vector
from ..lmi.signals import NEXT, RATE
from .components import Component, Key
from .hypotheses import Point, Use, put_to_use
from .scenes import Scene, Square, collect_groups, measure_slack
from .statements import Statement
from .terms import Terms, combine, difference, number

__all__ = ["prove"]


@dataclass(slots=True)
class _Script:
    """Lines of a proof, and what they have introduced."""

    readings: list[str] = field(default_factory=list)
    """Assertions on vectors as linear forms, while all vectors are spelled out."""
    facts: list[str] = field(default_factory=list)
    sets: list[tuple[str, str]] = field(default_factory=list)
    """Names for vectors, longest text first in the end."""
    rules: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    weights: list[tuple[str, str, Fraction]] = field(default_factory=list)
    """Fact, what multiplies it beside a number and why that is not negative, number."""
    parts: list[str] = field(default_factory=list)


def prove(scene: Scene, statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The script that proves a statement, and the parts of ``prelude.v`` that it needs.

    Raises
    ------
    InvalidModelError
        If the certificate does not prove it, or uses what cannot be exported.
    """
    script = _Script()
    for component in scene.components:
        _read_base(script, statement, component)
    for component in scene.components:
        _read_field(script, scene, statement, component)
    for j in range(len(scene.names)):
        _read_inputs(script, scene, statement, j)
    uses = [*_list_uses(scene, statement)]
    for k, (weight, use) in enumerate(uses, start=1):
        for c, (a, b) in [(c, pair) for c in scene.components for pair in _split(scene, use, c)]:
            _read_difference(script, scene, c, a, b)
        script.facts.append(f"assert (H{k} := {use.term}).")
        script.weights.append((f"H{k}", "", weight / use.scale))
        script.parts += use.parts
    for weight, name in _list_slopes(scene, statement):
        script.weights.append((name, "", weight))
    return "\n".join(_write(script, scene, statement)), tuple(script.parts)


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


def _name(script: _Script, text: str, name: str) -> bool:
    if text in script.known:
        return False
    script.known[text] = name
    script.sets.append((name, text))
    return True


def _read_base(script: _Script, statement: Statement, component: Component) -> None:
    for d, text in _list_base(statement, component):
        _name(script, text, d)


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
            _declare(script, difference(now, c.x(i, "s")), f"G{i + 1}{c.mark}", row, c, f"spread. rewrite {rule}. spread. field.")
        else:
            _declare(script, now, f"G{i + 1}{c.mark}", row, c, f"rewrite {rule}. reflexivity.")


def _declare(script: _Script, text: str, name: str, row: Terms, c: Component, proof: str) -> None:
    """Give a vector a name, and prove that it is a linear form."""
    if not _name(script, text, name):
        return
    script.readings.append(f"assert (D{name} : forall w, << {text}, w >> = {_form(row)}).\n{{ intro w. {proof} }}")
    backwards = " + ".join(f"{k} * << w, {v} >>" for k, v in row) or "0"
    flips = "".join(f", ?(ip_sym _ w {v if v.isidentifier() else f'({v})'})" for _, v in row)
    script.readings.append(
        f"assert (B{name} : forall w, << w, {text} >> = {backwards}).\n"
        f"{{ intro w. rewrite (ip_sym _ w ({text})), D{name}{flips}. reflexivity. }}"
    )
    script.rules += [f"D{name}", f"B{name}"]


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
            same = f"rewrite same_{c.names[j]}{c.mark}. " if first != j else ""
            script.readings.append(
                f"assert (R{time}_{c.names[j]}{c.mark} : forall w, << {text}, w >> = {_form(row, star=origin)}).\n"
                f"{{ intro w. transitivity (<< {text}, w >> - << {star}, w >> + << {origin}, w >>). {same}ring.\n"
                f"  unfold {own}. rewrite !sealed_is. spread. {f'rewrite {fields[2:]}. spread.' if time else ''}{_bend(c)} field. }}"
            )
        if statement.change and (("y'", j) in c.rows(c.plants[0])):
            text, row = c.y(j, "d"), _row(c, (1, ("y'", j)))
            proof = f"unfold {own}. rewrite !sealed_is. spread. rewrite {fields[2:]}. spread.{_bend(c)} field."
            _declare(script, text, f"Z_{c.names[j]}{c.mark}", row, c, proof)


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


def _read_difference(script: _Script, scene: Scene, c: Component, a: tuple[int, str], b: tuple[int, str]) -> None:
    """The difference of inputs, and of outputs, of two points."""
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
        _declare(script, text, f"{kind.upper()}{len(script.sets)}{c.mark}", row, c, proof)


def _at(scene: Scene, kind: str, point: tuple[int, str]) -> tuple[int, str]:
    j, time = point
    return (scene.owner(j), time) if time == "s" else (j, time)


# --- the script ------------------------------------------------------------------------------------------------------


def _write(script: _Script, scene: Scene, statement: Statement) -> Iterator[str]:
    yield from script.readings
    yield from script.facts
    several = len(scene.components) > 1
    if several and script.facts:
        yield f"rewrite ?sub_pair, ?ip_pair in {', '.join(f.split()[1][1:] for f in script.facts)}."
    yield f"unfold {_unfolded(scene, statement)}."
    readings = [line.split(" ")[1][1:] for line in script.readings if line.startswith("assert (R")]
    if readings:
        yield f"clear {' '.join(readings)}."
    for k, text in enumerate(_list_heights(scene, statement)):
        yield f"set (h{k + 1} := {text}) in *. clearbody h{k + 1}."
    ordered = sorted(script.sets, key=lambda pair: -len(pair[1]))
    for name, text in ordered:
        yield f"set ({name} := {text}) in *."
    yield f"clearbody {' '.join(name for name, _ in ordered)}."
    squares = [(c, s) for c in scene.components for s in measure_slack(scene, statement, c)]
    weights, rules = list(script.weights), list(script.rules)
    for k, (c, square) in enumerate(squares, start=1):
        yield from _write_square(k, c, square)
        weights.append((f"S{k}", _weigh(square) if c.kind == "hull" else "", _scale(c, square)))
    for k, (c, text, weight) in enumerate(_list_poles(script, scene, statement), start=1):
        yield f"assert (M{k} := ip_pos _ ({text}))."
        yield f"revert M{k}. spread. intro M{k}."
        weights.append((f"M{k}", "", weight))
    common = lcm(*(w.denominator for _, _, w in weights), 1)
    yield "apply monus."
    yield from _normalise(scene, statement, [name for name, _, _ in weights], rules)
    last = ""
    for k, (fact, extra, weight) in enumerate(weights, start=1):
        n = number(weight * common)
        term = f"(weigh {n} _ ltac:(lra) {fact})" if not extra else (
            f"(weigh ({extra} * {n}) _ ltac:({_nonnegative(extra)}) {fact})"
        )  # fmt: skip
        yield f"assert (A{k} := {f'Rplus_le_le_0_compat _ _ {last} {term}' if last else term}). clear {last} {fact}."
        last = f"A{k}"
    if not last:
        last = "(Rle_refl 0)"
    yield f"refine (conclude {number(Fraction(common))} _ _ ltac:(lra) {last} _)."
    hull = scene.components[0] if scene.components[0].kind == "hull" else None
    if hull is not None:
        yield "rewrite w_last."
    yield f"clear. repeat match goal with |- context [@ip ?E ?a ?b] => generalize (@ip E a b); intro end."
    yield "intros. field."


def _nonnegative(extra: str) -> str:
    names = extra.split(" * ")
    bounds = [f"exact {name}_nonneg" for name in names]
    return "repeat apply Rmult_le_pos; first [" + " | ".join([*dict.fromkeys(bounds), "lra"]) + "]"


def _scale(c: Component, square: Square) -> Fraction:
    if c.ends is None:
        return square.weight
    return square.weight / (c.ends[1] - c.ends[0]) ** len(square.places)


def _weigh(square: Square) -> str:
    return " * ".join(f"w{k + 1}" for k in square.places)


def _write_square(k: int, c: Component, square: Square) -> Iterator[str]:
    """The fact that a square is not negative, in inner products of the base."""
    base = [f"d{i + 1}{c.mark}" for i in range(len(square.form))]
    terms = [(number(v), d) for v, d in zip(square.form, base, strict=True) if v]
    text = combine(terms, instead=base[0])
    if c.kind != "interval":
        yield f"assert (S{k} := ip_pos _ ({text}))."
        yield f"revert S{k}. spread. intro S{k}."
        return
    spectrum, T = f"spectrum{c.mark}", c.map
    (low, high) = map(number, c.ends or ())
    proofs = {
        (0,): f"from_below _ _ (proj2 (proj2 {spectrum} l))",
        (1,): f"from_below _ _ (proj1 (proj2 {spectrum} l))",
        (0, 1): f"between_product _ _ {low} {high} {spectrum} ltac:(lra) l",
    }
    left = " + ".join(f"{v} * << {T} {d}, w >>" for v, d in terms)
    right = " + ".join(f"{v} * << w, {T} {d} >>" for v, d in terms)
    flips = ", ".join(f"?(ip_sym _ w ({T} {d}))" for _, d in terms)
    yield f"set (l := {text})."
    yield f"assert (TL : forall w, << {T} l, w >> = {left})."
    yield f"{{ intro w. rewrite !(proj1 {spectrum}). unfold l. spread. ring. }}"
    yield f"assert (TR : forall w, << w, {T} l >> = {right})."
    yield f"{{ intro w. rewrite (ip_sym _ w ({T} l)), TL, {flips}. reflexivity. }}"
    yield f"assert (S{k} := {proofs[square.places]})."
    yield f"rewrite ?TL, ?TR in S{k}. clear TL TR. unfold l in S{k}. clear l. revert S{k}. spread. intro S{k}."


def _normalise(scene: Scene, statement: Statement, facts: list[str], rules: list[str]) -> Iterator[str]:
    """All facts and the claim in inner products of the base, each in one order only."""
    flips: list[str] = []
    for c in scene.components:
        base = [d for d, _ in _list_base(statement, c)]
        if c.kind == "interval":
            yield f"assert (swap{c.mark} : forall a b, << {c.map} a, b >> = << {c.map} b, a >>)."
            yield f"{{ intros a b. rewrite (proj1 spectrum{c.mark}), ip_sym. reflexivity. }}"
            flips += [f"?(ip_sym _ {a} ({c.map} {b}))" for a in base for b in base]
            flips += [f"?(swap{c.mark} {b} {a})" for a, b in combinations(base, 2)]
            flips += [f"?(ip_sym _ ({c.map} {b}) ({c.map} {a}))" for a, b in combinations(base, 2)]
        flips += [f"?(ip_sym _ {b} {a})" for a, b in combinations(base, 2)]
    steps = "".join(f", ?{rule}" for rule in rules)[2:]
    for fact in facts:
        if steps and not fact.startswith(("S", "M")):
            yield f"rewrite {steps} in {fact}."
        if not fact.startswith(("S", "M")):
            yield f"rewrite ?height_rest in {fact}."
        if flips:
            yield f"rewrite {', '.join(flips)} in {fact}."
    if steps:
        yield f"rewrite {steps}."
    if flips:
        yield f"rewrite {', '.join(flips)}."


def _unfolded(scene: Scene, statement: Statement) -> str:
    names = ["V"] if statement.now or statement.next else []
    names += ["V_dot"] if statement.change else []
    names += ["norm"] if statement.above else []
    names += ["norm_low"] if statement.below else []
    names += ["speed"] if statement.fast else []
    names += ["speed_low"] if statement.slow else []
    return ", ".join(names)


def _list_heights(scene: Scene, statement: Statement) -> list[str]:
    found = []
    for j, oracle in enumerate(scene.certificate.system.oracles):
        if oracle.has_values:
            found += [scene.height(j, time) for time in _times(scene, statement, j)]
    return found


def _list_poles(script: _Script, scene: Scene, statement: Statement) -> Iterator[tuple[Component, str, Fraction]]:
    """Squares of F - M, with M the right side at the first vertex."""
    for c in scene.components if statement.slow else ():
        if len(c.plants) == 1:
            continue
        for i in c.states:
            values = [c.rows(plant)["F", i] for plant in c.plants]
            bent = [tuple(v - w for v, w in zip(row, values[0], strict=True)) for row in values]
            terms = c.spell(bent, [f"d{k + 1}{c.mark}" for k in range(len(bent[0]))])
            yield c, combine(terms, instead=f"d1{c.mark}"), -statement.slow * c.norm_below[i][i]


