r"""A claim whose V varies with time, as theorems: one oracle, powers of t, and the chain rule written out.

With :math:`W = \lambda(f(y) - f^\star) + t^{-e}\,\zeta^\top P\zeta`, where the entries of :math:`\zeta` are deviations
times powers of t, :math:`V = t^p W`, so :math:`\dot V = t^p(\dot W + (p/t)\,W)`. The proof multiplies
:math:`t\dot W + pW \le 0` by :math:`t^e`: then all terms are polynomials in t.
"""

from __future__ import annotations

from .. import classes as known
from ..certificates.certificate import Certificate
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem
from ..errors import InvalidModelError
from ..lmi.logtime import take_logarithmic_time
from ..lmi.sublinear import has_outputs
from .components import safe_names
from .decays import prove_play
from .hypotheses import state_class
from .plays import Play, define_play

__all__ = ["write_sublinear"]


def write_sublinear(certificate: Certificate) -> tuple[list[str], str]:
    """The section about a `SublinearDecay`, and the parts of ``prelude.v`` that it needs.

    Raises
    ------
    InvalidModelError
        If the certificate proves nothing, or its class has no definition in ``prelude.v``.
    """
    core = certificate.core
    log, system = take_logarithmic_time(core.system), core.system
    if not isinstance(system, LureSystem):
        raise TypeError("internal error: only a Lur'e system has a logarithmic time")
    play = Play(
        system=system,
        log=log,
        order=certificate.order,
        weight=next(iter(certificate.value_weights.values())),
        P=certificate.P,
        values=dict(certificate.values),
        outputs=has_outputs(core.template),
        name=safe_names(system)[0],
    )
    parts, convex, hypothesis = _find_convexity(play)
    lines = [*define_play(play, hypothesis), *prove_play(play, convex)]
    return ["height", "subgradient", "convex", *parts], "\n".join(lines)


def _find_convexity(play: Play) -> tuple[list[str], str, list[str]]:
    """Parts of the prelude, the proof that f is convex, and the hypotheses about its class."""
    beliefs = state_class(play.system.oracles[0], play.name)
    for belief in beliefs:
        proof = _read_convexity(belief.oracle, f"{' '.join('_' * belief.holes)} {belief.name}")
        if proof:
            parts = [part for b in beliefs for part in b.parts]
            extra = ["curvature_below"] * ("curvature" in parts) + ["quadratic_below"] * ("quadratic" in parts)
            return parts + extra, proof, [f"Hypothesis {b.name} : {b.text}." for b in beliefs]
    raise InvalidModelError(f"export_coq knows no proof that members of {play.system.oracles[0]!r} are convex")


def _read_convexity(oracle: OperatorClass, hypothesis: str) -> str:
    if isinstance(oracle, known.SmoothConvex | known.SmoothStronglyConvex):
        return f"subgradient_convex _ _ _ _ (curvature_below {hypothesis}) ltac:(lra)"
    if isinstance(oracle, known.Convex | known.StronglyConvex):
        return f"subgradient_convex {hypothesis} ltac:(lra)"
    if isinstance(oracle, known.Quadratic):
        return f"subgradient_convex _ _ _ _ (quadratic_below {hypothesis}) ltac:(lra)"
    return ""
