"""Rows of numbers in files: numpy's reader and the careful one meet; columns, archives, memory."""

import csv
import gzip
import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from rbmflow.reading import Columns, read_array, read_table
from rbmflow.reading.delimited import Delimited
from tests.test_reading import npy

SPINS = np.where(np.random.default_rng(1).random((6, 4)) < 0.5, 1, -1)


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


CELLS = ["1", "-1", "+1", "0.5", ".5", "5.", "1e3", "-1.5E-7", "9007199254740993", "1e999", "007", " 1 "]
ODD = ["", " ", "+", "-", "e", "1e", "1e+", "--1", "1 1", "1.1.1", "+-1", "1-1", "e5", "1,", ";", "\t"]


def random_text(rng, odd):
    """Return rows of cells with what stands between them, sometimes wrong."""
    mark, width = rng.choice([",", ";", " ", "\t", ", "]), rng.integers(1, 5)
    lines = []
    for _ in range(rng.integers(1, 5)):
        cells = rng.choice(CELLS + ODD * (rng.random() < odd), width + (rng.random() < odd / 4))
        lines.append(mark.join(cells) + (mark if rng.random() < odd / 2 else ""))
    head = rng.choice(["", "# x,y\n", "a,b\n", "\n", "a;b;c\n"], p=[0.6, 0.1, 0.1, 0.1, 0.1])
    end = rng.choice(["\n", "\r\n", "\n\n", "\r"], p=[0.6, 0.2, 0.15, 0.05])
    return (head + end.join(lines) + rng.choice(["", end])).encode()


def found(call):
    try:
        return call()
    except ValueError as error:
        return str(error)


def test_both_readers_give_the_same_numbers_on_random_texts():
    rng = np.random.default_rng(7)
    n_plain = n_refused = 0
    for index in range(6000):
        content = random_text(rng, odd=0.5 * (index % 2))
        text = found(lambda content=content: Delimited(content))
        if isinstance(text, str):
            continue
        columns = None if rng.random() < 0.7 else rng.permutation(text.width)[: rng.integers(1, 4)].tolist()
        careful = found(lambda text=text, columns=columns: text._careful(columns))
        plain = text._plain(columns)
        n_plain += plain is not None
        n_refused += isinstance(careful, str)
        if plain is not None:
            assert not isinstance(careful, str), (content, careful)
            np.testing.assert_array_equal(plain, careful, strict=True, err_msg=repr(content))
    assert n_plain > 2500
    assert n_refused > 500


@pytest.mark.parametrize(
    "content",
    [
        "1,-1\n-1,1\n",
        "# made by hand; see, below\n\na,b\n1,-1\n\n-1,1",
        "\ufeffa;b\r\n1;-1\r\n-1;1\r\n",
        "a,b,\n1,-1,\n-1,1,\n",
        " 1 -1\n-1  1\n",
        "1\t-1\n-1 \t 1\n",
        "a\tb\t\n1\t-1\t\n-1\t1\t\n",
        "σ₁,σ₂\n+1.0,-1e0\n-1,1\n",
    ],
)
def test_plain_text_is_read_by_numpy(content):
    text = Delimited(content.encode())
    np.testing.assert_array_equal(text._plain(None), [[1, -1], [-1, 1]])
    np.testing.assert_array_equal(text._plain([1]), [[-1], [1]])
    np.testing.assert_array_equal(text._careful(None), [[1, -1], [-1, 1]])


@pytest.mark.parametrize("content", ["1,2,3\n4,5\n6,7,8,9\n", "1 2 3\n4 5\n", "1,2,\n3,4\n"])
@pytest.mark.parametrize("columns", [None, [0], [0, 1]])
def test_rows_of_other_lengths_are_refused_also_where_their_ends_are_not_read(content, columns):
    # np.loadtxt with usecols does not look at the others
    with pytest.raises(ValueError, match=r"line 2 holds (2 of them|'')|line 1 holds ''|of line 1 holds ''"):
        Delimited(content.encode()).numbers(columns)


@pytest.mark.parametrize("content", ["1\t\t-1\n-1\t1\t\n", "1,,-1\n-1,1,\n", "1; ;-1\n-1;1;\n"])
def test_no_cell_takes_the_place_of_an_empty_one(content):
    with pytest.raises(ValueError, match="column 2 of line 1 holds ''"):
        Delimited(content.encode()).numbers()


@pytest.mark.parametrize("cell", ["0x10", "1_0", "١", "1d5", "1f", "infinity", "nan", "1j", "0b1", "1 # one"])
def test_numbers_that_only_one_reader_might_take(cell):
    text = Delimited(f"1,-1\n1,{cell}\n".encode())
    assert text._plain(None) is None
    careful = found(text.numbers)
    try:
        assert careful[1, 1] == float(cell) or np.isnan(careful[1, 1])
    except TypeError:
        assert "column 2 of line 2 holds" in careful


def test_an_error_names_file_line_column_and_name(tmp_path):
    path = written(tmp_path, "a.csv", "# x\nup,down\n1,-1\n\n1,NA\n")
    with pytest.raises(ValueError, match=r"a\.csv: rows.*column 2 \('down'\) of line 5 holds 'NA'"):
        read_array(path)
    path = written(tmp_path, "a.csv", "up\n1,-1\n")
    with pytest.raises(ValueError, match="it has 1 names for 2 columns"):
        read_array(path)


def test_a_title_above_columns_between_spaces_names_none_of_them(tmp_path):
    path = written(tmp_path, "a.txt", "spins of rings\n1 -1\n-1 1\n")
    np.testing.assert_array_equal(read_array(path), [[1, -1], [-1, 1]])
    with pytest.raises(ValueError, match="its columns have no names"):
        read_table(path, Columns("of"))


def test_of_a_column_of_labels_an_error_says_how_it_is_left_out(tmp_path):
    path = written(tmp_path, "a.csv", "kind,up\nhot,1\n")
    with pytest.raises(
        ValueError, match=r"\('kind'\) of line 2 holds 'hot'; .* is left out by label, or by columns"
    ):
        read_array(path)
    with pytest.raises(ValueError, match=r"line 1 holds 'NA'$"):
        read_array(written(tmp_path, "b.csv", "1,NA\n"))


TABLE = "kind,a,b,c\nhot,1,-1,\ncold,-1,1,x\n"


@pytest.mark.parametrize(
    ("wanted", "label", "values", "names", "labels"),
    [
        ("2-3", None, [[1, -1], [-1, 1]], ("a", "b"), None),
        ("b,a", "kind", [[-1, 1], [1, -1]], ("b", "a"), ("hot", "cold")),
        (" 3 ", "1", [[-1], [1]], ("b",), ("hot", "cold")),
        ('"a", 3', "c", [[1, -1], [-1, 1]], ("a", "b"), ("", "x")),
        ("1-3", "kind", [[1, -1], [-1, 1]], ("a", "b"), ("hot", "cold")),
    ],
)
def test_columns_by_number_and_name(tmp_path, wanted, label, values, names, labels):
    rows = read_table(written(tmp_path, "a.csv", TABLE), Columns(wanted, label))
    np.testing.assert_array_equal(rows.values, values)
    assert (rows.names, rows.labels) == (names, labels)
    assert [("kind", "a", "b", "c")[column - 1] for column in rows.columns] == list(names)


@pytest.mark.parametrize("name", ["a.npy", "a.csv", "a.npz"])
def test_columns_of_every_kind_of_file(tmp_path, name):
    path = tmp_path / name
    if name == "a.csv":
        np.savetxt(path, SPINS, delimiter=",", fmt="%d")
    else:
        (np.save if name == "a.npy" else np.savez_compressed)(path, SPINS)
    rows = read_table(path, Columns("3-", "2"))
    np.testing.assert_array_equal(rows.values, SPINS[:, 2:])
    assert rows.labels == tuple(map(str, SPINS[:, 1]))
    assert rows.columns == (3, 4)


@pytest.mark.parametrize(
    ("wanted", "label", "message"),
    [
        ("5", None, "columns='5': the columns are 1 to 4"),
        ("0", None, "columns='0': the columns are 1 to 4"),
        ("3-2", None, "columns='3-2': the columns are 1 to 4"),
        ("1-9999999999", None, "columns='1-9999999999': the file has no such column; its names are"),
        ("d", None, "columns='d': the file has no such column; its names are"),
        ("", None, "columns=''"),
        ("-3", None, "columns='-3': the file has no such"),
        ("a,2", None, "columns='a,2': a column is there twice"),
        ("a\nb", None, "columns="),
        (None, "1-2", "label='1-2': one column is needed"),
        (None, "z", "label='z': the file has no such"),
        ("kind", "kind", "no column is left"),
    ],
)
def test_columns_that_are_not_there(tmp_path, wanted, label, message):
    with pytest.raises(ValueError, match=message):
        read_table(written(tmp_path, "a.csv", TABLE), Columns(wanted, label))
    with pytest.raises(ValueError, match="its columns have no names"):
        read_table(written(tmp_path, "b.csv", "1,-1\n"), Columns("a"))


def test_gzip_around_every_kind_of_file(tmp_path):
    text = "\n".join(",".join(map(str, row)) for row in SPINS.tolist())
    half = len(text) // 2
    for name, content in (
        ("a.csv.gz", gzip.compress(text.encode())),
        ("b.csv", gzip.compress(text.encode())),  # told by its first bytes
        ("c.csv.gz", gzip.compress(text[:half].encode()) + gzip.compress(text[half:].encode())),
        ("d.npy.gz", gzip.compress(npy(SPINS))),
    ):
        np.testing.assert_array_equal(read_array(written(tmp_path, name, content)), SPINS)


ZIPPED = gzip.compress(b"1,-1\n", mtime=0)  # the names of tests hold it


@pytest.mark.parametrize("content", [b"", b"1,-1\n", ZIPPED[:-3], ZIPPED[:-1] + b"x"])
def test_what_is_no_gzip_file_is_told(tmp_path, content):
    path = written(tmp_path, "a.csv.gz", content)
    if not content:  # gzip takes nothing for nothing
        content, message = b"", "rows of numbers"
    else:
        message = r"a\.csv\.gz: not a gzip file, or damaged \("
    with pytest.raises(ValueError, match=message):
        read_array(path)


def test_nothing_is_inflated_beyond_the_memory(tmp_path, monkeypatch):
    zeros = bytes(2**26)
    bomb = written(tmp_path, "bomb.csv.gz", gzip.compress(zeros, 1))
    np.savez_compressed(tmp_path / "bomb.npz", np.zeros(2**23))
    large = written(tmp_path, "large.csv", b"1,-1\n" * 2**20)
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**23)
    tracemalloc.start()
    for path in (bomb, tmp_path / "bomb.npz", large):
        with pytest.raises(MemoryError, match=rf"{path.name}.*of memory are needed"):
            read_array(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24  # two steps of gzip; the bombs are of 2^26 bytes


def test_one_array_of_an_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, train=SPINS, test=SPINS[:2])
    np.testing.assert_array_equal(read_array(path, "test"), SPINS[:2])
    with pytest.raises(ValueError, match=r"it holds 2 arrays, train, test: say which one"):
        read_array(path)
    with pytest.raises(ValueError, match=r"it has no array 'valid', it has train, test"):
        read_array(path, "valid")
    np.savez(path, SPINS)
    np.testing.assert_array_equal(read_array(path), SPINS)
    np.save(tmp_path / "a.npy", SPINS)
    with pytest.raises(ValueError, match=r"array='x': .*a\.npy is no archive"):
        read_array(tmp_path / "a.npy", "x")


def test_archives_that_lie_about_lengths(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.npy", npy(np.zeros(2**18)))
    content, whole = stream.getvalue(), len(npy(np.zeros(2**18)))
    assert content.count(whole.to_bytes(4, "little")) == 2  # in both headers
    for size in (100, whole - 1, whole + 1):
        path = written(
            tmp_path, "a.npz", content.replace(whole.to_bytes(4, "little"), size.to_bytes(4, "little"))
        )
        with pytest.raises(ValueError, match=r"a\.npz: not an npz file of numbers, or damaged"):
            read_array(path)


@pytest.mark.parametrize("quote", ["", '"'])
def test_memory_is_that_of_the_text_and_the_numbers(tmp_path, quote):
    spins = np.where(np.random.default_rng(1).random((400, 784)) < 0.5, 1, -1)
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL).writerows(spins.tolist())
    tracemalloc.start()
    found = read_array(tmp_path / "a.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, spins)
    size = (tmp_path / "a.csv").stat().st_size
    assert peak < size + 1.5 * found.nbytes + 2**20  # an array that grows holds some more
