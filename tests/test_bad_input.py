"""Every wrong argument meets an error of the right type whose message names the parameter and what was given."""

import dataclasses
import math

import control
import numpy as np
import pytest

import lyapflow as lf
from lyapflow.errors import (
    CertificateFormatError,
    ClaimMismatchError,
    DimensionError,
    InvalidModelError,
    LyapflowError,
    NoCertificateError,
)

F = lf.SmoothStronglyConvex(1, 10)
G = lf.Convex()
DOMINATED = lf.GradientDominated(1, 10)


def lure(A=((0,),), B=((-1,),), C=((1,),), D=None, *, oracles=(F,), **options):
    return lf.LureSystem(A, B, C, D, oracles=oracles, **options)


def two(D, oracles=(F, F)):
    return lf.LureSystem([[-1]], [[-1, -1]], [[1], [1]], D, oracles=list(oracles))


@pytest.fixture(scope="module")
def proved():
    return lf.certify(lf.flows.gradient_flow(F))


# (call, type, what the message must hold)
MODELS = {
    "mu > L": (
        lambda: lf.SmoothStronglyConvex(2, 1),
        InvalidModelError,
        ["SmoothStronglyConvex", "mu <= L", "mu=2", "L=1"],
    ),
    "mu < 0": (lambda: lf.SmoothStronglyConvex(-1, 1), InvalidModelError, ["0 < mu", "mu=-1"]),
    "mu = 0": (lambda: lf.SmoothStronglyConvex(0, 1), InvalidModelError, ["0 < mu", "mu=0"]),
    "quadratic mu > L": (lambda: lf.Quadratic(2, 1), InvalidModelError, ["Quadratic", "mu=2", "L=1"]),
    "dominated mu > L": (lambda: lf.GradientDominated(2, 1), InvalidModelError, ["GradientDominated", "mu=2"]),
    "strongly convex": (lambda: lf.StronglyConvex(0), InvalidModelError, ["StronglyConvex", "mu > 0", "mu=0"]),
    "smooth": (lambda: lf.SmoothConvex("-1/2"), InvalidModelError, ["SmoothConvex", "L > 0", "L=-1/2"]),
    "Lipschitz": (lambda: lf.Lipschitz(0), InvalidModelError, ["Lipschitz", "L > 0"]),
    "cocoercive": (lambda: lf.Cocoercive(-1), InvalidModelError, ["Cocoercive", "beta > 0", "beta=-1"]),
    "strongly monotone": (lambda: lf.StronglyMonotone(0), InvalidModelError, ["StronglyMonotone", "mu > 0"]),
    "sector": (
        lambda: lf.SectorBounded(2, 1),
        InvalidModelError,
        ["SectorBounded", "lower < upper", "lower=2", "upper=1"],
    ),
    "slope": (lambda: lf.SlopeRestricted(1, 1), InvalidModelError, ["SlopeRestricted", "lower < upper", "lower=1"]),
    "mu NaN": (lambda: lf.StronglyConvex(math.nan), InvalidModelError, ["StronglyConvex: mu", "nan"]),
    "mu infinite": (lambda: lf.SmoothStronglyConvex(1, math.inf), InvalidModelError, ["L", "inf"]),
    "mu bool": (lambda: lf.StronglyConvex(True), InvalidModelError, ["mu", "True"]),
    "mu numpy bool": (lambda: lf.StronglyConvex(np.True_), InvalidModelError, ["mu", "True"]),
    "mu junk": (lambda: lf.StronglyConvex("one"), InvalidModelError, ["mu", "'one'"]),
    "mu None": (lambda: lf.StronglyConvex(None), InvalidModelError, ["mu", "None"]),
    "mu complex": (lambda: lf.StronglyConvex(1j), InvalidModelError, ["mu", "1j"]),
    "mu by zero": (lambda: lf.StronglyConvex("1/0"), InvalidModelError, ["mu", "1/0"]),
    "mu list": (lambda: lf.StronglyConvex([1]), InvalidModelError, ["mu", "[1]"]),
    "A not square": (lambda: lure(A=[[0, 1]]), DimensionError, ["A", "(1, 1)", "(1, 2)"]),
    "A empty": (lambda: lure(A=[]), DimensionError, ["A"]),
    "A flat": (lambda: lure(A=[0]), DimensionError, ["A", "0"]),
    "A ragged": (lambda: lure(A=[[0], [0, 1]]), DimensionError, ["A", "[1, 2]"]),
    "A three-dimensional": (lambda: lure(A=np.zeros((1, 1, 1))), InvalidModelError, ["A"]),
    "A with NaN": (lambda: lure(A=[[math.nan]]), InvalidModelError, ["A[0, 0]", "nan"]),
    "A with a bool": (lambda: lure(A=[[True]]), InvalidModelError, ["A[0, 0]", "True"]),
    "A junk": (lambda: lure(A="junk"), InvalidModelError, ["A", "'junk'"]),
    "A None": (lambda: lure(A=None), InvalidModelError, ["A", "None"]),
    "B rows": (lambda: lure(B=[[1], [2]]), DimensionError, ["B", "(1, 1)", "(2, 1)"]),
    "B columns": (lambda: lure(B=[[1, 2]]), DimensionError, ["B", "(1, 1)", "(1, 2)"]),
    "C columns": (lambda: lure(C=[[1, 2]]), DimensionError, ["C", "(1, 2)"]),
    "D shape": (lambda: lure(D=[[0, 0]]), DimensionError, ["D", "(1, 2)"]),
    "D above the diagonal": (lambda: two([[0, 1], [0, 0]]), InvalidModelError, ["D", "lower triangular", "D[0]"]),
    "D positive": (lambda: lure(D=[[1]]), InvalidModelError, ["D[0, 0]", "got 1"]),
    "prox step of a Lipschitz operator": (
        lambda: lure(D=[[-1]], oracles=[lf.Lipschitz(1)]),
        InvalidModelError,
        ["prox step", "D[0, 0] = -1", "monotone", "Lipschitz"],
    ),
    "prox step of a sector": (
        lambda: lure(D=[[-1]], oracles=[lf.SectorBounded(0, 1)]),
        InvalidModelError,
        ["prox step", "SectorBounded"],
    ),
    "prox step of a dominated function": (
        lambda: lure(D=[[-1]], oracles=[DOMINATED]),
        InvalidModelError,
        ["prox step", "GradientDominated"],
    ),
    "prox step of a falling slope": (
        lambda: lure(D=[[-1]], oracles=[lf.SlopeRestricted(-1, 1)]),
        InvalidModelError,
        ["prox step", "SlopeRestricted"],
    ),
    "explicit monotone operator": (
        lambda: lf.flows.gradient_flow(lf.Monotone()),
        InvalidModelError,
        ["oracle 0", "single valued", "Monotone", "prox step"],
    ),
    "no oracles": (lambda: lure(oracles=[]), InvalidModelError, ["oracles", "none"]),
    "one oracle without a list": (
        lambda: lure(oracles=F),
        InvalidModelError,
        ["oracles", "sequence", "SmoothStronglyConvex"],
    ),
    "oracles is a number": (lambda: lure(oracles=3), InvalidModelError, ["oracles", "3"]),
    "oracles is a set": (lambda: lure(oracles={F}), InvalidModelError, ["oracles", "sequence"]),
    "oracles is None": (lambda: lure(oracles=None), InvalidModelError, ["oracles", "None"]),
    "oracles is a text": (lambda: lure(oracles="f"), InvalidModelError, ["oracles[0]", "'f'"]),
    "a class and not an instance": (
        lambda: lure(oracles=[lf.SmoothStronglyConvex]),
        InvalidModelError,
        ["oracles[0]", "SmoothStronglyConvex(mu=1, L=10)"],
    ),
    "a flow of a class and not an instance": (
        lambda: lf.flows.gradient_flow(lf.Convex),
        InvalidModelError,
        ["operator class", "Convex"],
    ),
    "a callable as oracle": (lambda: lure(oracles=[math.sin]), InvalidModelError, ["oracles[0]", "sin"]),
    "dt negative": (lambda: lure(dt=-1), InvalidModelError, ["dt", "-1"]),
    "dt True": (lambda: lure(dt=True), InvalidModelError, ["dt", "True"]),
    "names": (lambda: lure(oracle_names=["f", "g"]), InvalidModelError, ["oracle_names", "'g'"]),
    "a name that is none": (
        lambda: lure(oracle_names=["not a name"]),
        InvalidModelError,
        ["oracle_names", "not a name"],
    ),
    "a name twice": (
        lambda: lf.LureSystem([[-1]], [[1, 1]], [[1], [1]], oracles=[F, F], oracle_names=["f", "f"]),
        InvalidModelError,
        ["oracle_names", "different"],
    ),
    "damping zero": (lambda: lf.flows.heavy_ball_flow(F, damping=0), InvalidModelError, ["damping", "got 0"]),
    "damping negative": (lambda: lf.flows.heavy_ball_flow(F, damping=-2), InvalidModelError, ["damping", "-2"]),
    "damping NaN": (lambda: lf.flows.heavy_ball_flow(F, damping=math.nan), InvalidModelError, ["damping", "nan"]),
    "damping junk": (
        lambda: lf.flows.heavy_ball_flow(F, damping="critical"),
        InvalidModelError,
        ["damping", "critical"],
    ),
    "step zero": (lambda: lf.flows.forward_backward_flow(F, lf.Convex(), step=0), InvalidModelError, ["step", "got 0"]),
    "step negative": (lambda: lf.flows.douglas_rachford_flow(F, F, step="-1/3"), InvalidModelError, ["step", "-1/3"]),
    "step of three operators": (lambda: lf.flows.davis_yin_flow(F, F, F, step=0), InvalidModelError, ["step", "got 0"]),
    "dominated f, forward-backward": (
        lambda: lf.flows.forward_backward_flow(DOMINATED, lf.Convex(), step=1),
        InvalidModelError,
        ["f must", "GradientDominated"],
    ),
    "dominated g, forward-backward": (
        lambda: lf.flows.forward_backward_flow(F, DOMINATED, step=1),
        InvalidModelError,
        ["g must", "GradientDominated"],
    ),
    "dominated h, Davis-Yin": (
        lambda: lf.flows.davis_yin_flow(F, F, DOMINATED, step=1),
        InvalidModelError,
        ["h must", "GradientDominated"],
    ),
    "sector, forward-backward": (
        lambda: lf.flows.forward_backward_flow(lf.SectorBounded(1, 2), lf.Convex(), step=1),
        InvalidModelError,
        ["f must", "SectorBounded"],
    ),
    "dominated f, primal-dual": (
        lambda: lf.flows.primal_dual_flow(DOMINATED, constraint=[[1]]),
        InvalidModelError,
        ["f must", "GradientDominated"],
    ),
    "an operator, primal-dual": (
        lambda: lf.flows.primal_dual_flow(lf.Lipschitz(1), constraint=[[1]]),
        InvalidModelError,
        ["functions", "Lipschitz"],
    ),
    "a class and not an instance, primal-dual": (
        lambda: lf.flows.primal_dual_flow(lf.Convex, constraint=[[1]]),
        InvalidModelError,
        ["functions", "Convex"],
    ),
    "constraint zero": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[0]]),
        InvalidModelError,
        ["constraint", "must not be zero"],
    ),
    "no constraint": (
        lambda: lf.flows.primal_dual_flow(F),
        InvalidModelError,
        ["constraint matrix", "interval of its singular values"],
    ),
    "constraint and interval": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[1]], singular_values=(1, 2)),
        InvalidModelError,
        ["constraint matrix", "not both"],
    ),
    "singular values of a constraint from zero": (
        lambda: lf.flows.primal_dual_flow(F, singular_values=(0, 2)),
        InvalidModelError,
        ["low > 0", "falls to 0"],
    ),
    "singular values reversed": (
        lambda: lf.flows.primal_dual_flow(F, singular_values=(3, 2)),
        InvalidModelError,
        ["singular_values", "low <= high", "(3, 2)"],
    ),
    "saddle flow without an operator": (
        lambda: lf.flows.saddle_flow(F, F),
        InvalidModelError,
        ["operator", "interval of its singular values"],
    ),
    "saddle flow of an operator class": (
        lambda: lf.flows.saddle_flow(F, lf.Monotone(), singular_values=(0, 1)),
        InvalidModelError,
        ["class of functions for g", "Monotone"],
    ),
    "saddle flow with augmentation": (
        lambda: lf.SaddleSystem(F, F, augmentation=1, intervals=[[0, 1]]),
        InvalidModelError,
        ["augmentation", "where there is a g"],
    ),
    "saddle flow, overlapping intervals": (
        lambda: lf.SaddleSystem(F, F, intervals=[[0, 2], [1, 3]]),
        InvalidModelError,
        ["not overlap", "(1, 3)"],
    ),
    "constraint of a saddle system": (
        lambda: lf.SaddleSystem(F, None, operator=[[1]]),
        InvalidModelError,
        ["PrimalDualSystem(f, E)"],
    ),
    "proximal Lagrangian, operator and interval": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[[1]], singular_values=(1, 2)),
        InvalidModelError,
        ["not both"],
    ),
    "right side of other length": (
        lambda: lf.check_consistency(lf.flows.primal_dual_flow(F, constraint=[[1, 2]]), [1, 2]),
        DimensionError,
        ["one entry per row", "1, got 2"],
    ),
    "right side of an interval": (
        lambda: lf.check_consistency(lf.flows.primal_dual_flow(F, singular_values=(1, 2)), [1]),
        InvalidModelError,
        ["PrimalDualSystem", "SaddleSystem"],
    ),
    "known rates of another class": (
        lambda: lf.list_primal_dual_rates(lf.Convex(), singular_values=(1, 2)),
        InvalidModelError,
        ["SmoothStronglyConvex(mu, L)", "Convex"],
    ),
    "constraint empty": (lambda: lf.flows.primal_dual_flow(F, constraint=[]), DimensionError, ["constraint"]),
    "constraint NaN": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[math.nan]]),
        InvalidModelError,
        ["constraint[0, 0]", "nan"],
    ),
    "dual gain zero": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[1]], dual_gain=0),
        InvalidModelError,
        ["dual_gain", "got 0"],
    ),
    "dual gain negative": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[1]], dual_gain=-1),
        InvalidModelError,
        ["dual_gain", "-1"],
    ),
    "augmentation negative": (
        lambda: lf.flows.primal_dual_flow(F, constraint=[[1]], augmentation=-1),
        InvalidModelError,
        ["augmentation", "-1"],
    ),
    "enclosures that miss": (
        lambda: lf.PrimalDualSystem(F, [[1, 0], [0, 2]], enclosures=[[1, 2]]),
        InvalidModelError,
        ["enclosures", "2", "1"],
    ),
    "enclosures that overlap": (
        lambda: lf.PrimalDualSystem(F, [[1, 0], [0, 2]], enclosures=[[1, 4], [1, 4]]),
        InvalidModelError,
        ["enclosures", "disjoint"],
    ),
    "enclosures that reach zero": (
        lambda: lf.PrimalDualSystem(F, [[1]], enclosures=[[0, 4]]),
        InvalidModelError,
        ["enclosures", "positive"],
    ),
    "an operator for f, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(lf.Cocoercive(1), G, penalty=1),
        InvalidModelError,
        ["class of functions for f", "Cocoercive"],
    ),
    "an operator for g, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, lf.Monotone(), penalty=1, operator=[[1]]),
        InvalidModelError,
        ["class of functions for g", "Monotone"],
    ),
    "a class and not an instance, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, lf.Convex, penalty=1, operator=[[1]]),
        InvalidModelError,
        ["class of functions for g", "Convex"],
    ),
    "dominated f, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(DOMINATED, G, penalty=1, operator=[[1]]),
        InvalidModelError,
        ["f must", "GradientDominated"],
    ),
    "nonconvex g, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, lf.SlopeRestricted(-1, 1), penalty=1),
        InvalidModelError,
        ["prox step", "monotone", "SlopeRestricted"],
    ),
    "penalty zero": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=0),
        InvalidModelError,
        ["penalty", "> 0", "got 0"],
    ),
    "penalty negative, with an operator": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=-1, operator=[[1]]),
        InvalidModelError,
        ["penalty", "> 0", "-1"],
    ),
    "operator with dependent rows": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[[1, 2], [2, 4]]),
        InvalidModelError,
        ["operator", "full row rank", "rank 1", "2 rows", "Remove"],
    ),
    "operator with more rows than columns": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[[1], [2]]),
        InvalidModelError,
        ["operator", "rank 1", "2 rows"],
    ),
    "operator zero, proximal Lagrangian": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[[0]]),
        InvalidModelError,
        ["operator", "rank 0"],
    ),
    "operator empty": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[]),
        DimensionError,
        ["operator"],
    ),
    "operator NaN": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, G, penalty=1, operator=[[math.nan]]),
        InvalidModelError,
        ["operator[0, 0]", "nan"],
    ),
    "strongly convex g with an irrational singular value": (
        lambda: lf.flows.proximal_augmented_lagrangian_flow(F, F, penalty=1, operator=[[1, 1]]),
        InvalidModelError,
        ["without strong convexity", "SmoothStronglyConvex", "Convex()", "rational singular values"],
    ),
    "intervals that miss": (
        lambda: lf.ProximalLagrangianSystem(F, G, penalty=1, operator=[[1, 0], [0, 2]], intervals=[[1, "3/2"]]),
        InvalidModelError,
        ["intervals", "all 2", "hold 1"],
    ),
    "rate zero": (lambda: lf.ExponentialDecay(0), InvalidModelError, ["rate > 0", "got 0"]),
    "rate negative": (lambda: lf.ExponentialDecay(-1), InvalidModelError, ["rate > 0", "-1"]),
    "rate NaN": (lambda: lf.ExponentialDecay(math.nan), InvalidModelError, ["rate", "nan"]),
    "rate True": (lambda: lf.ExponentialDecay(True), InvalidModelError, ["rate", "True"]),
}


def assert_refused(call, kind, parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, LyapflowError)
    message = str(caught.value)
    for part in parts:
        assert part in message, f"{part!r} is not in {message!r}"
    assert len(message) < 600
    assert "\n" not in message


@pytest.mark.parametrize("case", MODELS)
def test_models(case):
    assert_refused(*MODELS[case])


def stable(**options):
    return control.ss([[-1.0]], [[1.0]], [[1.0]], [[0.0]], **options)


SEARCHES = {
    "a class as system": (lambda: lf.certify(F), InvalidModelError, ["system", "SmoothStronglyConvex"]),
    "no system": (lambda: lf.attempt(None), InvalidModelError, ["system", "NoneType"]),
    "a number as claim": (lambda: lf.certify(lf.flows.gradient_flow(F), 0.5), InvalidModelError, ["claim", "0.5"]),
    "a class as claim": (
        lambda: lf.certify(lf.flows.gradient_flow(F), lf.ExponentialDecay),
        InvalidModelError,
        ["claim", "ExponentialDecay"],
    ),
    "continuous time, given factor": (
        lambda: lf.certify(lure(A=[["-1/2"]]), lf.Contraction("1/2")),
        InvalidModelError,
        ["dt", "0", "ExponentialDecay"],
    ),
    "discrete time, given rate": (
        lambda: lf.certify(lure(A=[["-1/2"]], dt="1/10"), lf.ExponentialDecay("1/2")),
        InvalidModelError,
        ["dt", "1/10"],
    ),
    "unknown solver": (
        lambda: lf.certify(lf.flows.gradient_flow(F), solver="MAGIC"),
        InvalidModelError,
        ["solver", "MAGIC", "CLARABEL"],
    ),
    "a solver for other problems": (
        lambda: lf.certify(lf.flows.gradient_flow(F), solver="OSQP"),
        InvalidModelError,
        ["solver", "OSQP"],
    ),
    "a number as solver": (lambda: lf.certify(lf.flows.gradient_flow(F), solver=3), InvalidModelError, ["solver", "3"]),
    "a text as template": (
        lambda: lf.certify(lf.flows.gradient_flow(F), template="quadratic"),
        InvalidModelError,
        ["template", "quadratic"],
    ),
    "a class as template": (
        lambda: lf.certify(lf.flows.gradient_flow(F), template=lf.QuadraticPlusValue),
        InvalidModelError,
        ["template", "QuadraticPlusValue"],
    ),
    "a plant with more inputs": (
        lambda: lf.LureSystem.from_control(control.ss([[-1.0]], [[1.0, 2.0]], [[1.0]], [[0.0, 0.0]]), oracles=[F]),
        DimensionError,
        ["one input and one output", "2 inputs"],
    ),
    "a plant with more outputs": (
        lambda: lf.LureSystem.from_control(control.ss([[-1.0]], [[1.0]], [[1.0], [1.0]], [[0.0], [0.0]]), oracles=[F]),
        DimensionError,
        ["2 outputs"],
    ),
    "a plant with fewer channels": (
        lambda: lf.LureSystem.from_control(stable(), oracles=[F, F]),
        DimensionError,
        ["(2)", "1 inputs", "1 outputs"],
    ),
    "a transfer function": (
        lambda: lf.LureSystem.from_control(control.tf([1.0], [1.0, 1.0]), oracles=[F]),
        InvalidModelError,
        ["StateSpace", "TransferFunction"],
    ),
    "a plant without sampling time": (
        lambda: lf.LureSystem.from_control(stable(dt=True), oracles=[F]),
        InvalidModelError,
        ["dt", "True"],
    ),
    "a plant without time": (
        lambda: lf.LureSystem.from_control(stable(dt=None), oracles=[F]),
        InvalidModelError,
        ["dt", "None"],
    ),
    "a plant and no list": (
        lambda: lf.LureSystem.from_control(stable(), oracles=F),
        InvalidModelError,
        ["oracles", "sequence"],
    ),
    "an unsaved certificate": (lambda: lf.verify(42), CertificateFormatError, ["verify", "int"]),
    "an unread certificate": (lambda: lf.load(None), CertificateFormatError, ["NoneType"]),
}


@pytest.mark.parametrize("case", SEARCHES)
def test_searches(case):
    assert_refused(*SEARCHES[case])


@pytest.mark.parametrize("band", [2, 1, 0, -1, "2", math.nan, True, "wide", None])
def test_settling_bands(proved, band):
    assert_refused(lambda: proved.settling_time(band=band), InvalidModelError, ["band", str(band)])


def test_a_transient_bound_that_is_not_proved():
    certificate = lf.certify(lf.flows.heavy_ball_flow(lf.StronglyConvex(1), damping=2))
    assert not certificate.is_bounded
    assert_refused(lambda: certificate.transient_bound, ClaimMismatchError, ["transient_bound", "V <= c2"])
    assert_refused(lambda: certificate.settling_time(), ClaimMismatchError, ["transient_bound"])
    with pytest.raises(TypeError):
        _ = certificate.transient_bound


def test_saving_into_a_missing_folder(proved, tmp_path):
    path = tmp_path / "missing" / "certificate.json"
    assert_refused(lambda: lf.save(proved, path), CertificateFormatError, [str(path), "folder does not exist"])
    assert not list(tmp_path.iterdir())


def test_saving_over_a_folder_leaves_nothing_behind(proved, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises((CertificateFormatError, OSError)):
        lf.save(proved, folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_saving_a_class_of_ones_own(proved, tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Own(lf.SmoothStronglyConvex):
        pass

    system = lf.flows.gradient_flow(Own(1, 10))
    certificate = dataclasses.replace(proved, system=system)
    assert_refused(
        lambda: lf.save(certificate, tmp_path / "c.json"), CertificateFormatError, ["classes of lyapflow", "Own"]
    )
    assert not list(tmp_path.iterdir())


def test_errors_are_the_builtins_that_callers_expect():
    for error, builtin in (
        (InvalidModelError, ValueError),
        (DimensionError, InvalidModelError),
        (ClaimMismatchError, TypeError),
        (NoCertificateError, RuntimeError),
        (lf.VerificationError, ArithmeticError),
        (CertificateFormatError, ValueError),
        (lf.MissingDependencyError, ImportError),
    ):
        assert issubclass(error, builtin)
        assert issubclass(error, LyapflowError)


def test_models_do_not_change():
    system = lf.flows.gradient_flow(F)
    for thing, field in ((F, "mu"), (system, "A"), (lf.ExponentialDecay(1), "rate")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, 7)
    array = np.array([[-1.0]])
    kept = lure(A=array)
    array[0, 0] = 5
    assert kept.A == ((-1,),)
