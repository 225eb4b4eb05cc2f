"""Vectors as linear forms in the deviations from the equilibrium, and class inequalities as facts.

Every vector of a statement is proved to be such a form; then all inner products are those of these deviations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from ..classes.inequalities import EQUILIBRIUM
from ..classes.slopes import read_slopes
from ..errors import InvalidModelError
from ..lmi.signals import NEXT, RATE
from .components import Component, Key
from .heads import slope_vectors
from .hypotheses import Use, put_to_use
from .scenes import Scene, collect_groups
from .scripts import Script
from .sections import output_text
from .statements import Statement
from .terms import Terms, difference

__all__ = ["hold_still", "list_weights", "take_readings"]


def take_readings(scene: Scene, statement: Statement) -> Script:
    """What the proof of a statement knows before it adds anything up; of a scene that was held still."""
    script = Script(statement.name)
    for component in scene.components:
        _read_base(script, statement, component)
    for component in scene.components:
        _read_field(script, scene, statement, component)
    for j in sorted(_list_read(scene, statement)):
        _read_inputs(script, scene, statement, j)
    if statement.output:
        _read_outputs(script, scene)
    uses = [*_list_uses(scene, statement)]
    for k, (weight, use) in enumerate(uses, start=1):
        products = script.pairs[f"H{k}"] = []
        for c in scene.components:
            read = [_read_difference(script, scene, c, a, b) for a, b in _split(scene, use, c) if a != b]
            products += [(a, b) for one in read for a in one for b in one]
            products += [(w, y) for _, w in read[1:] for y, _ in read[:1]]
            products += [(u, y) for _, u in read for y, _ in read]
        term = use.term.replace("ltac:(lra)", "ltac:(order)") if scene.family else use.term
        script.facts.append(f"assert (H{k} := {term}).")
        script.weights.append((f"H{k}", "", weight / use.scale))
        script.parts += use.parts
    for weight, name in _list_slopes(scene, statement):
        script.weights.append((name, "", weight))
        j, c = scene.names.index(name.removeprefix("Hd_")), scene.components[0]
        script.pairs[name] = [_read_slope(script, scene, c, j)]
    return script


def _read_outputs(script: Script, scene: Scene) -> None:
    """What a driven system hands over."""
    c = scene.components[0]
    base = [text for (kind, j), text in c.base() if kind == "x" or (kind == "u" and j >= scene.inputs)]
    for output in scene.outputs():
        proof = f"spread. unfold {output[0]}. rewrite !sealed_is. spread. settle."
        script.declare(output_text(output), c.spell([output[3]], base), c, proof)


def _list_read(scene: Scene, statement: Statement) -> set[int]:
    """Oracles whose inputs are read."""
    found = {e.oracle for group in collect_groups(scene, statement) for _, e in group.points if group.uses}
    return found | {scene.owner(j) for j in found} | ({*scene.valued} if statement.change else set())


def hold_still(scene: Scene, statement: Statement) -> Scene:
    """The scene with one plant per part, where a statement does not see the dynamics."""
    if statement.change or statement.next or statement.fast or statement.slow or scene.family:
        return scene
    read = _list_read(scene, statement)

    def settle(c: Component) -> Component:
        seen = {tuple((plant.C[j], plant.D[j]) for j in read) for plant in c.plants}
        return c if len(seen) > 1 or c.is_span else replace(c, plants=c.plants[:1], kind="plain", ends=None)

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


def _read_base(script: Script, statement: Statement, c: Component) -> None:
    found = script.bases[c.mark] = _list_base(statement, c)
    texts = [text for _, text in found] + [f"{c.map} ({text})" for _, text in found if c.ends]
    script.texts[c.mark], script.readings[c.mark], script.claims[c.mark] = texts, [], {}
    for _, text in found:
        script.declare(text, [("1", text)], c, "ring.")


def _list_base(statement: Statement, component: Component) -> list[tuple[str, str]]:
    """Names and texts of the deviations that a statement speaks of."""
    moves = statement.change or statement.next
    return [
        (f"d{k}{component.mark}", text)
        for k, ((kind, _), text) in enumerate(component.base(), start=1)
        if moves or kind in {"x", "u", "F"}
    ]


def _bend(component: Component) -> str:
    """Moves the symmetric map to the right side of inner products."""
    return f" rewrite ?(proj1 spectrum{component.mark}). spread." if component.kind == "interval" else ""


def _read_field(script: Script, scene: Scene, statement: Statement, c: Component) -> None:
    if c.is_span:
        _read_images(script, c)
    if not (statement.change or statement.next or statement.fast or statement.slow):
        return
    for i in c.states:
        now, star, row = c.field(i), c.field(i, "s"), _row(c, (1, ("F", i)))
        origin = c.x(i, "s") if c.is_discrete else None
        rule = f"RF{i + 1}{c.mark}"
        head = f" + << {origin}, w >>" if origin else ""
        unfold = f"unfold F{i + 1}{c.mark}. rewrite !sealed_is. spread.{_bend(c)} settle."
        if c.is_span and i == 0:  # it is in the base
            script.readings[c.mark].append(
                f"assert ({rule} : forall w, << {now}, w >> = {_form(row, star=origin)}) by (intro w; spread; ring)."
            )
            continue
        script.readings[c.mark].append(
            f"assert ({rule} : forall w, << {now}, w >> = {_form(row, star=origin)}).\n"
            f"{{ intro w. transitivity (<< {now}, w >> - << {star}, w >>{head}).\n"
            f"  rewrite rest_{i + 1}{c.mark}. ring. {unfold} }}"
        )
        if c.is_discrete:
            text, how = difference(now, c.x(i, "s")), f"rewrite ip_add, ip_scale, {rule}. settle."
            script.declare(text, row, c, how)
        else:
            script.declare(now, row, c, f"rewrite {rule}. settle.")
    if c.is_span:
        _read_exchanged(script, c)


def _read_images(script: Script, c: Component) -> None:
    """Images of the states in V, which are images in the base."""
    for i in c.states:
        text = f"{c.map} ({difference(c.x(i), c.x(i, 's'))})"
        script.declare(text, [("1", text)], c, "ring.")


def _read_exchanged(script: Script, c: Component) -> None:
    """The first output, which the first next state stands for, and images of the next states."""
    j = c.active[0]
    proof = f"assert (e := rest_1{c.mark} w). revert e. unfold F1{c.mark}. rewrite !sealed_is. spread.{_bend(c)} lra."
    for sign, text in ((1, difference(c.u(j), c.u(j, "s"))), (-1, difference(c.u(j, "s"), c.u(j)))):
        script.declare(text, _row(c, (sign, ("u", j))), c, proof)
    for i in c.states:
        vector = difference(c.field(i), c.x(i, "s"))
        row = [(k, f"{c.map} ({v})") for k, v in _row(c, (1, ("F", i)))]
        proof = f"rewrite (proj1 spectrum{c.mark}). spread. rewrite RF{i + 1}{c.mark}. spread.{_bend(c)} settle."
        script.declare(f"{c.map} ({vector})", row, c, proof)


def _times(scene: Scene, statement: Statement, j: int) -> list[str]:
    """When the input of an oracle is read: now, and at the next step."""
    both = statement.next and any(j in c.moving for c in scene.components)
    return ["", "n"] if both else [""]


def _read_inputs(script: Script, scene: Scene, statement: Statement, j: int) -> None:
    first = scene.owner(j)
    for c in scene.with_signals(j):
        own, origin = f"y_{c.names[j]}{c.mark}", c.y(first, "s")
        fields = "".join(f", ?RF{i + 1}{c.mark}" for i in c.states)
        for time in _times(scene, statement, j):
            key: Key = ("y+" if time else "y", j)
            text, star, row = c.y(j, time), c.y(j, "s"), _row(c, (1, key))
            later = f"rewrite {fields[2:]}. spread." if time else ""
            same = f"rewrite same_{c.names[j]}{c.mark}. " if first != j else ""
            still = f"rewrite ?rest_1{c.mark}. " if c.is_span else ""
            script.readings[c.mark].append(
                f"assert (R{time}_{c.names[j]}{c.mark} : forall w, << {text}, w >> = {_form(row, star=origin)}).\n"
                f"{{ intro w. transitivity (<< {text}, w >> - << {star}, w >> + << {origin}, w >>). {same}ring.\n"
                f"  unfold {own}. rewrite !sealed_is. spread. {later}{_bend(c)} {still}settle. }}"
            )
        if statement.change and (("y'", j) in c.rows(c.plants[0])):
            text, row = c.y(j, "d"), _row(c, (1, ("y'", j)))
            proof = f"unfold {own}. rewrite !sealed_is. spread. rewrite {fields[2:]}. spread.{_bend(c)} settle."
            script.declare(text, row, c, proof)


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


def list_weights(scene: Scene, statement: Statement) -> list[Fraction]:
    """What the facts of a statement are multiplied by."""
    return [weight / use.scale for weight, use in _list_uses(scene, statement)]


def _list_slopes(scene: Scene, statement: Statement) -> Iterator[tuple[Fraction, str]]:
    """What is known of derivatives, which is a premise."""
    for group in collect_groups(scene, statement):
        for name, inequality in group.uses:
            if scene.certificate.values[name] and inequality.name.startswith("slope"):
                moving = [e.oracle for _, e in group.points if e.time == RATE]
                if len(moving) != 1 or len(scene.components) != 1:
                    raise InvalidModelError("export_coq knows no derivatives of groups: certify without outputs=True")
                yield scene.certificate.values[name], f"Hd_{scene.names[moving[0]]}"


def _read_slope(script: Script, scene: Scene, c: Component, j: int) -> tuple[str, str]:
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
        rule = f"rewrite ?{script.known[c.y(j, 'd')]}. {script.open_base(c.mark)}. cbn [dot]."
        script.declare(text, c.spell([row], base), c, f"{split} {rule} {split} settle.")
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
    script: Script, scene: Scene, c: Component, a: tuple[int, str], b: tuple[int, str]
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
        proof = f"spread. {f'rewrite {rules}. spread. ' if kind == 'y' and rules else ''}{_bend(c)} settle."
        script.declare(text, row, c, proof)
        found.append(text)
    return found[0], found[1]


def _at(scene: Scene, kind: str, point: tuple[int, str]) -> tuple[int, str]:
    j, time = point
    return (scene.owner(j), time) if time == "s" else (j, time)
