"""Chambolle-Pock with a linear operator: proofs for a matrix, and for all singular values in an interval."""

import json
from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest

import lyapflow as lf
from lyapflow.algorithms import chambolle_pock
from lyapflow.dynamics import PrimalDualIteration
from lyapflow.exact.spectra import bound_radius, bound_radius_between
from lyapflow.search.witness import check_witness, find_witness

F = lf.SmoothStronglyConvex(1, 10)
HALVES = {"step_primal": "1/2", "step_dual": "1/2"}
GOLDEN = [[1, 1], [0, 1]]
"""Its singular values are the golden ratio and the inverse."""

WIDE = [[2, 0, 0], [0, "1/2", 0]]


def make(f=F, g=F, **options):
    return chambolle_pock(f, g, **{**HALVES, **options})


def closed_loop(K, a, b, *, tau, sigma, theta):
    """The step for f = a |x|^2 / 2 and g = b |x|^2 / 2, from the definition, in floating point."""
    rows, columns = K.shape
    resolvent = np.eye(columns) / (1 + tau * a)
    after = np.hstack([resolvent, -tau * resolvent @ K.T])
    extrapolated = (1 + theta) * after - theta * np.eye(columns, columns + rows)
    point = np.eye(rows, columns + rows, k=columns) + sigma * K @ extrapolated
    return np.vstack([after, point * b / (b + sigma)])  # prox of sigma g*, g* = |y|^2 / (2 b)


def worst_member(K, *, tau, sigma, theta):
    slopes = np.geomspace(1, 10, 9)
    steps = {"tau": tau, "sigma": sigma, "theta": theta}
    return max(np.abs(np.linalg.eigvals(closed_loop(K, a, b, **steps))).max() for a in slopes for b in slopes)


@pytest.mark.parametrize(
    ("interval", "steps"),
    [
        (("1/2", 1), ("1/2", "1/2", 1)),
        (("1/4", 1), ("1/2", "1/2", 1)),
        ((0, 1), ("1/2", "1/2", 1)),
        (("1/2", 1), (1, 1, 1)),
        (("1/2", "7/5"), ("1/10", 5, 1)),
        (("1/2", 1), (1, "9/10", 0)),
        (("1/2", "5/2"), ("1/2", "1/2", "1/2")),
        ((1, 1), ("1/2", "1/2", 1)),
    ],
)
def test_an_interval_costs_no_more_than_its_worst_singular_value(interval, steps):
    tau, sigma, theta = steps
    system = make(step_primal=tau, step_dual=sigma, extrapolation=theta, singular_values=interval)
    certificate = lf.certify(system)
    assert lf.verify(certificate)
    low, high = (float(Q(end)) for end in interval)
    options = {"tau": float(Q(tau)), "sigma": float(Q(sigma)), "theta": float(Q(theta))}
    lower = max(worst_member(np.array([[s]]), **options) for s in np.linspace(low, high, 9))
    assert lower - 1e-12 <= float(certificate.factor) <= lower + 2e-5
    single = [lf.certify(make(**_steps(steps), singular_values=(s, s))).factor for s in interval if s]
    assert certificate.factor >= max(single) - Q(1, 10**5)


def _steps(steps):
    return dict(zip(("step_primal", "step_dual", "extrapolation"), steps, strict=True))


def test_the_identity_is_the_plain_system():
    plain = lf.certify(make())
    assert isinstance(plain.system, lf.LureSystem)
    for other in ({"operator": [[1, 0], [0, 1]]}, {"singular_values": (1, 1)}):
        certificate = lf.certify(make(**other))
        assert isinstance(certificate.system, PrimalDualIteration)
        assert abs(certificate.factor - plain.factor) < Q(1, 10**6)


@pytest.mark.parametrize("K", [GOLDEN, WIDE, [["1/2", "1/2"]] * 2, [["1/2", 0], [0, 1], ["1/5", "1/7"]]], ids=str)
def test_a_matrix_end_to_end(K, tmp_path):
    system = make(operator=K)
    bracket = lf.bracket(system)
    certificate, witness = bracket.certificate, bracket.witness
    lower = worst_member(np.array([[float(Q(v)) for v in row] for row in K]), tau=0.5, sigma=0.5, theta=1)
    assert abs(float(witness.factor) - lower) < 1e-8
    assert witness.factor <= certificate.factor < witness.factor + Q(1, 50_000)
    assert check_witness(system, witness)
    assert not check_witness(system, replace(witness, factor=witness.factor + Q(1, 10**6)))
    path = tmp_path / "certificate.json"
    lf.save(certificate, path)
    assert lf.load(path) == certificate
    assert lf.verify(path)
    assert lf.falsify(certificate, 3, np.random.default_rng(0)) is None
    stronger = replace(certificate, claim=lf.Contraction(certificate.factor - Q(1, 100)))
    assert not lf.verify(stronger)
    assert isinstance(lf.attempt(system, lf.Contraction(certificate.factor - Q(1, 100))), lf.Infeasible)


def test_only_full_row_rank_is_needed_where_g_is_nonsmooth():
    """On the null space of K the dual variable would not move to its optimum: there is none of its transpose here."""
    g = lf.Convex()
    certificate = lf.certify(make(g=g, operator=WIDE))
    assert certificate.factor < 1
    assert list(certificate.storage) == ["sigma1", "sigma2", "null primal"]
    for options in ({"operator": [[2, 0], [0, "1/2"], [0, 0]]}, {"singular_values": (0, 1)}):
        outcome = lf.attempt(make(g=g, **options), lf.Contraction("999/1000"))
        assert isinstance(outcome, lf.Infeasible)
        assert outcome.witness.factor > Q("0.9999")


def test_corrupted_certificates_are_refused(tmp_path):
    certificate = lf.certify(make(operator=GOLDEN))
    values = dict(certificate.unknowns)
    kinds = {"P(sigma1 low)[0,0]", "P(sigma2 high)[1,1]", "S(sigma1)[0,0]", "S(sigma2)[3,3]", "upper bound"}
    kinds |= {name for name in values if name.startswith("decrease: ")}
    assert kinds <= set(values)
    for name in kinds:
        wrong = tuple((n, -abs(v) - 1 if n == name else v) for n, v in certificate.unknowns)
        assert not lf.verify(replace(certificate, unknowns=wrong)), name
    for k in (1, 2):  # N alone decides: with another one the form is not semidefinite
        skew = tuple((n, v + 100 if n == f"N(sigma{k})[0,1]" else v) for n, v in certificate.unknowns)
        assert not lf.verify(replace(certificate, unknowns=skew))
    assert not lf.verify(replace(certificate, unknowns=certificate.unknowns[1:]))
    path = tmp_path / "certificate.json"
    lf.save(certificate, path)
    data = json.loads(path.read_text())
    data["system"]["operator"] = [["1", "1"], ["0", "2"]]
    path.write_text(json.dumps(data))
    with pytest.raises(lf.LyapflowError, match="intervals must hold all 2 positive singular values"):
        lf.load(path)


def test_intervals_must_hold_every_singular_value():
    options = {"step_primal": 1, "step_dual": 1, "operator": GOLDEN}
    assert PrimalDualIteration(F, F, intervals=[("0.6", "1.7")], **options).spans[0].label == "sigma1"
    for wrong in ([("0.62", "1.7")], [("0.6", "0.7")], [("0.6", "0.61803"), ("1.6", 2)]):
        with pytest.raises(lf.InvalidModelError, match="must hold all 2 positive singular values"):
            PrimalDualIteration(F, F, intervals=wrong, **options)
    for wrong in ([(2, 1)], [(-1, 2)], [("0.6", "0.7"), ("0.65", 2)]):
        with pytest.raises(lf.InvalidModelError, match="increasing and disjoint"):
            PrimalDualIteration(F, F, intervals=wrong, **options)
    exact = PrimalDualIteration(F, F, step_primal=1, step_dual=1, operator=[[3, 0], [4, 0]])
    assert exact.intervals == ((Q(5), Q(5)),)
    assert [mode.label for mode in exact.modes] == ["sigma1", "null primal", "null dual"]


@pytest.mark.parametrize("seed", range(5))
def test_computed_intervals_are_narrow_and_hold_the_singular_values(seed):
    source = np.random.default_rng(seed)
    K = source.integers(-9, 10, size=(3, 5)).tolist()
    system = PrimalDualIteration(F, F, step_primal=1, step_dual=1, operator=K)
    singular = sorted(np.linalg.svd(np.array(K, dtype=float), compute_uv=False))
    assert len(system.intervals) == 3
    for (low, high), s in zip(system.intervals, singular, strict=True):
        assert float(low) - 1e-13 <= s <= float(high) + 1e-13
        assert high - low <= high / 10**8
    again = PrimalDualIteration(F, F, step_primal=1, step_dual=1, operator=K, intervals=system.intervals)
    assert again == system


def test_many_singular_values_are_one_interval():
    K = [[Q(k + 1, 12) if i == k else 0 for i in range(12)] for k in range(12)]
    system = make(operator=K)
    assert system.intervals == ((Q(1, 12), Q(1)),)
    assert lf.certify(system).factor < Q("0.952381") + Q(1, 10**5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operator": GOLDEN, "singular_values": (1, 2)}, "not both"),
        ({"operator": [[0, 0]]}, "operator must not be zero"),
        ({"singular_values": (2, 1)}, r"singular_values must be .* 0 <= low <= high"),
        ({"singular_values": (-1, 1)}, r"singular_values must be .* 0 <= low <= high"),
        ({"singular_values": (0, 0)}, "high > 0"),
        ({"singular_values": (1, 1), "step_primal": 0}, "step_primal must be > 0"),
        ({"singular_values": (1, 1), "extrapolation": 2}, "extrapolation must be"),
        ({"singular_values": (1, 2, 3)}, "singular_values must be a pair"),
        ({"singular_values": 1}, "singular_values must be a pair"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(lf.LyapflowError, match=message):
        make(**options)


def test_a_certificate_of_an_interval_covers_a_matrix_with_singular_values_in_it():
    from lyapflow.members import SquaredNorm

    certificate = lf.certify(make(singular_values=(0, 1)))
    narrow = lf.certify(make(singular_values=("1/2", 1)))
    members = [SquaredNorm(2, [1.0, -2.0]), SquaredNorm(7, [0.0, 5.0, 1.0])]
    path = lf.simulate(make(operator=[["1/2", 0], ["1/3", "1/2"], [0, 0]]), members, [1.0, 2, 3, 4, 5], 60)
    assert np.all(path.storage(certificate) <= path.bound(certificate) * (1 + 1e-9) + 1e-20)
    assert np.all(path.distance**2 <= path.storage(certificate) * (1 + 1e-9) + 1e-20)
    assert path.distance[-1] < 0.1 * path.distance[0]
    for wrong in (narrow, lf.certify(make(operator=GOLDEN))):
        with pytest.raises(lf.InvalidModelError, match="must be about the simulated system"):
            path.storage(wrong)
    # the fixed point: 2 (x - a) + K'y = 0 and y = 7 (K x - b)
    K = np.array([[0.5, 0], [1 / 3, 0.5], [0, 0]])
    a, b = np.array([1.0, -2.0]), np.array([0.0, 5.0, 1.0])
    x = np.linalg.solve(2 * np.eye(2) + 7 * K.T @ K, 2 * a + 7 * K.T @ b)
    assert np.allclose(path.equilibrium.x, [*x, *(7 * (K @ x - b))], rtol=1e-9)
    with pytest.raises(lf.DimensionError, match="g must have dimension 1, one per row"):
        lf.simulate(make(operator=[[1, 2]]), members, [0.0, 0, 0], 5)
    with pytest.raises(lf.InvalidModelError, match="needs the operator K"):
        lf.simulate(certificate.system, members, [0.0] * 5, 5)


def test_falsify_draws_operators_of_the_interval():
    certificate = lf.certify(make(singular_values=("1/2", 1)))
    assert lf.falsify(certificate, 4, np.random.default_rng(1)) is None
    wrong = replace(certificate, claim=lf.Contraction("9/10"))
    found = lf.falsify(wrong, 30, np.random.default_rng(1))
    assert found is not None
    singular = np.linalg.svd(np.array(found.operator, dtype=float), compute_uv=False)
    assert singular.min() > 0.5 - 1e-12
    assert singular.max() < 1 + 1e-12


def test_radius_bound_holds_between_two_matrices():
    source = np.random.default_rng(3)
    for _ in range(20):
        low = source.integers(-9, 10, size=(2, 2))
        high = low + source.integers(-3, 4, size=(2, 2))
        bound = bound_radius_between(*(tuple(tuple(Q(int(v), 9) for v in row) for row in m) for m in (low, high)))
        for _ in range(20):
            inside = (low + (high - low) * source.random((2, 2))) / 9
            assert float(bound) <= np.abs(np.linalg.eigvals(inside)).max() + 1e-12
    point = ((Q(1, 3), Q(2)), (Q(-1, 7), Q(1, 2)))
    assert 0 <= bound_radius(point)[0] - bound_radius_between(point, point) < Q(1, 10**12)


def test_rotations_are_bounded_rigorously():
    """Linear members of an operator class are rotations too; an irrational singular value is a ball."""
    both = lf.Intersection(lf.StronglyMonotone(1), lf.Lipschitz(3))
    system = make(f=both, g=both, operator=GOLDEN)
    witness = find_witness(system)
    assert any(imaginary for _, imaginary in witness.slopes)
    phi = (1 + 5**0.5) / 2
    radii = []
    for s in (phi, 1 / phi):
        a, b = (complex(*map(float, slope)) for slope in witness.slopes)
        step = closed_loop(np.array([[s]]), a, b, tau=0.5, sigma=0.5, theta=1)
        radii.append(np.abs(np.linalg.eigvals(step)).max())
    assert abs(max(radii) - float(witness.factor)) < 1e-12
