"""The conflict map has the cosine of each pair at each measurement."""

import itertools
import json

import numpy as np

from trainer.pages.conflict_map import conflict_map
from trainer.pages.facts import read_facts


def test_each_pair_has_its_cosine_at_each_look(facts):
    figure = conflict_map(facts)
    (cells,) = figure.renderers
    data = cells.data_source.data
    assert {*data["pair"]} == {"data and small"}
    assert {*data["label"]} == {"data\nand small"} == {*figure.y_range.factors}
    np.testing.assert_array_equal(data["right"], np.arange(1, 41))
    np.testing.assert_array_equal(data["left"], np.arange(40))
    np.testing.assert_array_equal(data["cosine"], np.full(40, -0.5))


def test_pairs_that_fight_most_are_at_the_top(run_folder):
    folder = run_folder()
    values = {f"terms/{name}/{what}": 1.0 for name in "abc" for what in ("weighted", "grad_norm")}
    cosines = {"cosines/a/b": 0.5, "cosines/a/c": -0.25, "cosines/b/c": -0.75}
    (folder / "metrics.jsonl").write_text(json.dumps({"split": "train", "step": 1, **values, **cosines}) + "\n")
    assert conflict_map(read_facts(folder)).y_range.factors[::-1] == ["b\nand c", "a\nand c", "a\nand b"]


def test_long_names_are_cut_beside_the_rows_and_told_in_full_by_the_mouse(run_folder):
    folder = run_folder()
    names = [f"overlap_of_{which}_with_all_of_the_others" for which in ("left", "right")]
    values = {f"terms/{name}/{what}": 1.0 for name in names for what in ("weighted", "grad_norm")}
    record = {"split": "train", "step": 1, **values, f"cosines/{names[0]}/{names[1]}": 0.5}
    (folder / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    figure = conflict_map(read_facts(folder))
    (label,) = figure.y_range.factors
    one, other = label.split("\nand ")
    assert one != other
    assert max(len(one), len(other)) <= 26
    assert figure.renderers[0].data_source.data["pair"].tolist() == [" and ".join(names)]


def test_without_looks_there_is_none(run_folder):
    assert conflict_map(read_facts(run_folder(gradients=False))) is None


def test_of_many_pairs_those_that_fight_most_are_shown_and_it_is_said(run_folder):
    folder = run_folder()
    names = [f"t{i:02d}" for i in range(10)]
    cosines = {f"cosines/{one}/{other}": i / 100 for i, (one, other) in enumerate(itertools.combinations(names, 2))}
    values = {f"terms/{name}/weighted": 1.0 for name in names} | {f"terms/{name}/grad_norm": 1.0 for name in names}
    (folder / "metrics.jsonl").write_text(json.dumps({"split": "train", "step": 1, **values, **cosines}) + "\n")
    figure = conflict_map(read_facts(folder))
    assert len(figure.y_range.factors) == 30
    assert figure.y_range.factors[-1] == "t00\nand t01"
    assert "the 30 of 45 pairs that fight most" in figure.title.text
