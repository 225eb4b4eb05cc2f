"""The theorems' statements: vectors, premises about oracles and derivatives, and the inequality."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..classes.slopes import read_slopes
from .components import Component
from .scenes import Scene
from .sections import all_arguments, bind, v_arguments
from .statements import Statement
from .terms import difference, number

__all__ = ["list_moving", "slope_vectors", "write_theorem_head"]


def list_moving(statement: Statement, c: Component) -> list[str]:
    """The vectors of a part that a theorem speaks of: signals, outputs of the next step, derivatives of outputs."""
    later = [c.u(j, "n") for j in c.moving] if statement.next else []
    slopes = [c.u(j, "d") for j in c.moving] if statement.change else []
    return c.arguments() + later + slopes


def write_theorem_head(scene: Scene, statement: Statement) -> str:
    """Statement of a theorem, and the introduction of its premises."""
    parts = scene.components
    later = bool(statement.next) and any(c.moving for c in parts)
    slopes = bool(statement.change) and any(c.moving for c in parts)
    names = [n for c in parts for n in c.arguments()]
    binders = [bind([(c, c.arguments()) for c in parts])]
    premises = [_premise(scene, j, "") for j in range(scene.inputs, len(scene.names))]
    if later:
        names += [c.u(j, "n") for c in parts for j in c.moving]
        binders.append(bind([(c, [c.u(j, "n") for j in c.moving]) for c in parts]))
        premises += [_premise(scene, j, "n") for j in range(scene.inputs, len(scene.names))]
    if slopes:
        names += [c.u(j, "d") for c in parts for j in c.moving]
        binders.append(bind([(c, [c.u(j, "d") for j in c.moving]) for c in parts]))
        premises += [p for c in parts for j in c.moving for p in [_slope_premise(scene, c, j)]]
    conditions = "".join(f"\n  {text} ->" for _, text in premises)
    introduced = " ".join([*names, *(name for name, _ in premises)])
    claim = _write_claim(scene, statement)
    return (
        f"Theorem {statement.name} : forall {' '.join(binders)},{conditions}\n  {claim}.\nProof.\nintros {introduced}."
    )


def _premise(scene: Scene, j: int, time: str) -> tuple[str, str]:
    point = scene.point(j, time)
    return point.premise, f"out_{scene.names[scene.owner(j)]} {point.y} {point.u}"


def _slope_premise(scene: Scene, c: Component, j: int) -> tuple[str, str]:
    """Derivatives of input and output satisfy what increments satisfy."""
    left, right = slope_vectors(scene, c, j)
    return f"Hd_{c.names[j]}", f"0 <= << {left}, {right} >>"


def slope_vectors(scene: Scene, c: Component, j: int) -> tuple[str, str]:
    """The two vectors whose inner product is not negative."""
    low, high = read_slopes(scene.certificate.system.oracles[j]) or (Fraction(0), None)
    y, u = f"({c.y(j, 'd')})", c.u(j, "d")
    left = difference(u, f"{number(low)} [*] {y}") if low else u
    return left, c.y(j, "d") if high is None else difference(f"{number(high)} [*] {y}", u)


def _write_claim(scene: Scene, s: Statement) -> str:
    parts = scene.components

    def call(name: str, arguments: Sequence[Sequence[str]]) -> str:
        return " ".join([name, *(a for own in arguments for a in own)])

    here = call("V", [v_arguments(scene, c) for c in parts])
    supply, taken = _write_exchange(scene, s)
    if s.change:
        more = f" + {number(s.fast)} * {call('speed', [c.arguments() for c in parts])}" if s.fast else ""
        change = call("V_dot", [all_arguments(c) for c in parts])
        return f"{change} + {number(s.now)} * {here}{more}{taken} <= {supply or '0'}"
    if s.next:
        more = f" + {supply}" if supply else ""
        return f"{call('V', [v_arguments(scene, c, 'n') for c in parts])}{taken} <= {number(-s.now)} * {here}{more}"
    if s.slow:
        return f"{number(s.now)} * {here} <= {call('speed_low', [c.arguments() for c in parts])}"
    if s.fast:
        return f"{call('speed', [c.arguments() for c in parts])} <= {number(-s.now)} * {here}"
    states = [[c.x(i) for i in c.states] for c in parts]
    if s.above:
        return f"{call('norm', states)} <= {here}"
    return f"{here} <= {number(-s.below)} * {call('norm_low', states)}"


def _write_exchange(scene: Scene, s: Statement) -> tuple[str, str]:
    """What the input supplies, and what is added for the output."""
    c = scene.components[0]
    supply = f"{number(s.intake)} * intake {' '.join(c.u(k) for k in range(scene.inputs))}" if s.intake else ""
    own = scene.outputs()
    return supply, f" + {number(s.output)} * output {' '.join(own[0][1])}" if s.output and own else ""
