"""The definitions that a theorem speaks of: oracles, dynamics, equilibrium, V and its change along the dynamics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..exact.matrices import Matrix, Vector
from .components import Component
from .gaps import write_parameter
from .hypotheses import rests_at_zero
from .scenes import Scene
from .statements import Statement
from .terms import combine, comment, difference, inner, number, product_space, weighted_sum

__all__ = ["all_arguments", "bind", "output_text", "v_arguments", "write_section"]

_ONE = Fraction(1)


def write_section(scene: Scene, statements: Sequence[Statement]) -> Iterator[str]:
    """Variables, hypotheses and definitions, in the order in which one explains them."""
    yield "(** 1. The spaces: any real inner-product spaces. *)"
    yield f"Variables {' '.join(c.space for c in scene.components)} : space."
    yield from _write_maps(scene)
    if scene.family is not None:
        yield from write_parameter(scene, scene.family)
    yield "\n(** 2. The oracles: what is known of them. [out_f y u] says that u is an output of f at y. *)"
    yield from _write_oracles(scene)
    yield "\n(** 3. The dynamics. *)"
    for c in scene.components:
        yield from _write_dynamics(c, scene.inputs)
    yield from _write_outputs(scene)
    yield "\n(** 4. An equilibrium. *)"
    yield from _write_equilibrium(scene)
    yield "\n(** 5. The storage function, and what the theorems say of it. *)"
    yield from _write_storage(scene, statements)


def _write_maps(scene: Scene) -> Iterator[str]:
    for c in scene.components:
        if c.ends is not None:
            low, high = map(number, c.ends)
            if c.is_span:
                part = c.labels[0].removesuffix(" low")
                yield f"(* On part {part} the linear map of the problem is K = U {c.map}, with {c.map} = sqrt(K'K)"
                yield f"   and an isometry U (polar decomposition); {c.x(1)} is the dual state in coordinates of U. *)"
            else:
                yield f"(* Singular values (or their squares) of mode {c.labels[0]}: the spectrum of {c.map}. *)"
            yield f"Variable {c.map} : {c.space} -> {c.space}."
            yield f"Hypothesis spectrum{c.mark} : between {c.map} {low} {high}."
        if c.kind == "hull":
            weights = [f"w{k + 1}" for k in range(len(c.plants))]
            yield "(* The plant is a mean of the vertices with these weights. *)"
            yield f"Variables {' '.join(weights)} : R."
            yield from (f"Hypothesis {w}_nonneg : 0 <= {w}." for w in weights)
            yield f"Hypothesis w_last : {weights[-1]} = 1{''.join(f' - {w}' for w in weights[:-1])}."


def _write_oracles(scene: Scene) -> Iterator[str]:
    for j, oracle in enumerate(scene.certificate.system.oracles):
        if j < scene.inputs:
            yield f"(* u_{scene.names[j]} is an input: any vector. *)"
        if scene.owner(j) != j or j < scene.inputs:
            continue
        name, space = scene.names[j], product_space([c.space for c in scene.with_signals(j)])
        if oracle.has_values:
            yield f"Variable val_{name} : {space} -> R."
        yield f"Variable out_{name} : {space} -> {space} -> Prop."
        words = oracle.describe()
        if scene.family is not None:
            first = scene.family.system
            words = f"for s = {first.nodes[0]}: {first.systems[0].oracles[j].describe()}"
        yield f"(* {comment(words)} *)"
        yield from (f"Hypothesis {belief.name} : {belief.text}." for belief in scene.beliefs[j])


def _define(name: str, arguments: Sequence[str], space: str, body: str) -> str:
    binder = f"({' '.join(arguments)} : {space})"
    return f"Definition {name} {binder} : {space} :=\n  sealed ({body})."


def _write_dynamics(c: Component, inputs: int) -> Iterator[str]:
    if c.mark:
        yield f"(* Mode {c.labels[0].removesuffix(' low')}. *)"
    states = [c.x(i) for i in c.states]
    fields = list(_write_fields(c))
    if c.is_span:  # inputs hold the next primal state
        yield from fields
        for j in c.active:
            rows = [c.rows(plant)["y", j] for plant in c.plants]
            vectors = [*states, c.field(0), *(c.u(k) for k in c.active[1:])]
            yield _define(
                f"y_{c.names[j]}{c.mark}", c.arguments(), c.space, combine(c.spell(rows, vectors), instead="")
            )
        return
    for j in c.active[inputs:]:
        rows = [plant.C[j] + tuple(plant.D[j][k] for k in c.fed(j)) for plant in c.plants]
        arguments = c.arguments_of_y(j)
        body = combine(c.spell(rows, arguments), instead=states[0])
        yield _define(f"y_{c.names[j]}{c.mark}", arguments, c.space, body)
    yield from fields


def _write_fields(c: Component) -> Iterator[str]:
    """The right side."""
    for i in c.states:
        rows = [plant.A[i] + tuple(plant.B[i][k] for k in c.active) for plant in c.plants]
        body = combine(c.spell(rows, c.arguments()), instead=c.x(0))
        yield _define(f"F{i + 1}{c.mark}", c.arguments(), c.space, body)


def _write_outputs(scene: Scene) -> Iterator[str]:
    """What a driven system hands over."""
    for name, arguments, _, row in scene.outputs():
        c = scene.components[0]
        yield _define(name, arguments, c.space, combine(c.spell([row], arguments), instead=arguments[0]))


def _write_equilibrium(scene: Scene) -> Iterator[str]:
    groups = scene.certificate.system.groups
    for c in scene.components:
        names = [c.x(i, "s") for i in c.states]
        names += [c.u(j, "s") for j in c.active if scene.owner(j) == j]
        yield f"Variables {' '.join(names)} : {c.space}."
        for i in c.states:
            value = f"<< {c.x(i, 's')}, w >>" if c.is_discrete else "0"
            yield f"Hypothesis rest_{i + 1}{c.mark} : forall w, << {c.field(i, 's')}, w >> = {value}."
        for j in c.active:
            if scene.owner(j) != j:
                first = c.y(scene.owner(j), "s")
                yield f"Hypothesis same_{c.names[j]}{c.mark} : forall w, << {c.y(j, 's')}, w >> = << {first}, w >>."
    for j, oracle in enumerate(scene.certificate.system.oracles):
        if groups.index(groups[j]) != j or j < scene.inputs:
            continue
        star, name = scene.star(j), scene.names[j]
        yield f"Hypothesis rest_out_{name} : out_{name} {star.y} {star.u}."
        zero_y, zero_u = rests_at_zero(oracle)
        if zero_y:
            yield f"Hypothesis zero_y_{name} : forall w, << {star.y}, w >> = 0."
        if zero_u:
            yield f"Hypothesis zero_u_{name} : forall w, << {star.u}, w >> = 0."


# --- V ---------------------------------------------------------------------------------------------------------------


def v_arguments(scene: Scene, c: Component, time: str = "") -> list[str]:
    """What V depends on in a part: states, outputs in V, and outputs in the inputs whose values are in V."""
    outputs = {*c.moving, *(k for j in scene.valued if j in c.active for k in c.fed(j))}
    states = [f"({c.field(i)})" if time == "n" else c.x(i, time) for i in c.states]
    return states + [c.u(j, time) for j in c.active if j in outputs]


def _form(scene: Scene, c: Component) -> list[tuple[Fraction, str]]:
    here = [text for (kind, j), text in c.base() if kind == "x" or (kind == "u" and j in c.moving)]
    P = scene.storage(c)
    size = range(len(P))
    if c.is_span and c.ends:
        found, (low, high), far = [], c.ends, scene.storage(c, 1)
        for i, j in ((i, j) for i in size for j in size if i <= j):
            slope = (far[i][j] - P[i][j]) / (high - low)
            twice = 1 if i == j else 2
            found.append((twice * (P[i][j] - low * slope), inner(here[i], here[j])))
            found.append((twice * slope, inner(here[i], f"{c.map} ({here[j]})")))
        return found
    return [
        (P[i][j] if i == j else 2 * P[i][j], inner(here[i], here[j])) for i in size for j in size if i <= j and P[i][j]
    ]


def _write_storage(scene: Scene, statements: Sequence[Statement]) -> Iterator[str]:
    parts = [term for c in scene.components for term in _form(scene, c)]
    parts += [(scene.weight(j), f"({scene.height(j)})") for j in scene.valued if scene.weight(j)]
    yield _real("V", bind([(c, v_arguments(scene, c)) for c in scene.components]), parts)
    if any(s.change for s in statements):
        yield "(* Its derivative along the dynamics, by the chain rule. *)"
        parts = []
        for c in scene.components:
            P = scene.storage(c)
            here = [text for (kind, j), text in c.base() if kind == "x" or (kind == "u" and j in c.moving)]
            later = [c.field(i) for i in c.states] + [c.u(j, "d") for j in c.moving]
            size = range(len(P))
            parts += [(2 * P[i][j], inner(here[i], later[j])) for i in size for j in size if P[i][j]]
            for j in scene.valued:
                if j in c.active and scene.weight(j):
                    parts.append((scene.weight(j), inner(difference(c.u(j), c.u(j, "s")), c.y(j, "d"))))
        yield _real("V_dot", bind([(c, all_arguments(c)) for c in scene.components]), parts)
    yield from _write_supply(scene)
    for name, wanted in (("norm", "above"), ("norm_low", "below")):
        if any(getattr(s, wanted) for s in statements):
            parts = [t for c in scene.components for t in _norm(c, getattr(c, f"norm_{wanted}"), moving=False)]
            yield _real(name, bind([(c, [c.x(i) for i in c.states]) for c in scene.components]), parts)
    for name, wanted, norm in (("speed", "fast", "norm_above"), ("speed_low", "slow", "norm_below")):
        if any(getattr(s, wanted) for s in statements):
            parts = [t for c in scene.components for t in _norm(c, getattr(c, norm), moving=True)]
            yield _real(name, bind([(c, c.arguments()) for c in scene.components]), parts)


def _write_supply(scene: Scene) -> Iterator[str]:
    """Squared norms of input and output, as deviations from the equilibrium."""
    c = scene.components[0]
    moves = [difference(c.u(k), c.u(k, "s")) for k in range(scene.inputs)]
    if moves:
        binder = bind([(c, [c.u(k) for k in range(scene.inputs)])])
        yield _real("intake", binder, [(_ONE, inner(v, v)) for v in moves])
    found = [(now, output_text(o)) for o in scene.outputs() for now in [o[1]]]
    if found:
        yield _real("output", bind([(c, found[0][0])]), [(_ONE, inner(v, v)) for _, v in found])


def output_text(output: tuple[str, list[str], list[str], Vector]) -> str:
    """An output less its value at the equilibrium."""
    name, now, rest, _ = output
    return difference(" ".join([name, *now]), " ".join([name, *rest]))


def all_arguments(c: Component) -> list[str]:
    """All that moves in a part, derivatives of outputs included."""
    return c.arguments() + [c.u(j, "d") for j in c.moving]


def _norm(c: Component, norm: Matrix, *, moving: bool) -> list[tuple[Fraction, str]]:
    vectors = [c.field(i) if moving else difference(c.x(i), c.x(i, "s")) for i in c.states]
    size = range(len(norm))
    return [(norm[i][j], inner(vectors[i], vectors[j])) for i in size for j in size if norm[i][j]]


def bind(parts: Sequence[tuple[Component, Sequence[str]]]) -> str:
    """Vectors with their spaces, as a binder."""
    return " ".join(f"({' '.join(names)} : {c.space})" for c, names in parts if names)


def _real(name: str, binder: str, parts: Sequence[tuple[Fraction, str]]) -> str:
    return f"Definition {name} {binder} : R :=\n  {weighted_sum(parts)}."
