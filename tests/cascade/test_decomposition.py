"""Block-triangular structure of Lur'e systems, polynomial systems and vector fields."""

import numpy as np
import pytest
from cascades import observer_and_controller
from hypothesis import given, settings
from hypothesis import strategies as st

import lyapflow as lf
from lyapflow.cascade import decompose
from lyapflow.cascade.graph import sort_components

F = lf.SmoothStronglyConvex(1, 10)


def shape_of(cascade):
    return [stage.states for stage in cascade.stages], [(c.source, c.target, c.signals) for c in cascade.couplings]


def test_a_chain_is_found_in_its_order():
    cascade = decompose(lf.LureSystem([[-3, 0, 1], [2, -1, 0], [0, 0, -2]]))
    assert shape_of(cascade) == ([(2,), (0,), (1,)], [(0, 1, ("x3",)), (1, 2, ("x1",))])
    assert cascade.is_triangular
    assert cascade.evidence.startswith("exact")


def test_an_oracle_belongs_to_the_last_stage_that_it_depends_on():
    system = lf.LureSystem([[0, 0], [0, -2]], [[-1], [1]], [[1, 0]], oracles=[F])
    cascade = decompose(system)
    assert shape_of(cascade) == ([(0,), (1,)], [(0, 1, ("u_f",))])
    assert [stage.oracles for stage in cascade.stages] == [(0,), ()]
    between = lf.LureSystem([[-1, 0], [0, -2]], [[0], [1]], [[1, 0]], oracles=[F])  # memoryless, on the way
    assert [stage.oracles for stage in decompose(between).stages] == [(0,), ()]


def test_feedback_through_an_oracle_makes_one_stage():
    system = lf.LureSystem([[-1, 1], [0, -1]], [[0], [1]], [[1, 0]], oracles=[F])
    assert len(decompose(system).stages) == 1


def test_a_coefficient_too_small_for_a_float_is_a_dependence():
    tiny = f"1/{10**400}"
    assert len(decompose(lf.LureSystem([[-1, tiny], [1, -1]])).stages) == 1


def test_polynomial_structure_is_exact():
    """The three stages of the factorization flow with one row in each block, Y = 1 / P11."""
    system = lf.PolynomialSystem.build(
        ["y", "h", "s"], lambda y, h, s: [-4 * y + 2 + 2 * h**2, -2 * h - 2 * s * h, -2 * s**2 + (h - h)]
    )
    cascade = decompose(system)
    assert [stage.labels for stage in cascade.stages] == [("s",), ("h",), ("y",)]
    assert [(c.source, c.target) for c in cascade.couplings] == [(0, 1), (1, 2)]


def test_what_is_seen_of_a_function_is_told_as_such():
    def field(x):
        return np.array([-(x[0] ** 3) + np.sin(x[1]), -x[1], np.where(x[0] > 0, x[0], 0) - x[2]])

    cascade = decompose(field, dimension=3, names=["a", "b", "c"])
    assert [stage.labels for stage in cascade.stages] == [("b",), ("a",), ("c",)]
    assert cascade.evidence.startswith("seen")


def test_not_a_number_shows_what_random_points_miss():
    def field(x):
        return np.array([-x[0] + np.maximum(x[1] - 50, 0), -x[1]])

    assert [c.signals for c in decompose(field, dimension=2).couplings] == [("x2",)]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_all_three_see_the_same_structure(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    A = rng.integers(-3, 4, (n, n)) * (rng.random((n, n)) < 0.3)
    linear = decompose(lf.LureSystem(A.tolist()))
    names = [f"x{i + 1}" for i in range(n)]
    polynomial = lf.PolynomialSystem.build(
        names, lambda *x: [sum(int(A[i, j]) * x[j] for j in range(n)) + 0 * x[0] for i in range(n)]
    )
    seen = decompose(lambda x: A @ x, dimension=n, rng=rng)
    assert shape_of(linear) == shape_of(decompose(polynomial))
    # a product with a zero entry is not a number where the entry is not: the graph of a function may only be larger
    pairs = {(i, j) for stage in linear.stages for i in stage.states for j in stage.states}
    assert pairs <= {(i, j) for stage in seen.stages for i in stage.states for j in stage.states}
    order = [i for stage in linear.stages for i in stage.states]
    permuted = A[np.ix_(order, order)]
    assert sorted(order) == list(range(n))
    ends = np.cumsum([len(stage.states) for stage in linear.stages])
    for end in ends:
        assert not permuted[:end, end:].any(), "block triangular"


def test_components_come_after_what_they_depend_on():
    depends = np.zeros((4, 4), dtype=bool)
    depends[0, 3] = depends[3, 1] = depends[1, 2] = depends[2, 1] = True
    assert sort_components(depends) == [[1, 2], [3], [0]]


def test_separation_of_observer_and_controller_is_revealed():
    system = observer_and_controller()
    assert len(decompose(system).stages) == 1
    error = [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, -1, 0], [0, 1, 0, -1]]
    known = decompose(system, transformation=error)
    assert shape_of(known) == ([(2, 3), (0, 1)], [(0, 1, ("z3", "z4"))])
    assert known.evidence.startswith("exact")
    found = decompose(system, transformation="schur")
    assert sorted(len(stage.states) for stage in found.stages) == [2, 2]
    assert found.evidence.startswith("numerical")
    A = np.array(system.A, dtype=float)
    T = np.array(found.transformation, dtype=float)
    assert np.allclose(np.array(found.coordinates.A, dtype=float), np.linalg.solve(T, A @ T), atol=1e-9)


def test_what_oracles_neither_reach_nor_see_is_revealed():
    """A hidden cascade: filter -> loop with an oracle -> filter, in coordinates that mix all of it."""
    A = np.array([[-1, 0, 0], [1, -2, 0], [0, 1, -3]])
    B, C = np.array([[0], [-1], [0]]), np.array([[0, 1, 0]])
    mix = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    back = np.round(np.linalg.inv(mix)).astype(int)
    system = lf.LureSystem(
        (mix @ A @ back).tolist(), (mix @ B).tolist(), (C @ back).tolist(), oracles=[lf.SmoothConvex(5)]
    )
    assert len(decompose(system).stages) < 3
    cascade = decompose(system, transformation="schur")
    assert [(len(s.states), s.oracles) for s in cascade.stages] == [(1, ()), (1, (0,)), (1, ())]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"system": lf.LureSystem([[-1]]), "partition": [[0], [0]]}, "once"),
        ({"system": lf.LureSystem([[-1]]), "transformation": "jordan"}, "'schur' or an array"),
        ({"system": lf.LureSystem([[-1]]), "transformation": [[1, 0]]}, "shape"),
        ({"system": lf.LureSystem([[-1]]), "transformation": [[0]]}, "invertible"),
        ({"system": lf.LureSystem([[-1]]), "names": ["a", "b"]}, "1 different names"),
        ({"system": lambda x: x}, "dimension"),
        ({"system": lambda x: x[:1], "dimension": 2}, "shape"),
        ({"system": lambda x: x * np.nan, "dimension": 2}, "finite"),
        ({"system": 3}, "takes a LureSystem"),
        (
            {"system": lf.PolynomialSystem.build(["x"], lambda x: [-x]), "transformation": "schur"},
            "goes with a LureSystem",
        ),
    ],
)
def test_wrong_input_is_told(arguments, message):
    with pytest.raises(lf.InvalidModelError, match=message):
        decompose(arguments.pop("system"), **arguments)
