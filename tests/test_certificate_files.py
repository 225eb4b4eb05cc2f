"""Corrupted files must be refused: edited, truncated, forged with a digest of their own, or no certificate at all."""

import copy
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from judging import assert_witness, holds, is_true_as_far_as_known
from systems import CATALOGUE

import lyapflow as lf
from lyapflow.certificates.encoding import to_json
from lyapflow.certificates.files import read
from lyapflow.cli import main
from lyapflow.errors import CertificateFormatError

replace = dataclasses.replace
PROVED, NOT_PROVED, UNUSABLE = 0, 1, 2


SMALL = ["gradient", "heavy-ball", "primal-dual-augmented"]
_FOUND = {}


@pytest.fixture(params=SMALL)
def saved(request, tmp_path):
    """A saved certificate: (path, its JSON data)."""
    if request.param not in _FOUND:
        _FOUND[request.param] = lf.certify(CATALOGUE[request.param])
    path = lf.save(_FOUND[request.param], tmp_path / "certificate.json")
    return path, json.loads(path.read_text())


@pytest.fixture
def gradient(tmp_path):
    """The smallest one."""
    if "gradient" not in _FOUND:
        _FOUND["gradient"] = lf.certify(CATALOGUE["gradient"])
    path = lf.save(_FOUND["gradient"], tmp_path / "certificate.json")
    return path, json.loads(path.read_text())


def leaves(data, at=()):
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*at, key))
    else:
        yield at, data


def changed_at(data, at, value):
    new = copy.deepcopy(data)
    place = new
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = value
    return new


def sealed(data):
    """The data with their own digest."""
    content = {key: value for key, value in data.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return {**content, "digest": hashlib.sha256(text.encode()).hexdigest()}


def forged(path, data):
    """The certificate an attacker would write who has the whole package: read without complaint and saved anew."""
    path.write_text(json.dumps(data))
    certificate = read(path).certificate
    path.write_text(json.dumps({**to_json(certificate), "digest": certificate.digest}))
    return certificate


def judge(path, data=None, *, text=None):
    """Verdict of a changed file: True, False, or None if it cannot be read."""
    path.write_text(json.dumps(data) if text is None else text)
    try:
        return lf.verify(path).proved
    except CertificateFormatError as problem:
        assert str(path) in str(problem)  # noqa: PT017
        return None


def as_number(value):
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None


def other_numbers(value):
    """The value's number moved a little and a lot; digits inside a text changed one at a time."""
    number = as_number(value)
    if number is not None and not isinstance(value, bool):
        yield str(-number or number + 1)
        yield str(number + Fraction(1, 10**9))
    elif isinstance(value, str):
        for k in [k for k, letter in enumerate(value) if letter.isdigit()][-5:]:
            yield f"{value[:k]}{(int(value[k]) + 1) % 10}{value[k + 1 :]}"
    elif isinstance(value, bool):
        yield not value


def test_the_round_trip_is_exact(saved):
    path, data = saved
    assert lf.verify(path).proved
    assert lf.verify(str(path)).proved
    again = lf.load(path)
    assert {**to_json(again), "digest": again.digest} == data
    assert sealed(data) == data
    assert lf.save(again, path).read_text() == json.dumps(data, indent=1) + "\n"


def test_every_single_number_is_guarded(saved):
    path, data = saved
    count = 0
    for at, value in leaves(data):
        for new in other_numbers(value):
            assert judge(path, changed_at(data, at, new)) is not True, (at, new)
            count += 1
    assert count > 20


def test_every_single_number_is_guarded_by_mathematics(saved):
    """Where all seals are forged, what is still called proved is a theorem: of the changed system."""
    path, data = saved
    refused = 0
    for at, value in leaves(data):
        if at[0] not in {"system", "claim", "unknowns"} or as_number(value) is None:
            continue
        for new in other_numbers(value):
            try:
                stored = forged(path, changed_at(data, at, new))
            except CertificateFormatError:
                refused += 1
                continue
            verdict = lf.verify(path)
            assert verdict.proved == holds(stored), (at, new)
            if verdict.proved:
                assert is_true_as_far_as_known(stored), (at, new)
            else:
                assert_witness(stored, verdict.witness)
                refused += 1
    assert refused > 3


def test_a_name_of_a_number_is_guarded(saved):
    path, data = saved
    for group in ("unknowns", "equalities"):
        for name in data[group]:
            renamed = {("x" + n if n == name else n): v for n, v in data[group].items()}
            assert not judge(path, sealed({**data, group: renamed}))
            without = {n: v for n, v in data[group].items() if n != name}
            if name != "upper bound":
                assert not judge(path, sealed({**data, group: without})), name


def test_a_raised_rate_is_refused_with_a_witness(saved, capsys):
    path, data = saved
    for text in ("2000", "1e30"):
        forged(path, changed_at(data, ("claim", "rate"), text))
        verdict = lf.verify(path)
        assert not verdict.proved
        assert_witness(lf.load(path), verdict.witness)
        assert main(["verify", str(path)]) == NOT_PROVED
        out = capsys.readouterr().out
        assert verdict.witness.inequality in out
        assert all(name in out for name in verdict.witness.signals)
        assert main(["verify", "--json", str(path)]) == NOT_PROVED
        (printed,) = json.loads(capsys.readouterr().out)
        assert not printed["proved"]
        assert {n: Fraction(v) for n, v in printed["witness"]["point"].items()} == dict(
            zip(verdict.witness.signals, verdict.witness.point, strict=True)
        )
        assert Fraction(printed["witness"]["value"]) == verdict.witness.value


def test_a_swapped_class_is_refused(saved):
    path, data = saved
    oracle = ("system", "oracle") if "oracle" in data["system"] else ("system", "oracles", 0)
    larger = {"class": "SmoothStronglyConvex", "mu": "1/100", "L": "10"}
    for new in (
        larger,
        {"class": "StronglyConvex", "mu": "1"},
        {"class": "Convex"},
        {"class": "Lipschitz", "L": "10"},
        {"class": "SlopeRestricted", "lower": "-1", "upper": "10"},
        {"class": "Monotone"},
    ):
        moved = changed_at(data, oracle, new)
        assert judge(path, moved) is not True
        try:
            stored = forged(path, moved)
        except CertificateFormatError:
            continue
        if lf.verify(path).proved:  # gradient flow keeps its rate without smoothness, for one
            assert new["class"] != "SmoothStronglyConvex"
            assert holds(stored)
            assert is_true_as_far_as_known(stored)


def test_a_deleted_multiplier_is_refused(saved):
    path, data = saved
    for name in data["unknowns"]:
        if ": " in name:
            assert not judge(
                path, sealed({**data, "unknowns": {n: v for n, v in data["unknowns"].items() if n != name}})
            )


def test_a_truncated_file_is_unusable(saved, capsys):
    path, _ = saved
    text = path.read_text()
    end = len(text.rstrip())
    for length in sorted({*range(0, end, max(1, end // 60)), *range(end - 8, end)}):
        path.write_text(text[:length])
        with pytest.raises(CertificateFormatError):
            lf.verify(path)
    assert main(["verify", str(path)]) == UNUSABLE
    assert_one_sentence(capsys)


def assert_one_sentence(capsys):
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert len(captured.err) < 1500
    assert "Traceback" not in captured.err


def put(at, value):
    return lambda data: json.dumps(sealed(changed_at(data, at, value)))


def raw(at, token):
    """The token itself in the place of a value, not as a text."""
    return lambda data: json.dumps(changed_at(data, at, "@@")).replace('"@@"', token)


RATE, ENTRY = ("claim", "rate"), ("system", "A", 0, 0)
UNUSABLE_FILES = {
    "empty": lambda data: "",
    "not json": lambda data: "Dear Sir or Madam",
    "null": lambda data: "null",
    "a number": lambda data: "1",
    "a list": lambda data: "[]",
    "an empty object": lambda data: "{}",
    "another format": put(("format",), "lyapunov certificate"),
    "two documents": lambda data: json.dumps(data) + json.dumps(data),
    "a key twice": lambda data: json.dumps(data).replace('"claim": {', '"claim": {"rate": "1000", ', 1),
    "a key twice, deep": lambda data: json.dumps(data).replace('"mu": ', '"mu": "2", "mu": ', 1),
    "schema 2": put(("schema",), 2),
    "schema 0": put(("schema",), 0),
    "schema 1.0": raw(("schema",), "1.0"),
    "schema true": raw(("schema",), "true"),
    "no schema": lambda data: json.dumps({k: v for k, v in data.items() if k != "schema"}),
    "unknown class": put(("system", "oracles", 0, "class"), "ConvexEnough"),
    "a class by its path": put(("system", "oracles", 0, "class"), "os.system"),
    "class is a list": put(("system", "oracles", 0, "class"), ["SmoothStronglyConvex"]),
    "class with one parameter more": put(("system", "oracles", 0, "nu"), "1"),
    "class without a parameter": lambda data: json.dumps(
        changed_at(data, ("system", "oracles", 0), {"class": "SmoothStronglyConvex"})
    ),
    "mu above L": put(("system", "oracles", 0, "mu"), "11"),
    "mu zero": put(("system", "oracles", 0, "mu"), "0"),
    "unknown system": put(("system", "type"), "Plant"),
    "unknown claim": put(("claim", "type"), "SublinearDecay"),
    "unknown template": put(("template", "type"), "Anything"),
    "definite is a text": lambda data: json.dumps(
        {**data, "template": {"type": "QuadraticPlusValue", "definite": "no"}}
    ),
    "negative rate": put(RATE, "-1"),
    "rate zero": put(RATE, "0"),
    "rate by zero": put(RATE, "1/0"),
    "rate null": put(RATE, None),
    "rate true": put(RATE, True),
    "rate is a list": put(RATE, ["1"]),
    "rate is an object": put(RATE, {"p": "1", "q": "2"}),
    "NaN": raw(RATE, "NaN"),
    "Infinity": raw(RATE, "Infinity"),
    "-Infinity": raw(ENTRY, "-Infinity"),
    "nan as a text": put(RATE, "nan"),
    "code": put(RATE, "__import__('os').getcwd()"),
    "no rate": lambda data: json.dumps({**data, "claim": {"type": "ExponentialDecay"}}),
    "exponent of a billion": put(RATE, "1e1000000000"),
    "exponent of minus a billion": put(ENTRY, "1e-1000000000"),
    "exponent as a JSON number": raw(RATE, "1e1000000000"),
    "exponent of many digits": put(RATE, "1e" + "0" * 4500 + "1"),
    "rate of 5 MB": put(RATE, "9" * 5_000_000),
    "rate of 5 MB, a JSON number": raw(RATE, "9" * 5_000_000),
    "modulus of 5 MB": put(("system", "oracles", 0, "L"), "1/" + "9" * 5_000_000),
    "unknown of 5 MB": put(("unknowns", "P[0,0]"), "9" * 5_000_000),
    "supremum of 5 MB": put(("supremum",), "9" * 5_000_000),
    "supremum by zero": put(("supremum",), "1/0"),
    "supremum is a list": put(("supremum",), []),
    "A is not square": put(("system", "A"), [["0", "0"]]),
    "A is ragged": put(("system", "A"), [["0"], ["0", "1"]]),
    "A is flat": put(("system", "A"), ["0"]),
    "A is empty": put(("system", "A"), []),
    "A is a number": put(("system", "A"), "0"),
    "D above the diagonal": put(("system", "D"), [["1"]]),
    "no oracles": put(("system", "oracles"), []),
    "two names": put(("system", "oracle_names"), ["f", "g"]),
    "discrete time": put(("system", "dt"), "1"),
    "negative dt": put(("system", "dt"), "-1"),
    "unknowns are a list": put(("unknowns",), []),
    "versions are a list": put(("versions",), []),
    "deep nesting": lambda data: "[" * 1_000_000,
    "deep nesting, complete": lambda data: "[" * 100_000 + "]" * 100_000,
    "deep nesting of objects": lambda data: '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep nesting inside": raw(("claim",), "[" * 100_000 + "]" * 100_000),
    "10 MB of junk": lambda data: '{"junk": "' + "x" * 10_000_000 + '"}',
    "2 MB of junk in the claim": raw(("claim", "type"), "[" + "[]," * 700_000 + "[]]"),
    "2 MB of junk in the class": raw(("system", "oracles", 0), "[" + "1," * 700_000 + "1]"),
    "10 MB of junk in the template": raw(("template",), '{"type": "' + "x" * 10_000_000 + '"}'),
    "2 MB of junk as the rate": raw(RATE, "[" + "1," * 700_000 + "1]"),
}


SLOW_FILES = {"2 MB of junk in the claim"}  # four seconds; two others of its size run by default


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.slow if k in SLOW_FILES else ()) for k in UNUSABLE_FILES]
)
def test_unusable_files(kind, gradient, capsys):
    path, data = gradient
    path.write_text(UNUSABLE_FILES[kind](data))
    start = time.process_time()
    with pytest.raises(CertificateFormatError) as caught:
        lf.verify(path)
    assert time.process_time() - start < 2
    assert len(str(caught.value)) < 1500
    with pytest.raises(CertificateFormatError):
        lf.load(path)
    assert main(["verify", str(path)]) == UNUSABLE
    assert_one_sentence(capsys)


# What may be read or refused, but neither crash nor hang nor be proved.
NEVER_PROVED = {
    "rate of 400 digits": put(RATE, "1e400"),
    "rate of 4200 digits": put(RATE, "9" * 4200),
    "rate of 4800 digits": put(RATE, "9" * 4800),
    "rate of 5000 digits": put(RATE, "1e4999"),
    "entry of 400 digits": put(ENTRY, "1e400"),
    "entry of 4800 digits": put(ENTRY, "9" * 4800),
    "unknown of 400 digits": put(("unknowns", "P[0,0]"), "-1e400"),
    "unknown of 5000 digits": put(("unknowns", "P[0,0]"), "1e-4999"),
    "everything of 900 digits": lambda data: json.dumps(
        sealed(
            {
                **data,
                "unknowns": {n: "-" + "7" * 900 + "/" + "3" * 899 + "1" for n in data["unknowns"]},
                "claim": {"type": "ExponentialDecay", "rate": "7" * 900 + "/" + "3" * 899 + "1"},
            }
        )
    ),
    "everything of 4200 digits": lambda data: json.dumps(
        sealed(
            {
                **data,
                "unknowns": {n: "7" * 4200 for n in data["unknowns"]},
                "claim": {"type": "ExponentialDecay", "rate": "7" * 4200},
            }
        )
    ),
    "supremum of 400 digits": lambda data: json.dumps(
        sealed(changed_at({**data, "claim": {**data["claim"], "rate": "2"}}, ("supremum",), "1e400"))
    ),
    "unknown with an odd name": lambda data: json.dumps(
        sealed({**data, "unknowns": {**data["unknowns"], "\ud800\x1b[2J": "1"}})
    ),
    "many unknowns": lambda data: json.dumps({**data, "unknowns": {str(k): "1" for k in range(20_000)}}),
    "deep nesting in the versions": raw(("versions",), '{"a": ' + "[" * 900 + "]" * 900 + "}"),
    "deeper nesting in the versions": raw(("versions",), '{"a": ' + "[" * 2900 + "]" * 2900 + "}"),
    "P below the diagonal": lambda data: json.dumps(sealed({**data, "unknowns": {**data["unknowns"], "P[1,0]": "0"}})),
    "no digest": lambda data: json.dumps({k: v for k, v in data.items() if k != "digest"}),
    "empty digest": lambda data: json.dumps({**data, "digest": ""}),
    "digest null": lambda data: json.dumps({**data, "digest": None}),
    "digest in capitals": lambda data: json.dumps({**data, "digest": data["digest"].upper()}),
    "no equalities": lambda data: json.dumps(sealed({**data, "equalities": {}})),
    "one equality more": lambda data: json.dumps(sealed({**data, "equalities": {**data["equalities"], "x": {}}})),
    "a promise beside the claim": lambda data: json.dumps(
        {**data, "claim": {**data["claim"], "transient_bound": "1/1000"}}
    ),
    "a promise beside the content": lambda data: json.dumps({**data, "proved_rate": "1000"}),
    "an oracle beside the system": lambda data: json.dumps(
        {**data, "system": {**data["system"], "disturbance": ["1"]}}
    ),
}


@pytest.mark.parametrize("kind", NEVER_PROVED)
def test_never_proved(kind, gradient, capsys):
    path, data = gradient
    text = NEVER_PROVED[kind](data)
    assert text != json.dumps(data)
    start = time.perf_counter()
    assert judge(path, text=text) is not True
    assert time.perf_counter() - start < 2
    assert main(["verify", str(path)]) in {NOT_PROVED, UNUSABLE}
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert len(captured.err) < 1500
    assert main(["verify", "--json", str(path)]) in {NOT_PROVED, UNUSABLE}
    (printed,) = json.loads(capsys.readouterr().out)
    assert printed["proved"] is False
    assert len(printed["reason"]) < 1500


def test_code_in_a_file_is_a_text(gradient, monkeypatch, capsys):
    path, data = gradient
    monkeypatch.chdir(path.parent)
    for code in (
        "__import__('os').mkdir('owned')",
        "{{7*7}}",
        "!!python/object/apply:os.mkdir [owned]",
        "$(mkdir owned)",
    ):
        for at, _ in leaves(data):
            assert judge(path, changed_at(data, at, code)) is not True, at
            if at[0] != "schema":
                judge(path, sealed(changed_at(data, at, code)))
                main(["verify", str(path)])
    assert "Traceback" not in capsys.readouterr().err
    assert sorted(p.name for p in path.parent.iterdir()) == ["certificate.json"]


@pytest.mark.parametrize("name", ["\ud800", "\x1b[2J\x1b]0;owned\x07", "a\nproved", "\u202eevorp", "<script>"])
def test_a_name_cannot_write_to_the_terminal(name, gradient, capsys):
    path, data = gradient
    for moved in (
        changed_at(data, ("system", "name"), name),
        changed_at(data, ("versions", "cvxpy"), name),
        changed_at(changed_at(data, ("system", "name"), name), RATE, "2"),
        changed_at(data, ("claim", "type"), name),
        changed_at(data, ("system", "oracles", 0, "class"), name),
        changed_at(data, ("system", "oracle_names", 0), name),
        {**data, "unknowns": {**data["unknowns"], name: "1"}},
    ):
        path.write_text(json.dumps(sealed(moved)))
        main(["verify", str(path)])
        captured = capsys.readouterr()
        for text in (captured.out, captured.err):
            assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(text)
            assert len(text.splitlines()) <= 1 + len(data["unknowns"])
            text.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x81\xff",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\x00" * 4096,
        b"\xef\xbb\xbf{}",
        '{"format"'.encode("utf-16"),
    ],
)
def test_binary_files(content, tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_bytes(content)
    with pytest.raises(CertificateFormatError):
        lf.verify(path)
    assert main(["verify", str(path)]) == UNUSABLE
    assert_one_sentence(capsys)


def test_no_file(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "missing.json", tmp_path / "missing" / "c.json", tmp_path / ("x" * 300), "a\0b"):
        with pytest.raises(CertificateFormatError):
            lf.verify(path)
        assert main(["verify", str(path)]) == UNUSABLE
        assert_one_sentence(capsys)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a file that may not be read")
def test_a_file_that_may_not_be_read(gradient, capsys):
    path, _ = gradient
    path.chmod(0)
    assert main(["verify", str(path)]) == UNUSABLE
    assert_one_sentence(capsys)


def test_a_file_larger_than_any_certificate(tmp_path):
    path = tmp_path / "certificate.json"
    with path.open("wb") as stream:
        stream.truncate(2**40)  # sparse
    start = time.perf_counter()
    with pytest.raises(CertificateFormatError, match="bytes"):
        lf.verify(path)
    assert time.perf_counter() - start < 2


def test_the_worst_file_decides_the_exit_code(saved, tmp_path, capsys):
    path, data = saved
    edited, broken = tmp_path / "edited.json", tmp_path / "broken.json"
    edited.write_text(json.dumps(changed_at(data, ("supremum",), "0.5")))
    broken.write_text("{")
    assert main(["verify", str(path)]) == PROVED
    assert main(["verify", str(path), str(edited)]) == NOT_PROVED
    assert main(["verify", str(broken), str(path), str(edited)]) == UNUSABLE
    assert "proved" in capsys.readouterr().out


def test_the_command_line_in_a_process_of_its_own(gradient):
    path, data = gradient

    def run():
        return subprocess.run(
            [sys.executable, "-m", "lyapflow.cli", "verify", str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=Path(lf.__file__).parents[1],
        )

    done = run()
    assert (done.returncode, done.stderr) == (PROVED, "")
    path.write_text(json.dumps(sealed(changed_at(data, RATE, "99"))))
    done = run()
    assert (done.returncode, done.stderr) == (NOT_PROVED, "")
    assert "slack" in done.stdout
    path.write_text(path.read_text()[:-9])
    done = run()
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (UNUSABLE, "", 1)
