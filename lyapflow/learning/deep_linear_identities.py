r"""Deep linear networks in adjacency form, as identities that hold for every width: proved in the free algebra.

The block-shift matrix A of the layers is a table of expressions, and is multiplied as one, so the field
:math:`\dot A = \sum_{j=1}^h (A^{h-j})^\top(E - A^h)(A^{j-1})^\top` is formed from its definition. The spaces ``d0``,
..., ``dh`` have any dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from ..errors import InvalidModelError
from ..exact.identities import Identity
from ..exact.words import Expression, Letter, Word, differentiate, letter, unit

__all__ = ["state_adjacency", "state_symmetry"]

Blocks: TypeAlias = dict[tuple[int, int], Expression]
"""A square table of blocks; those that are not there are zero."""


def state_adjacency(depth: int) -> tuple[Identity, ...]:
    """The adjacency form with its field, conservation laws and Lyapunov function, for networks of one depth.

    Parameters
    ----------
    depth : int
        Number of layers h >= 2.

    Raises
    ------
    InvalidModelError
        If it is not.

    Examples
    --------
    >>> for identity in state_adjacency(2):
    ...     identity.prove()
    >>> state_adjacency(2)[-1].name
    'decrease, depth 2'
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 2:
        raise InvalidModelError(f"depth must be an integer >= 2, got {depth!r}")
    layers, target = _name_layers(depth)
    flow = _flow(layers, target)
    A: Blocks = {(i, i + 1): layer for i, layer in enumerate(layers)}
    units: Blocks = {(i, i): unit(f"d{i}") for i in range(depth + 1)}
    powers = [units]
    for _ in range(depth + 1):
        powers.append(_times(powers[-1], A))
    rest = _plus({(0, depth): target}, powers[depth], -1)
    moved: Blocks = {}
    for j in range(1, depth + 1):
        moved = _plus(moved, _times(_times(_turn(powers[depth - j]), rest), _turn(powers[j - 1])))
    gap = _plus(_times(_turn(A), A), _times(A, _turn(A)), -1)
    return (
        *_state_structure(depth, powers[depth + 1], moved),
        *(
            Identity(
                name=f"field of W_{i + 1}, depth {depth}",
                statement=f"block ({i}, {i + 1}) of the adjacency field is the flow of W_{i + 1}",
                left=moved[i, i + 1],
                right=flow[_only(layers[i])],
            )
            for i in range(depth)
        ),
        *(
            Identity(
                name=f"balance {i}, depth {depth}",
                statement=f"the diagonal block {i} of A'A - AA' has derivative zero",
                left=differentiate(gap[i, i], flow),
                right=0 * gap[i, i],
            )
            for i in range(1, depth)
        ),
        _state_energy(depth, layers, target, flow),
        _state_decrease(depth, layers, target, flow),
    )


def state_symmetry(depth: int) -> tuple[Identity, ...]:
    """Invertible g_1, ..., g_{h-1} act by ``W_i -> g_{i-1} W_i g_i^{-1}`` and leave the product as it is.

    Gradient i becomes ``g_{i-1}^{-T} gradient_i g_i'``, so critical points go to critical points of the same loss.
    """
    _, target = _name_layers(depth)
    g = [unit("d0"), *(letter(f"G{i}", f"d{i}", f"d{i} ") for i in range(1, depth)), unit(f"d{depth}")]
    inverse = [unit("d0"), *(letter(f"H{i}", f"d{i} ", f"d{i}") for i in range(1, depth)), unit(f"d{depth}")]
    # W_i leads between the old spaces "d ", the new layers between "d"
    old = [letter(f"W{i + 1}", _old(i, depth), _old(i + 1, depth)) for i in range(depth)]
    rules: dict[Word, Expression] = {}
    for i in range(1, depth):
        ((a,),), ((b,),) = g[i].terms, inverse[i].terms
        rules |= {(b, a): unit(f"d{i} "), (a, b): unit(f"d{i}"), (a.T, b.T): unit(f"d{i} "), (b.T, a.T): unit(f"d{i}")}
    new = [g[i] * old[i] * inverse[i + 1] for i in range(depth)]
    said = ("G_i H_i = I and H_i G_i = I",)
    before, after = _descend(old, target), _descend(new, target)
    return (
        Identity(
            name=f"product, depth {depth}",
            statement="the product does not change",
            left=_chain(new, 0, depth),
            right=_chain(old, 0, depth),
            rules=rules,
            hypotheses=said,
        ),
        *(
            Identity(
                name=f"gradient {i + 1}, depth {depth}",
                statement=f"gradient {i + 1} becomes H_{i}' gradient_{i + 1} G_{i + 1}'",
                left=after[i],
                right=inverse[i].T * before[i] * g[i + 1].T,
                rules=rules,
                hypotheses=said,
            )
            for i in range(depth)
        ),
    )


def _state_structure(depth: int, top: Blocks, moved: Blocks) -> tuple[Identity, ...]:
    """A^{h+1} has no block, and the field none outside those of A; a block that should not be there is left over."""
    shift = {(i, i + 1) for i in range(depth)}
    strays = [*top.values(), *(block for place, block in moved.items() if place not in shift)]
    left = strays[0] if strays else 0 * unit("d0")
    return (
        Identity(
            name=f"nilpotent, depth {depth}",
            statement="A^(h+1) = 0, so the spectrum of A is {0}, and the field keeps the blocks of A",
            left=left,
            right=0 * left,
        ),
    )


def _state_energy(
    depth: int, layers: list[Expression], target: Expression, flow: Mapping[Letter, Expression]
) -> Identity:
    """Each layer contributes alike to the growth of the norm, read as traces in the space d0."""
    product = _chain(layers, 0, depth)
    growth = 0 * unit("d0")
    for layer in layers:
        growth = growth + _open(differentiate(layer * layer.T, flow), "d0")
    return Identity(
        name=f"energy, depth {depth}",
        statement="the derivative of |A|^2 is 2 h <A^h, E - A^h>",
        left=growth,
        right=(2 * depth) * (product * (target - product).T),
        is_trace=True,
    )


def _state_decrease(
    depth: int, layers: list[Expression], target: Expression, flow: Mapping[Letter, Expression]
) -> Identity:
    rest = target - _chain(layers, 0, depth)
    squares = 0 * unit("d0")
    for layer in layers:
        speed = flow[_only(layer)]
        squares = squares - _open(speed * speed.T, "d0")
    return Identity(
        name=f"decrease, depth {depth}",
        statement="the derivative of V = |E - A^h|^2 / 2 is -|W_1'|^2 - ... - |W_h'|^2, that is -|grad V|^2",
        left=Fraction(1, 2) * differentiate(rest * rest.T, flow),
        right=squares,
        is_trace=True,
    )


def _name_layers(depth: int) -> tuple[list[Expression], Expression]:
    return [letter(f"W{i + 1}", f"d{i}", f"d{i + 1}") for i in range(depth)], letter("S", "d0", f"d{depth}")


def _old(i: int, depth: int) -> str:
    return f"d{i}" if i in (0, depth) else f"d{i} "


def _only(layer: Expression) -> Letter:
    ((one,),) = layer.terms
    return one


def _flow(layers: list[Expression], target: Expression) -> dict[Letter, Expression]:
    speeds = _descend(layers, target)
    return {_only(w): v for w, v in zip(layers, speeds, strict=True)} | {_only(target): 0 * target}


def _descend(layers: list[Expression], target: Expression) -> list[Expression]:
    h = len(layers)
    rest = target - _chain(layers, 0, h)
    return [_chain(layers, 0, i).T * rest * _chain(layers, i + 1, h).T for i in range(h)]


def _chain(layers: list[Expression], start: int, stop: int) -> Expression:
    product = unit(layers[start].rows if start < len(layers) else layers[-1].columns)
    for layer in layers[start:stop]:
        product = product * layer
    return product


def _open(expression: Expression, space: str) -> Expression:
    """Another expression with the same trace: each word is turned until it begins in a space."""
    terms: dict[Word, Fraction] = {}
    for word, c in expression.terms.items():
        k = next(k for k, one in enumerate(word) if one.rows == space)
        turned = word[k:] + word[:k]
        terms[turned] = terms.get(turned, Fraction(0)) + c
    return Expression(space, space, {word: c for word, c in terms.items() if c})


def _times(a: Blocks, b: Blocks) -> Blocks:
    found: Blocks = {}
    for (i, k), left in a.items():
        for (m, j), right in b.items():
            if k == m:
                found = _plus(found, {(i, j): left * right})
    return found


def _plus(a: Blocks, b: Blocks, factor: int = 1) -> Blocks:
    found = dict(a)
    for place, block in b.items():
        found[place] = found[place] + factor * block if place in found else factor * block
    return {place: block for place, block in found.items() if not block.is_zero}


def _turn(a: Blocks) -> Blocks:
    return {(j, i): block.T for (i, j), block in a.items()}
