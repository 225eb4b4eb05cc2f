"""Whether a claim can be made of a system at all, and with which form of V: said before anything is searched."""

from __future__ import annotations

from ..classes.slopes import is_smooth
from ..dynamics import LureSystem, ParametricSystem, System
from ..errors import InvalidModelError
from .claims import Claim, Contraction, ExponentialDecay, SublinearDecay
from .logtime import take_logarithmic_time
from .memory import check_memory
from .metric import reduce_splitting
from .signals import output_oracles
from .templates import QuadraticPlusValue, QuadraticStorage, Template, VariableMetric, ZamesFalb

__all__ = ["check_claim"]


def check_claim(system: System, claim: Claim, template: Template) -> None:
    """Whether a claim of this kind can be made of the system, and with this form of V.

    Raises
    ------
    InvalidModelError
        If not.
    """
    if isinstance(template, ZamesFalb):
        if not isinstance(claim, ExponentialDecay):
            raise InvalidModelError(f"ZamesFalb goes with ExponentialDecay, got {claim}. Use another form of V.")
        check_memory(system, template)
        return
    if isinstance(system, ParametricSystem):
        if isinstance(claim, SublinearDecay) or isinstance(template, VariableMetric):
            raise InvalidModelError(
                "a family over a parameter takes ExponentialDecay or Contraction, with QuadraticStorage() or "
                f"QuadraticPlusValue(), got {claim} and {template}"
            )
        check_claim(system.middle, claim, template)
        return
    if isinstance(template, VariableMetric):
        check_claim(reduce_splitting(system).plant, claim, template.form)
        return
    if isinstance(claim, SublinearDecay):
        _check_sublinear(system, template)
        return
    if isinstance(claim, ExponentialDecay) and system.dt != 0:
        raise InvalidModelError(
            f"ExponentialDecay speaks of continuous time (dt = 0), got dt = {system.dt}. Use Contraction."
        )
    if isinstance(claim, Contraction) and system.dt == 0:
        raise InvalidModelError("Contraction speaks of discrete time (dt > 0), got dt = 0. Use ExponentialDecay.")
    if isinstance(system, LureSystem) and system.is_time_varying:
        raise InvalidModelError(
            f"{type(claim).__name__} speaks of dynamics that do not vary with time (N = 0), got {system.name!r}. Use "
            "SublinearDecay."
        )
    if not isinstance(template, QuadraticStorage | QuadraticPlusValue):
        raise InvalidModelError(
            f"template must be QuadraticStorage(), QuadraticPlusValue(), VariableMetric() or ZamesFalb(), got "
            f"{template!r}"
        )
    if isinstance(template, QuadraticPlusValue) and template.outputs and not output_oracles(system, template):
        raise InvalidModelError(
            "outputs=True needs an oracle whose output has a derivative along the flow (a Lipschitz gradient, or a "
            f"prox step after such ones) in a LureSystem, got {system.name!r}. Leave it out, or give the classes an L."
        )
    if isinstance(template, QuadraticPlusValue) and template.outputs and system.dt > 0:
        raise InvalidModelError("outputs=True belongs to continuous time; in discrete time V holds the outputs anyway")
    # For polytopes the proof at the vertices rests on this: V = x'Px with P > 0 is convex along A x + B u. With next
    # values in V, or inequalities at the next step, that would be lost.
    if system.dt > 0 and not isinstance(system, LureSystem) and not isinstance(template, QuadraticStorage):
        raise InvalidModelError(
            f"template must be QuadraticStorage() for a {type(system).__name__} in discrete time, whose V is quadratic "
            f"in the state, got {template!r}"
        )


def _check_sublinear(system: System, template: Template) -> None:
    if system.dt != 0:
        raise InvalidModelError(f"SublinearDecay speaks of continuous time (dt = 0), got dt = {system.dt}")
    if not isinstance(template, QuadraticPlusValue) or template.definite:
        raise InvalidModelError(
            "template must be QuadraticPlusValue() or QuadraticPlusValue(outputs=True) for a SublinearDecay, which "
            f"speaks of the function value, got {template!r}"
        )
    take_logarithmic_time(system)  # says what is wrong
    if template.outputs and not is_smooth(system.oracles[0]):
        raise InvalidModelError(
            "outputs=True needs a function with a Lipschitz gradient, whose derivative along the flow exists, got "
            f"{system.oracles[0]!r}. Give the class an L; the claim does not depend on it."
        )
