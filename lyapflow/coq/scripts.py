"""The script of one proof while it is written: what it has introduced, and its lemmas.

That vectors are linear forms, and that forms are sums of squares, are lemmas of their own: their contexts are small,
and the proof assistant is much faster there than inside the theorem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .components import Component
from .terms import Terms

__all__ = ["Script"]


@dataclass(slots=True)
class Script:
    """Lines of a proof, and what they have introduced."""

    name: str
    """Of the statement."""
    readings: dict[str, list[str]] = field(default_factory=dict)
    """By part: the proofs that vectors are linear forms."""
    claims: dict[str, dict[str, str]] = field(default_factory=dict)
    """By part: what they prove, by names."""
    facts: list[str] = field(default_factory=list)
    bases: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Deviations of each part that occur: names and texts."""
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Bases of all parts, images included."""
    known: dict[str, str] = field(default_factory=dict)
    """Vectors by their texts, with the names of what was proved of them."""
    weights: list[tuple[str, str, Fraction]] = field(default_factory=list)
    """Fact, what multiplies it beside a number and why that is not negative, number."""
    lemmas: list[str] = field(default_factory=list)
    """That forms are sums of squares."""
    pairs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Vectors whose inner products occur in a fact."""
    parts: list[str] = field(default_factory=list)

    def add_squares(self, label: object, rows: str) -> str:
        """State, as a lemma of its own, that a form with integer coefficients is not negative; its name."""
        name = f"{self.name}_slack{label}"
        self.lemmas.append(
            f"Definition {name} : list (list Z) :=\n  ({rows.replace('-', '- ')} :: nil)%Z.\n"
            f"Lemma {name}_squares : sum_of_squares {name} = true.\nProof. vm_cast_no_check (eq_refl true). Qed."
        )
        return name

    def open_base(self, mark: str) -> str:
        """Unfolds the base of a part."""
        return f"unfold base{mark}, {self.name}_base{mark}"

    def declare(self, text: str, row: Terms, c: Component, proof: str) -> None:
        """Prove that a vector is a linear form in the base of its part."""
        if text in self.known:
            return
        name = self.known[text] = f"D{len(self.known)}{c.mark}"
        claim = self.claims[c.mark][name] = f"reads base{c.mark} ({text}) {self._spell_list(c, row)}"
        self.readings[c.mark].append(
            f"assert ({name} : {claim}).\n{{ intro w. {self.open_base(c.mark)}. cbn [dot]. {proof} }}"
        )

    def _spell_list(self, c: Component, row: Terms) -> str:
        """Coefficients of a row over the base and, in an interval, over its images."""
        texts = [text for _, text in self.bases[c.mark]]
        wanted = [*texts, *(f"{c.map} ({t})" if not t.isidentifier() else f"{c.map} {t}" for t in texts if c.ends)]
        known = dict((v, k) for k, v in row)
        return "(" + " :: ".join([*(known.pop(v, "0") for v in wanted), "nil"]) + ")"

    def write_lemma(self, c: Component, vectors: Sequence[str]) -> str:
        """The base of a part, and the vectors that were declared as linear forms in it."""
        names = " ".join(vectors)
        binder = f" ({names} : {c.space})" if names else ""
        claims = "\n  /\\ ".join(self.claims[c.mark].values())
        title, base = f"{self.name}_reads{c.mark}", f"{self.name}_base{c.mark}"
        steps, whole = "\n".join(self.readings[c.mark]), f"let base{c.mark} := {base} {names} in"
        return (
            f"Definition {base}{binder} : list {c.space} :=\n  {' :: '.join(self.texts[c.mark])} :: nil.\n"
            f"Lemma {title} :{f' forall{binder},' if names else ''} {whole}\n  {claims}.\n"
            f"Proof.\nintros {names} base{c.mark}.\n{steps}\nexact {_join([*self.claims[c.mark]])}.\nQed."
        )

    def recall(self, c: Component, vectors: Sequence[str]) -> Iterator[str]:
        """What the lemma of a part says, by the names of its claims."""
        names, found = " ".join(vectors), [*self.claims[c.mark]]
        split = f" destruct known as ({' & '.join(found)})." if len(found) > 1 else ""
        yield f"assert ({'known' if split else found[0]} := {self.name}_reads{c.mark} {names}).{split}"
        yield f"set (base{c.mark} := {self.name}_base{c.mark} {names}) in *."


def _join(names: Sequence[str]) -> str:
    return f"(conj {names[0]} {_join(names[1:])})" if len(names) > 1 else names[0]
