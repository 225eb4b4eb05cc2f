"""The lemma behind a certificate in a variable metric, in words and formulas."""

from __future__ import annotations

from collections.abc import Iterator

from ..certificates import Certificate
from ..lmi.metric import FORWARD_BACKWARD, reduce_splitting
from .formulas import Block, Display, Math, Paragraph
from .numbers import tex_number
from .symbols import Symbols

__all__ = ["explain_metric"]


def explain_metric(certificate: Certificate) -> Iterator[Block]:
    """The metric, the envelope, and what is known of it."""
    reduction = reduce_splitting(certificate.system)
    names = Symbols.of(certificate.system)
    f, g = names.functions
    J = Symbols.of(reduction.plant).functions[0]
    state = "x" if len(reduction.plant.A) == 1 else "x_{1}"
    is_forward = reduction.kind == FORWARD_BACKWARD
    metric = r"W = I-\gamma Q" if is_forward else r"W = 2(I+\gamma Q)^{-1}-I"
    point = state if is_forward else rf"\mathrm{{prox}}_{{\gamma {f}}}({state})"
    yield Paragraph(
        ("Let Q be the Hessian of ", Math(f), " and ", Math(rf"\gamma = {tex_number(reduction.step)}"), ". The sum ",
         Math(rf"{names.signal('u', 0)}+{names.signal('u', 1)}"), " is the gradient of the envelope")
    )  # fmt: skip
    model = rf"{f}(p)+\langle \nabla {f}(p),q-p\rangle+{g}(q)+\frac{{1}}{{2\gamma}}|q-p|^{{2}}"
    low, high = tex_number(reduction.least), tex_number(reduction.largest)
    yield Display((Math(rf"{J}({state}) = \min_{{q}}\,({model}),\qquad p = {point},"),))
    yield Paragraph(("in the inner product ", Math(r"\langle a,Wb\rangle"), " of"))
    yield Display((Math(rf"{metric},\qquad {low}\,I \leq W \leq {high}\,I."),))
    yield Paragraph(
        ("From here on all inner products and norms are those of W. In them the envelope is "
         f"{reduction.plant.oracles[0].describe()}; its minimum is that of ", Math(f"{f}+{g}"), ".")
    )  # fmt: skip
