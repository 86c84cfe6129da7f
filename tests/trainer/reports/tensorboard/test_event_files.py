"""Event files of resumed runs: TensorBoard reads each step once, whatever a kill left."""

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from trainer.reports.tensorboard import event_files
from trainer.reports.tensorboard.event_files import EventFile, drop_after
from trainer.storage.files import StorageError


def steps(folder):
    """The steps of the scalars of all files of a folder, each as TensorBoard's own loader reads it."""
    return [
        event.step
        for path in sorted(folder.iterdir())
        for event in EventFileLoader(str(path)).Load()
        if event.summary.value and event.summary.value[0].tag == "loss/total"
    ]


@pytest.fixture
def write(train_line):
    def write(folder, first_step, lines, **settings):
        file = EventFile(folder / "train", first_step, **settings)
        for step in lines:
            file.add_scalars(train_line(step))
        file.close()
        return folder / "train"

    return write


@pytest.mark.parametrize("step", [0, 1, 9, 10, 11, 299, 300, 20_000, 2**40])
def test_events_of_later_steps_are_gone(write, tmp_path, step):
    lines = [1, 10, 300, 20_000, 2**40]
    folder = write(tmp_path, 0, lines)
    drop_after(folder, step)
    assert steps(folder) == [line for line in lines if line <= step]


def test_runs_that_went_on_again_and_again_have_each_step_once(write, tmp_path):
    write(tmp_path, 0, range(1, 16))
    write(tmp_path, 10, [11, 12])
    write(tmp_path, 10, [])
    folder = write(tmp_path, 10, range(11, 20))
    assert steps(folder) == list(range(1, 20))
    assert len(list(folder.iterdir())) == 2


def test_the_latest_events_of_earlier_files_are_at_hand(write, tmp_path):
    write(tmp_path, 0, range(1, 16))
    write(tmp_path, 10, [11, 12, 13])
    file = EventFile(tmp_path / "train", 12, since=8)
    assert [event.step for event in file.before if event.summary.value] == [9, 10, 11, 12]
    assert EventFile(tmp_path / "train", 12).before == []


def test_what_is_told_about_a_tag_is_in_the_first_event_that_has_it(write, tmp_path, train_line):
    tag, text = "terms/data/raw", "`(y_pred - y_true)^2`"
    file = EventFile(tmp_path, 0, about={tag: text, "never": "is not there"})
    file.add_scalars(train_line(1))
    file.add_scalars(train_line(2))
    file.close()
    (path,) = tmp_path.iterdir()
    told = [
        (event.step, value.metadata.summary_description)
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.tag == tag
    ]
    assert told == [(1, text), (2, "")]


def test_files_without_anything_left_are_removed(write, tmp_path):
    folder = write(tmp_path, 10, [11])
    drop_after(folder, 10)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("lost", [1, 4, 5, 50, 200])
def test_a_torn_end_is_dropped(tmp_path, write, lost):
    folder = write(tmp_path, 0, [1, 2])
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    drop_after(folder, 2)
    assert steps(folder) == [1]
    (path,) = folder.iterdir()
    assert whole.startswith(path.read_bytes())


@pytest.mark.parametrize("end", [b"\0" * 40, b"\xff" * 7, b"\xff" * 40])
def test_what_is_no_record_is_dropped(write, tmp_path, end):
    folder = write(tmp_path, 0, [1, 2])
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole + end)
    drop_after(folder, 2)
    assert path.read_bytes() == whole


def test_nothing_is_kept_from_a_record_on_whose_bytes_are_altered(write, tmp_path):
    folder = write(tmp_path, 0, [1, 2, 3])
    (path,) = folder.iterdir()
    whole = bytearray(path.read_bytes())
    whole[-100] ^= 1
    path.write_bytes(whole)
    drop_after(folder, 3)
    assert steps(folder) == [1, 2]


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_full_disk_is_told_by_the_name_of_the_file(tmp_path, monkeypatch, method):
    monkeypatch.setattr(event_files, "drop_after", lambda *_, **__: [])
    monkeypatch.setattr(event_files.time, "time", lambda: 1.0)
    monkeypatch.setattr(event_files.socket, "gethostname", lambda: "host")
    path = tmp_path / f"events.out.tfevents.1.000000.host.{event_files.os.getpid()}.termwise.v2"
    path.symlink_to("/dev/full")
    file = EventFile(tmp_path, 0)
    with pytest.raises(StorageError, match=f"^{path} cannot be written: No space left on device$"):
        getattr(file, method)()


def test_an_empty_file_is_removed_and_those_of_others_are_left_alone(tmp_path):
    (tmp_path / "events.out.tfevents.1.host.2.termwise.v2").touch()
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        tf.summary.scalar("theirs", 1.0, step=100)
    theirs = [path for path in tmp_path.iterdir() if "termwise" not in path.name]
    drop_after(tmp_path, 10)
    assert list(tmp_path.iterdir()) == theirs
