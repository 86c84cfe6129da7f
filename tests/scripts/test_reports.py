"""Reports of a user's own: added to the default ones by a gin file, beside which they lie."""

import json

import pytest

from trainer.reports import jsonl

pytestmark = pytest.mark.slow

MODULE = """
import gin
import json
from trainer.reports import Report

@gin.register(module="mine")
class Tracker(Report):
    def __init__(self, path: str, fails: str = ""):
        self._path, self._fails = path, fails

    def start(self, run):
        self._file = open(self._path, "a")
        self._tell(terms=run.terms, first_step=run.first_step)

    def write(self, records):
        for record in records:
            if self._fails == "write":
                raise OSError("the tracker is gone")
            self._tell(split=record.split, step=record.step)

    def close(self):
        self._file.close()
        if self._fails == "close":
            raise OSError("the tracker is gone")

    def _tell(self, **told):
        self._file.write(json.dumps(told) + "\\n")


@gin.register(module="mine")
class Misspelt(Report):
    def writes(self, records):
        raise AssertionError("nobody calls this")
"""


@pytest.fixture(scope="module")
def tracked(script, tmp_path_factory):
    """Trains the tiny task with a report of the user's own."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "mine.py").write_text(MODULE)
    bindings = f"Trainer.reports = [@Tracker()]\nTracker.path = '{folder / 'told'}'\n"
    (folder / "mine.gin").write_text(f"import mine\n{bindings}")

    def run(name, *bindings):
        (folder / "told").unlink(missing_ok=True)
        flags = ("--gin_file=tiny.gin", f"--gin_file={folder / 'mine.gin'}", f"--workdir={folder / name}")
        process = script("train.py", *flags, *(f"--gin_param={binding}" for binding in bindings))
        told = (folder / "told").read_text().splitlines() if (folder / "told").exists() else []
        return process, [json.loads(line) for line in told], folder / name

    return run


def test_it_is_told_what_the_default_ones_are_and_where_a_run_resumes(tracked):
    process, told, workdir = tracked("run")
    assert process.returncode == 0, process.stderr
    steps = [*({"split": "train", "step": step} for step in range(1, 11)), {"split": "eval", "step": 10}]
    assert told == [{"terms": ["data", "small"], "first_step": 0}, *steps]
    assert [{"split": line.split, "step": line.step} for line in jsonl.read(workdir)] == steps
    assert list((workdir / "train").iterdir())
    assert "step 10 of 10" in process.stdout
    process, told, _ = tracked("run", "Trainer.steps = 11")
    assert process.returncode == 0, process.stderr
    assert told[:2] == [{"terms": ["data", "small"], "first_step": 10}, {"split": "train", "step": 11}]


def test_without_the_default_ones_it_is_the_only_one(tracked):
    process, told, workdir = tracked("alone", "Trainer.default_reports = False")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert [record["step"] for record in told[1:]] == [*range(1, 11), 10]
    assert not {"metrics.jsonl", "train", "eval"} & {path.name for path in workdir.iterdir()}
    assert "step 10 of 10" not in process.stdout
    assert "each term at step 10" in process.stdout


def test_one_that_cannot_close_leaves_measures_and_pictures(tracked):
    process, _, workdir = tracked("unclosed", "Tracker.fails = 'close'")
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert "the report Tracker failed in close() at step 10: " in line
    assert "mine.py, line" in line
    assert line.endswith("which has all training so far: once the report works, the same command resumes from there")
    assert (workdir / "checkpoints" / "000010").is_dir()
    assert (workdir / "learned.json").exists()
    assert (workdir / "pictures" / "terms.png").exists()
    assert "bias of the head: " in process.stdout


def test_one_that_cannot_write_ends_the_run_with_a_sentence(tracked):
    process, _, workdir = tracked("unwritten", "Tracker.fails = 'write'")
    assert process.returncode == 1
    assert process.stderr.startswith("the report Tracker failed in write() at step ")
    assert "OSError: the tracker is gone. There is no intact checkpoint: once the report works, " in process.stderr
    assert "Traceback" not in process.stderr
    assert not (workdir / "learned.json").exists()


def test_those_of_termwise_are_configured_by_gin(tracked, tmp_path):
    process, _, workdir = tracked(
        "own",
        "Trainer.reports = [@Terminal(), @JsonLines(), @trainer.reports.TensorBoard(), @Tracker()]",
        "Terminal.interval = 60.0",
        f"JsonLines.folder = '{tmp_path / 'lines'}'",
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("step 10 of 10") == 1
    assert len(jsonl.read(tmp_path / "lines")) == 11
    assert not (workdir / "metrics.jsonl").exists()
    assert list((workdir / "train").iterdir())


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        (
            "Trainer.reports = [@Tracker]",
            "Trainer.reports holds the class Tracker, not an object of it; write @Tracker()",
        ),
        (
            "Trainer.reports = @Tracker()",
            "Trainer.reports is an object of Tracker; expected a sequence",
        ),
        ("Trainer.default_reports = None", "Trainer.default_reports is None; expected True or False"),
        (
            "Trainer.reports = [@Misspelt(), @Tracker()]",
            "Trainer.reports holds an object of Misspelt, which defines no method that is called; did you mean 'write'",
        ),
        ("Tracker.path = None", "Tracker.path is None; expected text"),
    ],
)
def test_a_mistake_is_answered_by_its_name(tracked, binding, answer):
    process, _, workdir = tracked("mistaken", binding)
    assert process.returncode == 2, process.stderr
    assert answer in process.stderr
    assert not (workdir / "checkpoints").exists()
