"""CsvSource: columns by name as inputs and targets, over one file or several."""

import numpy as np
import pandas
import pytest

from objectives import ConfigurationError
from trainer import CsvSource
from trainer.feeds.files.csv import recorded

ROWS = "a,b,y,kind,who\n1,2.5,7,hot,ann\n3,4.5,8,cold,bob\n5,6.5,9,hot,ann\n"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "one.csv").write_text(ROWS)
    return tmp_path / "one.csv"


@pytest.fixture
def several(file):
    (file.parent / "two.csv").write_text("b,a,y,kind,who\n8.5,7,10,hot,eve\n")
    return file.parent / "*.csv"


def arrays(**settings):
    return CsvSource(**settings).arrays


def test_a_list_is_side_by_side_and_a_name_is_by_itself(file):
    found = arrays(file=file, inputs=["b", "a"], targets="y")
    np.testing.assert_array_equal(found["inputs"], np.array([[2.5, 1], [4.5, 3], [6.5, 5]], np.float32), strict=True)
    np.testing.assert_array_equal(found["targets"], np.array([7, 8, 9]), strict=True)


def test_a_dict_has_parts_by_key(file):
    inputs, categories = {"numbers": ["a", "b"], "kind": "kind"}, {"kind": ["hot", "cold"]}
    source = CsvSource(file=file, inputs=inputs, targets=["y"], sample_weight="b", categories=categories)
    assert source.keys == ("inputs.numbers", "inputs.kind", "targets", "sample_weight")
    assert source.arrays["inputs"]["kind"].tolist() == [0, 1, 0]
    assert source.arrays["targets"].shape == (3, 1)


@pytest.mark.parametrize(
    ("targets", "keys"),
    [("kind", ["targets"]), (["kind"], ["targets"]), ({"of": "kind", "y": "y"}, ["targets.of"]), (["y", "kind"], [])],
)
def test_the_texts_of_a_target_are_the_names_of_its_classes(file, targets, keys):
    source = CsvSource(file=file, inputs=["a"], targets=targets, categories={"kind": ["hot", "cold"]})
    assert source.class_names == dict.fromkeys(keys, ("hot", "cold"))


def test_inputs_are_by_default_all_other_columns(file):
    found = arrays(file=file, targets="y", split_by="who", categories={"kind": ["cold", "hot"]})
    assert found["inputs"].tolist() == [[1, 2.5, 1], [3, 4.5, 0], [5, 6.5, 1]]


def test_rows_of_several_files_follow_one_another_whatever_the_order_of_columns(several):
    assert arrays(file=several, inputs=["a", "b"])["inputs"][:, 0].tolist() == [1, 3, 5, 7]


def test_rows_of_one_value_are_on_one_side_of_a_split(tmp_path):
    who = np.repeat(np.arange(200), 3)
    (tmp_path / "p.csv").write_text("x,who\n" + "".join(f"{i},p{name}\n" for i, name in enumerate(who)))
    sides = [
        arrays(file=tmp_path / "p.csv", inputs="x", split=side, split_by="who")["inputs"] for side in ("train", "eval")
    ]
    assert sorted([*sides[0], *sides[1]]) == list(range(600))
    assert 60 < len(sides[1]) < 180
    assert not {*who[sides[0]]} & {*who[sides[1]]}


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"inputs": ["a", "c"]}, "CsvSource: .*one.csv has no column 'c'; .*known: a, b, kind, who, y"),
        ({"inputs": []}, "CsvSource.inputs names no column"),
        ({"inputs": "a", "targets": ""}, "one.csv has no column ''; .*known: a, b, kind, who, y"),
        ({"inputs": "a", "categories": {"kind": ["hot"]}}, "categories has the column 'kind', which nothing reads"),
        ({"inputs": "a", "split_by": "group", "split": "eval"}, "one.csv has no column 'group'"),
        ({"inputs": "a", "split_by": "group"}, "one.csv has no column 'group'"),
        ({"inputs": ["a", "b", "a"]}, "CsvSource.inputs names the column 'a' twice; expected each once"),
        ({"inputs": "a", "separator": ", "}, "CsvSource.separator is ', '; expected one character"),
        ({"inputs": "a", "separator": ""}, "CsvSource.separator is ''; expected one character"),
        ({"inputs": 3}, "CsvSource.inputs is 3; expected the name of a column"),
        ({"inputs": ["who"]}, r"row 1, column 'who' is 'ann'.*{'who': \['ann', 'bob'\]}"),
    ],
)
def test_what_does_not_fit_is_refused(file, settings, answer):
    with pytest.raises(ConfigurationError, match=answer):
        CsvSource(file=file, **settings)


def test_a_file_of_inputs_alone_is_told_to_be_for_predictions(file):
    with pytest.raises(ConfigurationError) as caught:
        CsvSource(file=file, inputs=["a", "b"], targets={"value": ["price"], "of": "grade"})
    (message,) = caught.value.messages
    assert message.endswith(
        "one.csv has no column 'price' or 'grade'; known: a, b, kind, who, y. "
        "An evaluation needs targets, as training does; `termwise predict` does not"
    )


@pytest.mark.parametrize(
    ("inputs", "targets"), [(["a"], ["knd"]), (["a", "c"], ["price"]), (["a"], ["y", "price"]), (["kind"], ["wh"])]
)
def test_where_names_are_mistaken_nothing_is_said_of_predictions(file, inputs, targets):
    with pytest.raises(ConfigurationError, match="has no column") as caught:
        CsvSource(file=file, inputs=inputs, targets=targets)
    assert "predict" not in str(caught.value)


def test_rows_of_which_nobody_knows_the_side_are_refused(several):
    (several.parent / "three.csv").write_text("a,b,y,kind,who\n1,2,3,hot,\n")
    with pytest.raises(ConfigurationError, match=r"split_by: .*three.csv: row 1, column 'who' is missing"):
        CsvSource(file=several, inputs="a", split_by="who", split="train")


def test_mistakes_of_all_files_are_told_together(several):
    (several.parent / "three.csv").write_text("a,b\n1,x\n")
    with pytest.raises(ConfigurationError) as caught:
        CsvSource(file=several, inputs=["a", "y"])
    assert len(caught.value.messages) == 1
    assert "three.csv has no column 'y'" in str(caught.value)


def test_a_file_without_rows_is_refused(tmp_path):
    (tmp_path / "e.csv").write_text("a,b\n")
    with pytest.raises(ConfigurationError, match=r"e.csv has no rows below the names"):
        CsvSource(file=tmp_path / "e.csv")


def test_an_index_that_pandas_wrote_is_no_input_unless_it_is_named(tmp_path):
    pandas.DataFrame({"a": [5, 6], "b": [7, 8]}).to_csv(tmp_path / "i.csv")
    assert arrays(file=tmp_path / "i.csv", inputs="Unnamed: 0")["inputs"].tolist() == [0, 1]
    assert arrays(file=tmp_path / "i.csv", split_by="Unnamed: 0")["inputs"].tolist() == [[5, 7], [6, 8]]
    with pytest.raises(ConfigurationError, match=r"column without a name, .*expected CsvSource.inputs = \['a', 'b'\]"):
        CsvSource(file=tmp_path / "i.csv")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_told(tmp_path, mark):
    (tmp_path / "x.csv").write_text(mark.join("aby") + "\n" + mark.join("123") + "\n")
    with pytest.raises(ConfigurationError, match=f"expected CsvSource.separator = {mark!r}".replace("\\", r"\\")):
        CsvSource(file=tmp_path / "x.csv", targets="y")
    assert arrays(file=tmp_path / "x.csv", targets="y", separator=mark)["inputs"].tolist() == [[1, 2]]


@pytest.mark.parametrize("inputs", [None, ["b", "a"], {"kind": "kind", "rest": ["a"]}])
def test_a_run_records_how_its_files_were_read(file, inputs):
    settings = {"categories": {"kind": ["hot", "cold"]}} if inputs is None or "kind" in inputs else {}
    record = CsvSource(file=file, targets="y", inputs=inputs, split_by="who", **settings).record()
    how = {"inputs": inputs or ["a", "b", "kind"], "categories": settings.get("categories", {}), "separator": ","}
    assert recorded(record) == how


def test_the_order_of_keys_is_none_of_what_a_run_records(file):
    columns = {"kind": "kind", "rest": ["b", "a"]}
    one, two = (
        CsvSource(file=file, targets="y", inputs=inputs, categories={"kind": ["hot", "cold"]}).record()
        for inputs in (columns, dict(reversed(columns.items())))
    )
    assert one == two
