"""Tables are read strictly: each defect is refused, with its place."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lyapflow.errors import InvalidModelError
from lyapflow.tables import Table, read_table, standardize

DATA = Path(__file__).parents[1] / "case_studies" / "data"


def write(tmp_path, text, **options):
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(**options))
    return path


def test_a_table_is_read(tmp_path):
    table = read_table(write(tmp_path, 'age,"bmi, raw", y\n59,32.1,-1.5e2\n 48 ,.5,+7\n'))
    assert table.columns == ("age", "bmi, raw", "y")
    assert table.values.tolist() == [[59.0, 32.1, -150.0], [48.0, 0.5, 7.0]]
    assert table.column("y").tolist() == [-150.0, 7.0]
    assert table.drop("y", "age").columns == ("bmi, raw",)


def test_line_ends_and_byte_order_mark_do_not_matter(tmp_path):
    assert read_table(write(tmp_path, "a,b\r\n1,2\r\n", encoding="utf-8-sig")).columns == ("a", "b")


@given(values=arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(-1e308, 1e308)))
def test_doubles_survive_the_round_trip(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    lines = [",".join(f"c{j}" for j in range(values.shape[1]))]
    lines += [",".join(repr(float(v)) for v in row) for row in values]
    path.write_text("\n".join(lines) + "\n")
    assert (read_table(path).values == values).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header line"),
        ("a,b\n", "at least one line of numbers"),
        ("\n1,2\n", "line 1: the first line must be a header"),
        ("1,2\n3,4\n", "line 1: the first line must be a header"),
        ("a,\n1,2\n", "line 1: every column must have a name, column 2"),
        ("a,b,a\n1,2,3\n", "columns 1 and 3 are both 'a'"),
        ("a,b\n1,2\n1,x\n", "line 3, column 'b': .* got 'x'"),
        ("a,b\n1,\n", "line 2, column 'b': .* empty"),
        ("a,b\n1\n", "line 2: a line must have 2 cells, got 1 .*column 'b'"),
        ("a,b\n1,2,3\n", "line 2: a line must have 2 cells, got 3"),
        ("a,b\n1,2\n\n3,4\n", "line 3: a line must have 2 cells, got 0"),
        ("a,b\n1,nan\n", "line 2, column 'b': .* got 'nan'"),
        ("a,b\n-inf,1\n", "line 2, column 'a': .* got '-inf'"),
        ("a,b\n1e999,1\n", "line 2, column 'a': .* got '1e999'"),
        ("a,b\n1_000,1\n", "line 2, column 'a'"),
        ("a,b\n\u0661,1\n", "line 2, column 'a'"),
        ("a,b\n0x10,1\n", "line 2, column 'a'"),
        ('a,b\n"1,2\n', "well-formed CSV"),
        (b"a,b\n\xff,1\n", "UTF-8"),
    ],
)
def test_defects_are_refused_with_their_place(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InvalidModelError, match=message) as caught:
        read_table(path)
    assert "table.csv" in str(caught.value)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


def test_tables_check_their_parts():
    table = Table(("a", "b"), np.ones((2, 2)))
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0] = 2
    with pytest.raises(InvalidModelError, match="got 'c'"):
        table.column("c")
    with pytest.raises(InvalidModelError, match="at least one column"):
        table.drop("a", "b")
    for columns in (("a",), ("a", "a")):
        with pytest.raises(InvalidModelError, match="all different"):
            Table(columns, np.ones((2, 2)))


@given(
    values=arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6)),
    scale=st.sampled_from([1e-200, 1e-3, 1.0, 1e5, 1e200]),
)
def test_standardized_columns_have_mean_0_and_variance_1(values, scale):
    values = (values + np.arange(7)[:, None] * 1e5) * scale
    try:
        scaled = standardize(values)
    except InvalidModelError:
        assert (np.ptp(values, axis=0) <= 1e-12 * np.abs(values).max(axis=0)).any()
        return
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert scaled.std(axis=0) == pytest.approx(np.ones(3), rel=1e-12)


def test_constant_columns_are_refused():
    with pytest.raises(InvalidModelError, match="column with index 1 is constant"):
        standardize([[1.0, 0.1], [2.0, 0.1], [4.0, 0.1]])
    with pytest.raises(InvalidModelError, match="index 0"):
        standardize([[1.0, 2.0]])
    with pytest.raises(InvalidModelError, match="values must be finite"):
        standardize([[1.0], [np.nan]])


def test_the_data_of_the_case_studies_are_what_they_say():
    diabetes = read_table(DATA / "diabetes.csv")
    assert diabetes.columns == ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "y")
    assert diabetes.values.shape == (442, 11)
    assert diabetes.values[0].tolist() == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87, 151]
    assert diabetes.column("y").mean() == pytest.approx(152.13348416289594)
    cancer = read_table(DATA / "breast_cancer.csv")
    assert cancer.values.shape == (569, 31)
    assert (cancer.columns[0], cancer.columns[-1]) == ("mean_radius", "label")
    assert [int((cancer.column("label") == k).sum()) for k in (0, 1)] == [212, 357]
