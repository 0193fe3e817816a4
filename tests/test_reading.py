"""Files as data from strangers: CSV, npy, sealed JSON, archives; what is no such file is refused."""

import io
import zipfile

import numpy as np
import pytest

from rbmflow.reading import read_array, read_npz, seal, unseal


def test_arrays_are_read_from_text_and_numpy_files(tmp_path):
    spins = np.array([[1, -1, 1], [-1, -1, 1]])
    np.save(tmp_path / "a.npy", spins)
    np.savetxt(tmp_path / "b.csv", spins, delimiter=",", fmt="%d")
    np.savetxt(tmp_path / "c.txt", spins, header="three spins")
    (tmp_path / "d.csv").write_text("\ufeffs1, s2, s3\r\n1, -1, 1\r\n\r\n-1,-1,1\r\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text('"site 1";"site 2";"site 3";\n"1";"-1";"1";\n-1;-1;1;\n')
    np.save(tmp_path / "F", spins)
    (tmp_path / "F.npy").rename(tmp_path / "F.NPY")
    for name in ("a.npy", "b.csv", "c.txt", "d.csv", "e.csv", "F.NPY"):
        np.testing.assert_array_equal(read_array(tmp_path / name), spins)


@pytest.mark.parametrize("text", ["", "a,b\n", "1,2\n3\n", "1,x\n2,3\n4,y\n", "# nothing\n"])
def test_files_without_rows_of_numbers(tmp_path, text):
    path = tmp_path / "spins.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match="rows of numbers"):
        read_array(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # an empty cell let those after it move up;
        # the first line with one that is no number was taken for a header
        ("1,,-1\n,1,1\n-1,1,\n", "line 1 holds ''"),
        ("a,b,c\n1,1,-1\n\n1,,1\n", "line 4 holds ''"),
        ("1,NA,-1\n1,1,1\n", "line 1 holds 'NA'"),
        ("1,1\n1,1,1\n", "line 2 holds 3 of them, the first 2"),
    ],
)
def test_cells_that_are_no_numbers_are_told(tmp_path, text, message):
    (tmp_path / "spins.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_array(tmp_path / "spins.csv")


def test_what_is_no_text_is_told_with_the_name_of_the_file(tmp_path):
    (tmp_path / "spins.csv").write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=r"spins\.csv: neither"):
        read_array(tmp_path / "spins.csv")


def test_files_that_are_not_numpy_arrays(tmp_path):
    path = tmp_path / "spins.npy"
    for content in (b"", b"not numpy"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a numpy file"):
            read_array(path)
    np.save(path, np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="not a numpy file"):
        read_array(path)
    with pytest.raises(OSError, match="No such file"):
        read_array(tmp_path / "none.csv")


@pytest.mark.parametrize("names", ["i,j,k", "j", '"J","K"', "e;j"])
def test_a_column_may_be_called_j(tmp_path, names):
    # j alone is no complex number in a table: one has digits before it
    between = ";" if ";" in names else ","
    row = between.join("1" for _ in names.split(between))
    (tmp_path / "spins.csv").write_text(f"{names}\n{row}\n")
    assert read_array(tmp_path / "spins.csv").shape == (1, len(names.split(between)))


def headed(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"


@pytest.mark.parametrize(
    "content",
    [
        b"PK",
        b"PK\x03\x04 and so on",
        b"\x93NUMPY",
        b"\x93NUMPY\x07\x00",
        headed("{'descr"),
        headed("[" * 5000),
        headed("{}"),
        headed(HUGE),
        headed(HUGE.replace("<f8", "|O")),
        headed(HUGE.replace("<f8", "<U4")),
        headed(HUGE.replace("'<f8'", "[('a', '<f8')]")),
        headed(HUGE.replace("'<f8'", "3")),
        headed(HUGE.replace("(1000000000000,)", "(-1,)")),
        headed(HUGE.replace("(1000000000000,)", "(0, " + "9" * 30 + ")")),
        headed(HUGE.replace("(1000000000000,)", "(1.5,)")),
        headed(HUGE.replace("(1000000000000,)", "(1,)")) + b"7 bytes",
        headed(HUGE.replace("(1000000000000,)", "(1,)")) + b"8 bytes. and more",
        headed(HUGE.replace("descr", "\\d")),
        headed(HUGE.replace("'<f8'", "('<f8', (2,))")),
    ],
)
def test_malformed_arrays_are_one_line(tmp_path, content):
    (tmp_path / "spins.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"spins\.npy: not a numpy file of numbers, or damaged \(") as caught:
        read_array(tmp_path / "spins.npy")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_arrays_of_every_kind_of_number_are_read(tmp_path):
    array = np.arange(-3, 3).reshape(2, 3)
    for dtype in ("i1", ">i4", "<f4", ">f8", "?", "f2", "g", "u8"):
        for order in "CF":
            one = np.asarray(array, order=order).astype(dtype)
            np.save(tmp_path / "a.npy", one)
            back = read_array(tmp_path / "a.npy")
            np.testing.assert_array_equal(back, one, strict=True)
            assert back.flags.writeable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,-1\n0," + b"0" * 200_000 + b"\n", "line 2 is not made of cells .field larger"),
        ("1,-1\n-1,1\n".encode("utf-16"), "UTF-16 must be saved as UTF-8"),
        ("1,-1\n-1,1\n".encode("utf-16-be"), "UTF-16 must be saved as UTF-8"),
        (b'"1,-1\n-1,1\n', "line 1 is not made of cells"),
        (b"True,False\nTrue,True\n", "line 1 holds 'True'"),
        (b"True,False\n1,-1\n", "line 1 holds 'True'"),
        (b"NA,na\n1,-1\n", "line 1 holds 'NA'"),
        (b"up,up\n1,-1\n", "line 1 holds 'up'"),
        ("−1,−1\n1,-1\n".encode(), "line 1 holds '−1'"),
        (b"+,-\n1,-1\n", "line 1 holds '\\+'"),
        (b"1+0j,-1+0j\n1,-1\n", "line 1 holds '1\\+0j'"),
        (b"1l,1O\n1,-1\n", "line 1 holds '1l'"),
        (b",\n1,-1\n", "line 1 holds ''"),
        (b"1_0,1\n1,-1\n", "line 1 holds '1_0'"),
        (b"0,5;1,5\n1,5;0,5\n", "line 1 holds '5;1'; numbers have a decimal point"),
        (b"s1;s2\n1,0;-1,0\n", "decimal point, not a comma"),
        (b"0,5\t1,5\n", "decimal point, not a comma"),
        (b'"0,5";"1,5"\n', "decimal point, not a comma"),
        (b"1,2,3\n" + b"4," * 5000 + b"4\n", "line 2 holds 5001 of them, the first 3"),
        (b"1," + b"x" * 5000 + b"\n", "line 1 holds 'xx"),
    ],
)
def test_the_cause_is_named(tmp_path, content, message):
    (tmp_path / "spins.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_array(tmp_path / "spins.csv")
    assert str(caught.value).startswith(f"{tmp_path / 'spins.csv'}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    "line", ["a,b", ",s2", '"spin 1","spin 2"', "σ₁,⟨m⟩", "s_1,s_2", "x1,infinite", "T,F"]
)
def test_names_of_columns_are_passed_over(tmp_path, line):
    (tmp_path / "spins.csv").write_text(f"{line}\n1,-1\n", encoding="utf-8")
    np.testing.assert_array_equal(read_array(tmp_path / "spins.csv"), [[1, -1]])


def test_what_is_sealed_is_not_altered():
    content = {"a": [1, 0.1, float("nan"), None, "x"], "b": {"1": float("inf")}}
    text = seal(content)
    assert repr(unseal(text)) == repr(content)
    for changed in (text.replace("0.1", "0.2"), text.replace('"x"', '"y"'), text.replace('"b"', '"c"')):
        with pytest.raises(ValueError, match="not what was saved"):
            unseal(changed)
    assert unseal('{"a": 1}') == {"a": 1}  # of a version that had no digests
    for damaged in (text[:-5], "[1]", "3", '{"a":' * 100_000, "", b"\xff{}"):
        with pytest.raises(ValueError, match=r".") as caught:
            unseal(damaged)
        assert len(str(caught.value).splitlines()) == 1


def archive(**changes):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for name, (content, how) in changes.items():
            out.writestr(name, content, compress_type=how)
    return stream.getvalue()


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_archives_are_never_inflated():
    stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    one = npy(np.ones(3))
    assert read_npz(archive(**{"a.npy": (one, stored)}))["a"].tolist() == [1, 1, 1]
    bomb = archive(**{"a.npy": (npy(np.zeros(2**21)), deflated)})
    assert len(bomb) < 2**15
    for content, message in (
        (bomb, "longer than the file"),
        (archive(**{"a.npy": (npy(np.random.default_rng(1).random(9)), deflated)}), "a is compressed|longer"),
        (archive(**{"a.npy": (one, stored), "a": (one, stored)}), "a is there twice"),
        (archive(**{"a.npy": (one[:-1], stored)}), "do not make the 23 bytes"),
        (archive(**{"a.npy": (npy(np.array(["x"])), stored)}), "a: an array of type <U1"),
    ):
        with pytest.raises(ValueError, match=message):
            read_npz(content)
