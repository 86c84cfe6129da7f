"""Columns: the numbers that pandas reads, and for everything else the file, the row and the column."""

import zipfile

import numpy as np
import pandas
import pytest

from objectives import ConfigurationError
from trainer.feeds.files.columns import read_columns, read_names, read_texts, stacked


@pytest.fixture
def file(tmp_path):
    """Writes a file; its path."""

    def write(text, encoding="utf-8"):
        (tmp_path / "t.csv").write_bytes(text.encode(encoding))
        return tmp_path / "t.csv"

    return write


def test_numbers_are_those_of_pandas(file):
    values = np.random.default_rng(0).normal(size=(50, 2)) * 1e5
    path = file("a,b,c,d\n" + "".join(f"{a!r},{i},{b!r},{i % 2 == 0}\n" for i, (a, b) in enumerate(values.tolist())))
    found, frame = read_columns(path, ["c", "b", "d", "a"]), pandas.read_csv(path, float_precision="round_trip")
    for name, dtype in {"a": np.float64, "b": np.int64, "c": np.float64, "d": bool}.items():
        np.testing.assert_array_equal(found[name], frame[name].to_numpy().astype(dtype), strict=True)
    np.testing.assert_array_equal(found["a"], values[:, 0])  # not a bit is lost


def test_texts_become_the_numbers_of_their_categories(file):
    path = file("kind\nhot\n1\ncold\n")
    assert read_columns(path, ["kind"], categories={"kind": ["cold", "hot", "1"]})["kind"].tolist() == [1, 2, 0]
    assert read_texts(path, "kind").tolist() == ["hot", "1", "cold"]


@pytest.mark.parametrize(
    ("text", "name", "texts"),
    [
        ("a,who\n1,007\n2,1.50\n", "who", ["007", "1.50"]),
        ("a,who\n1, \n2,NA\n", "who", [" ", "NA"]),
        (",b\n007,1\n08,2\n", "Unnamed: 0", ["007", "08"]),
        ("0,1,2\n01,02,03\n", "1", ["02"]),
    ],
)
def test_texts_are_as_they_are_in_the_file_also_where_they_look_like_numbers(file, text, name, texts):
    assert read_texts(file(text), name).tolist() == texts


def test_a_text_that_is_missing_is_refused(file):
    with pytest.raises(ConfigurationError, match=r"t.csv: row 1, column 'who' is missing \(and 1 more such row\)"):
        read_texts(file('a,who\n1,\n2,x\n3,""\n'), "who")


@pytest.mark.parametrize(
    ("text", "row"), [("a\n1\n\n3\n", 2), ("\na\n\n3", 1), ('a\n1\n\n""\n3\n', 2), ("a\r\n1\r\n  \r\n3\r\n", 2)]
)
def test_an_empty_line_is_a_missing_value_of_a_file_of_one_column(file, text, row):
    with pytest.raises(ConfigurationError, match=f"t.csv: row {row}, column 'a' is missing"):
        read_columns(file(text), ["a"])


@pytest.mark.parametrize("text", ["a\n1\n3\n\n\n", "\na\n1\n3", "a\r\n1\r\n3\r\n\r\n"])
def test_empty_lines_around_the_values_are_none(file, text):
    assert read_columns(file(text), ["a"])["a"].tolist() == [1, 3]


def test_rows_that_are_too_long_are_refused_also_where_one_column_is_read_as_text(file):
    with pytest.raises(ConfigurationError, match="has rows with more values than its first row has names"):
        read_texts(file("a,b\n1,2,3\n1,2,3\n"), "a")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "a,b\n1,2\n1,\n1,\n",
            r"t.csv: row 2, column 'b' is missing \(and 1 more such row\); expected a value in each row",
        ),
        ("a,b\n1,2\n\n1\n", "row 2, column 'b' is missing"),
        ("a,b\n1,2\n1,2 m\n", "row 2, column 'b' is '2 m'; expected a number"),
        ("a,b\n1,nan\n1,2\n", "row 1, column 'b' is 'nan'; expected a number"),
        ("a,b\n1,2\n1,inf\n", "row 2, column 'b' is inf; expected a finite number"),
        ("a,b\n1,hot\n1,cold\n", r"expected numbers, or .*: CsvSource.categories = {'b': \['cold', 'hot'\]}"),
        ("a,b\n1,18446744073709551615\n", "column 'b' is 18446744073709551615; expected whole numbers below"),
        ("a,b\n1,99999999999999999999999\n", "expected numbers of at most 64 bits"),
        ("a,b\n1,2\n1,2,3\n", r"t.csv cannot be read: .*line 3"),
        ("a,b\n1,2,3\n1,2,3\n", "t.csv has rows with more values than its first row has names"),
        ("a,a\n1,2\n", "t.csv has several columns 'a'"),
        ("a;b\n1;2\n", "t.csv has one column, 'a;b'; expected CsvSource.separator = ';'"),
        ("a,b\n1,2\n1,-1e300\n", r"row 2, column 'b' is -1e\+300; expected numbers that float32 can hold"),
        ("1,2\n3,4\n", "t.csv has numbers in its first row, 1, 2; expected the names of the columns above"),
        ("", "t.csv is empty"),
    ],
)
def test_what_is_no_number_is_told_with_its_place(file, text, answer):
    with pytest.raises(ConfigurationError, match=answer):
        read_columns(file(text), ["a", "b"])


def test_a_text_of_no_category_is_told_with_what_there_are(file):
    with pytest.raises(ConfigurationError, match="row 2, column 'k' is 'warn'; did you mean 'warm'"):
        read_columns(file("k\nhot\nwarn\n"), ["k"], categories={"k": ["hot", "warm"]})
    with pytest.raises(ConfigurationError, match="row 1, column 'k' is 'zzz'; known: low, high"):
        read_columns(file("k\nzzz\n"), ["k"], categories={"k": ["low", "high"]})


def test_categories_that_repeat_a_text_are_refused(file):
    with pytest.raises(ConfigurationError, match=r"the categories of 'k' are \['a', 'a'\]; expected each text once"):
        read_columns(file("k\na\n"), ["k"], categories={"k": ["a", "a"]})


def test_a_file_of_another_encoding_is_told(file):
    with pytest.raises(ConfigurationError, match=r"t.csv cannot be read: .*utf-8"):
        read_names(file("größe\n1\n", encoding="latin-1"))


@pytest.mark.parametrize("name", ["NA", "null", "nan", "Unnamed: 1"])
def test_columns_have_the_names_that_pandas_gives_them(file, name):
    path = file(f"a,{'' if name.startswith('U') else name}\n1,2\n")
    assert read_names(path) == ["a", name]
    assert read_columns(path, [name])[name].tolist() == [2]


def test_a_column_that_is_read_already_is_not_the_one_that_was_meant(file):
    with pytest.raises(ConfigurationError, match=r"no column 'x3'; known: x1, x2, y$"):
        read_columns(file("x1,x2,y\n1,2,3\n"), ["x1", "x2", "x3"], asked=["x1", "x2", "x3"])
    with pytest.raises(ConfigurationError, match="no column 'x2'; did you mean 'x_2'"):
        read_columns(file("x1,x_2\n1,2\n"), ["x1", "x2"], asked=["x1", "x2"])
    with pytest.raises(ConfigurationError, match="no column 'knd'; did you mean 'kind'"):
        read_columns(file("a,kind\n1,2\n"), ["a", "kind", "knd"], asked=["knd"])


def test_the_names_that_pandas_numbers_are_names(file):
    assert read_names(file(pandas.DataFrame(np.ones([2, 3])).to_csv(index=False))) == ["0", "1", "2"]


@pytest.mark.parametrize("suffix", ["gz", "zip", "xz", "bz2"])
def test_a_damaged_archive_is_told(tmp_path, suffix):
    path = tmp_path / f"t.csv.{suffix}"
    pandas.DataFrame({"a": np.random.default_rng(0).normal(size=500)}).to_csv(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigurationError, match=f"t.csv.{suffix} cannot be read: "):
        read_columns(path, ["a"])


def test_an_archive_of_two_files_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    with pytest.raises(ConfigurationError, match=r"t.zip cannot be read: Multiple files"):
        read_names(tmp_path / "t.zip")


def test_columns_side_by_side_are_single_and_lose_no_whole_number():
    assert stacked({"a": np.array([1, 2**24])}, "S.inputs").tolist() == [[1.0], [2.0**24]]
    with pytest.raises(ConfigurationError, match=r"S.inputs: the column 'id' holds -16,777,217, which float32"):
        stacked({"id": np.array([5, -(2**24) - 1])}, "S.inputs")
    with pytest.raises(ConfigurationError, match=r"'id' holds -9,223,372,036,854,775,808, which float32"):
        stacked({"id": np.array([3, -(2**63)])}, "S.inputs")
