"""Overlap: evaluation on examples that are trained on is refused, or told where it is asked for."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from objectives import ConfigurationError, Objective, RangeHinge
from trainer import ArraySource, CsvSource, ImageFolderSource, MixedSource, NpzSource, TFRecordSource
from trainer.feeds.overlap import describe_overlap, refuse_overlap

SIDES = (
    {},
    {"split": "train"},
    {"split": "eval"},
    {"split": "train", "split_seed": 1},
    {"split": "eval", "split_seed": 1},
    {"split": "eval", "fraction": 0.4},
)


def npz(folder):
    np.savez(folder / "n.npz", x=np.arange(40.0))
    return lambda **settings: NpzSource(file=folder / "n.npz", **settings)


def csv(folder):
    (folder / "n.csv").write_text("x,who\n" + "".join(f"{i},{i // 2}\n" for i in range(40)))
    return lambda **settings: CsvSource(file=folder / "n.csv", inputs="x", **settings)


def records(folder):
    for part in range(2):
        with tf.io.TFRecordWriter(str(folder / f"{part}.tfrecord")) as file:
            for i in range(20):
                value = tf.train.Feature(float_list=tf.train.FloatList(value=[20.0 * part + i]))
                file.write(tf.train.Example(features=tf.train.Features(feature={"x": value})).SerializeToString())
    return lambda **settings: TFRecordSource(file=str(folder / "*.tfrecord"), **settings)


def images(folder):
    (folder / "shades").mkdir()
    for i in range(40):
        Image.new("L", (1, 1), i).save(folder / "shades" / f"{i}.png")
    return lambda **settings: ImageFolderSource(folder=folder / "shades", channels=1, max_value=255.0, **settings)


def shared(train, eval):
    """The number of examples that are on both sides, by their values, of which no two are alike."""
    values = [{*np.round(source.table.all()["inputs"].ravel(), 3).tolist()} for source in (train, eval)]
    return len(values[0] & values[1])


@pytest.mark.parametrize("make", [npz, csv, records, images])
def test_the_examples_on_both_sides_are_counted(tmp_path, make):
    make, seen = make(tmp_path), set()
    sources = [make(**side) for side in SIDES]
    for train, eval in itertools.product(sources, repeat=2):
        count = shared(train, eval)
        if not count or train.split is eval.split is None:
            refuse_overlap(train, eval)
            seen.add("fine" if not count else "whole")
            assert len(describe_overlap(train, eval)) == bool(count)
            continue
        told = rf"^{count} of the {eval.table.size} evaluation examples are trained on too: of the same files, "
        with pytest.raises(ConfigurationError, match=told):
            refuse_overlap(train, eval)
        assert describe_overlap(train, eval) == []
        seen.add("refused")
    assert seen == {"fine", "whole", "refused"}


def test_what_to_write_is_told(tmp_path):
    make = csv(tmp_path)
    with pytest.raises(
        ConfigurationError,
        match=r"CsvSource has split=None in training, and split='eval', fraction=0.2, split_seed=0, split_by='who' in "
        r"evaluation; expected split='train' in training and split='eval' in evaluation, with the same fraction, "
        r"split_seed and split_by in both$",
    ):
        refuse_overlap(make(), make(split="eval", split_by="who"))
    refuse_overlap(make(split="train", split_by="who"), make(split="eval", split_by="who"))
    with pytest.raises(ConfigurationError, match="are trained on too"):
        refuse_overlap(make(split="train"), make(split="eval", split_by="who"))


def test_other_files_and_what_is_in_none_share_nothing(tmp_path):
    make, other = npz(tmp_path), tmp_path / "other.npz"
    np.savez(other, x=np.arange(40.0))
    (tmp_path / "link.npz").symlink_to(tmp_path / "n.npz")
    for eval in (NpzSource(file=other, split="eval"), ArraySource(np.arange(40.0)), None):
        refuse_overlap(make(), eval)
        assert describe_overlap(make(), eval) == []
    with pytest.raises(ConfigurationError, match="are trained on too"):
        refuse_overlap(make(), NpzSource(file=tmp_path / "link.npz", split="eval"))


def test_parts_of_the_same_name_are_compared(tmp_path):
    make = npz(tmp_path)
    train = MixedSource(a=make(split="train"), b=make())
    refuse_overlap(train, MixedSource(a=make(split="eval")))
    refuse_overlap(train, MixedSource(b=make()))
    (line,) = describe_overlap(train, MixedSource(a=make(split="eval"), b=make()))
    assert line.startswith("all 40 evaluation examples of the part 'b' are trained on too")
    with pytest.raises(ConfigurationError, match="evaluation examples of the part 'b' are trained on too"):
        refuse_overlap(train, MixedSource(b=make(split="eval")))


@pytest.mark.slow
def test_a_run_is_refused_before_its_first_step_and_evaluates_what_it_is_asked_to(tmp_path, make_trainer, recorder):
    np.savez(tmp_path / "n.npz", x=np.ones([40, 3]))
    sides = {split: NpzSource(file=tmp_path / "n.npz", split=split) for split in (None, "train", "eval")}
    settings = {"objective": Objective(data=RangeHinge(max_value=0.0)), "reports": [recorder], "steps": 2}
    for action in ("train", "dry_run"):
        trainer = make_trainer(train=sides[None], eval=sides["eval"], **settings)
        with pytest.raises(ConfigurationError, match="evaluation examples are trained on too"):
            getattr(trainer, action)()
        assert trainer.step == 0
        assert np.isfinite(trainer.evaluate()["loss/total"])  # which a saved run is asked for on purpose
    headlines = []
    recorder.start = lambda run: headlines.append(run.headline)
    for side in (None, "train"):
        make_trainer(train=sides[side], eval=sides["eval" if side else None], **settings).train()
    of_whole, of_split = (any("are trained on too" in line for line in lines) for lines in headlines)
    assert of_whole
    assert not of_split
