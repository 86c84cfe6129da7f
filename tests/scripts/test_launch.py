"""scripts/launch.py: several workers are one run, and all of them end when one does."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from termwise.cli.workers import environments
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import jsonl

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
MASKED = (
    "--gin_file=tiny.gin",
    "--gin_param=TinyTask.masked = True",
    "--gin_param=TinyTask.units = 3",
    "--gin_param=MeanSquaredError.y_true = 'targets.y'",
    "--gin_param=MeanSquaredError.mask = 'targets.mask'",
    "--gin_param=Trainer.eval_every = 3",
    "--gin_param=Trainer.best = '-measures/bias of the head'",
    "--gin_param=Trainer.gradients_every = 6",
    "--gin_param=TinyTask.measure_at_evaluations = True",
    "--gin_param=Trainer.metrics = @Metrics()",
    "--gin_param=Metrics.fit = @fit/KerasMetric()",
    "--gin_param=KerasMetric.metric = @keras.metrics.R2Score()",
    "--gin_param=fit/KerasMetric.y_true = 'targets.y'",
    "--gin_param=fit/KerasMetric.mask = 'targets.mask'",
    "--gin_param=Metrics.columns = @columns/KerasMetric()",
    "--gin_param=columns/KerasMetric.y_true = 'inputs'",
    "--gin_param=columns/KerasMetric.y_pred = 'activations.hidden'",
)
# Two players, of whom one makes two updates in each step and the other one in every second step.
GAME = (
    "Trainer.objective = None",
    "Trainer.optimizer = None",
    "Trainer.players = @Players()",
    "Players.head = @head/Player()",
    "head/Player.objective = @head/Objective()",
    "head/Objective.data = @MeanSquaredError()",
    "head/Player.optimizer = @keras.optimizers.Adam()",
    "head/Player.variables = 'head/.*'",
    "head/Player.steps = 2",
    "Players.rest = @rest/Player()",
    "rest/Player.objective = @rest/Objective()",
    "rest/Objective.data = @MeanSquaredError()",
    "rest/Objective.small = @ActivationPenalty()",
    "rest/Player.optimizer = @keras.optimizers.SGD()",
    "rest/Player.every = 2",
    "keras.optimizers.SGD.learning_rate = 0.1",
)
STEPS, HALF = "--gin_param=Trainer.steps = 12", "--gin_param=Trainer.steps = 6"
# Seconds: far more than a launch takes, and all that a broken one may.
LIMIT = 60.0


def launch(*flags, workers=2):
    return ("launch.py", f"--workers={workers}", "--", *flags)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--workers=0", "--", "--dry_run"], "--workers=0"),
        (["--workers=2"], "no flags say what to train"),
        (["--workers=2", "--", "predict"], "the work of train and evaluate only; found 'predict'"),
        (["--workers=2", "--gin_file=tiny.gin"], "flags of the command train follow after --"),
    ],
)
def test_its_own_flags_are_checked_at_once(fresh_script, arguments, answer):
    process = fresh_script("launch.py", *arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert answer in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_it_starts_at_once():
    code = "import sys, termwise.launch; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LIMIT)


@pytest.fixture(scope="module")
def ready(ready_worker):
    """What has the workers of a launch begin at once, as forks."""
    return {"python": ready_worker.executable}


@pytest.fixture(scope="module")
def runs(scripts, ready, tmp_path_factory):
    """The masked run by one process and by workers, and begun by them and ended by one: processes and folders by name.

    Workers of two replicas each, and those that end what they began, are in `random_runs`.
    """
    folder = tmp_path_factory.mktemp("workers")

    def workdir(name):
        return f"--workdir={folder / name}"

    commands = {
        "one": ("train.py", *MASKED, STEPS, workdir("one")),
        "two": launch(*MASKED, STEPS, workdir("two")),
        "half": launch(*MASKED, HALF, workdir("half")),
    }
    processes = scripts(commands, **ready)
    shutil.copytree(folder / "half", folder / "by one")
    rest = ("train.py", *MASKED, STEPS, workdir("by one"), "--gin_param=Trainer.strategy = 'one_device'")
    processes |= scripts({"by one": rest}, **ready)
    for name, process in processes.items():
        assert process.returncode == 0, (name, process.stderr)
    return processes, folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two", "by one"])
def test_workers_take_the_same_steps_as_one_process(runs, name):
    _, folder = runs
    ours, expected = jsonl.read(folder / name), jsonl.read(folder / "one")
    assert [(line.split, line.step) for line in ours] == [(line.split, line.step) for line in expected]
    assert sum(line.split == "train" for line in expected) == 12
    assert {"metrics/fit", "metrics/columns", "measures/bias of the head"} <= expected[-1].values.keys()
    for line, right in zip(ours, expected, strict=True):
        assert line.values.keys() == right.values.keys()
        for tag in right.values.keys() - {"speed/steps_per_second"}:
            assert line.values[tag] == pytest.approx(right.values[tag], rel=1e-5, abs=1e-7), (line.step, tag)


@pytest.mark.slow
def test_an_evaluation_by_workers_has_the_bits_that_they_logged(script, ready, runs, tmp_path):
    _, folder = runs
    output = f"--output={tmp_path / 'values.json'}"
    process = script(*launch("evaluate", f"--workdir={folder / 'two'}", output), **ready)
    assert process.returncode == 0, process.stderr
    values, logged = json.loads((tmp_path / "values.json").read_text()), jsonl.read(folder / "two")[-1]
    assert (values.pop("split"), values.pop("step")) == (logged.split, logged.step) == ("eval", 12)
    assert {tag: np.float32(value) for tag, value in values.items()} == {
        tag: np.float32(value) for tag, value in logged.values.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two", "by one"])
def test_workers_keep_the_best_checkpoint_of_one_process(runs, name):
    _, folder = runs
    biases = {r.step: r.values["measures/bias of the head"] for r in jsonl.read(folder / "one") if r.split == "eval"}
    best = max(biases, key=biases.__getitem__)
    for run in (name, "one"):
        assert Checkpoints(folder / run / "checkpoints").best("-measures/bias of the head").step == best
    assert f"best checkpoint: measures/bias of the head {biases[best]:.4g} at step {best} (" in runs[0][name].stdout


def assert_same_end(ours, theirs):
    """Both runs ended in the same checkpoint, to the last bit; its arrays."""
    found, expected = (Checkpoints(folder / "checkpoints").latest() for folder in (ours, theirs))
    assert found.step == expected.step > 0
    arrays = found.arrays()
    assert arrays.keys() == expected.arrays().keys()
    for name, value in expected.arrays().items():
        np.testing.assert_array_equal(arrays[name], value, err_msg=name)
    return arrays


@pytest.fixture(scope="module")
def random_runs(scripts, ready, tmp_path_factory):
    """Runs with dropout and batch statistics over a dataset, of four replicas: processes and folders by name.

    They are by one process, by two workers, and by two workers in halves; chaos.py resumes workers of arrays.
    """
    folder = tmp_path_factory.mktemp("random")
    settings = ("TinyTask.dropout = 0.5", "TinyTask.dataset = True", "Trainer.batch_size = 8")
    flags = ("--gin_file=tiny.gin", *(f"--gin_param={line}" for line in (*settings, "Trainer.checkpoint_every = 4")))

    def of(name, devices):
        return (*flags, f"--logical_devices={devices}", f"--workdir={folder / name}")

    first = {
        "one": ("train.py", *of("one", 4), STEPS),
        "workers": launch(*of("workers", 2), STEPS),
        "half": launch(*of("parts", 2), HALF),
    }
    processes = scripts(first, **ready)
    processes |= scripts({"rest": launch(*of("parts", 2), STEPS)}, **ready)
    for name, process in processes.items():
        assert process.returncode == 0, (name, process.stderr)
    return processes, folder


@pytest.mark.slow
def test_random_workers_over_a_dataset_draw_what_one_process_does(random_runs):
    """The draws of a replica depend on its number among all alone, of which each worker has two."""
    _, folder = random_runs
    for ours, expected in zip(jsonl.read(folder / "workers"), jsonl.read(folder / "one"), strict=True):
        assert (ours.split, ours.step) == (expected.split, expected.step)
        assert ours.values["loss/total"] == pytest.approx(expected.values["loss/total"], rel=1e-5)


@pytest.mark.slow
def test_random_workers_resume_where_they_were_in_a_dataset_to_the_same_bits(random_runs):
    _, folder = random_runs
    assert_same_end(folder / "parts", folder / "workers")


@pytest.fixture
def play(scripts, ready, tmp_path):
    """Trains players side by side, given what starts each, and its folder and further settings."""

    def run(**commands):
        def flags(name, *lines):
            bindings = (f"--gin_param={line}" for line in (*GAME, *lines))
            return ("--gin_file=tiny.gin", *bindings, f"--workdir={tmp_path / name}")

        processes = scripts({name: starts(*flags(*asked)) for name, (starts, *asked) in commands.items()}, **ready)
        for name, process in processes.items():
            assert process.returncode == 0, (name, process.stderr)

    return run


def train(*flags):
    return ("train.py", *flags)


@pytest.mark.slow
def test_players_on_workers_move_as_those_of_one_process(play, tmp_path):
    play(one=(train, "one", "Trainer.steps = 12"), two=(launch, "two", "Trainer.steps = 12"))
    ours, expected = jsonl.read(tmp_path / "two"), jsonl.read(tmp_path / "one")
    assert [line.step for line in ours] == [line.step for line in expected]
    for line, right in zip(ours, expected, strict=True):
        assert line.values.keys() == right.values.keys()
        for tag in right.values.keys() - {"speed/steps_per_second"}:
            assert line.values[tag] == pytest.approx(right.values[tag], rel=1e-5, abs=1e-7), (line.step, tag)
    assert {"terms/rest.small/raw", "optimizer/head/updates"} <= ours[0].values.keys()


@pytest.mark.slow
def test_players_on_workers_that_were_killed_go_on_to_the_same_bits(play, pair, tmp_path):
    random = ("TinyTask.dropout = 0.5", "Trainer.batch_size = 8", "Trainer.checkpoint_every = 5")
    flags = [f"--gin_param={line}" for line in (*GAME, *random, "Trainer.steps = 20000")]
    flags += [f"--workdir={tmp_path / 'killed'}"]
    workers, began = pair(flags, flags), time.monotonic()
    while not (checkpoints := Checkpoints(tmp_path / "killed" / "checkpoints")).all():
        assert time.monotonic() - began < LIMIT
        time.sleep(0.01)
    for worker in workers:
        worker.kill()
        worker.wait()
    steps = f"Trainer.steps = {checkpoints.latest().step + 6}"
    play(killed=(launch, "killed", *random, steps), whole=(launch, "whole", *random, steps))
    assert_same_end(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
def test_callbacks_decide_the_same_on_all_workers_and_the_chief_writes_their_files(scripts, ready, tmp_path):
    """Nothing improves by so much, so that the learning rate falls after each epoch but one, and the run ends."""
    names = ("ReduceLROnPlateau", "EarlyStopping", "CSVLogger")
    bindings = (
        f"Trainer.callbacks = [{', '.join(f'@keras.callbacks.{name}()' for name in names)}]",
        "Trainer.eval_every = 2",
        "EarlyStopping.min_delta = 1000.0",
        "EarlyStopping.patience = 4",
        "EarlyStopping.verbose = 1",
        "ReduceLROnPlateau.min_delta = 1000.0",
        "ReduceLROnPlateau.patience = 1",
    )

    def flags(name, rows):
        more = (*bindings, f"CSVLogger.filename = '{tmp_path / rows}.csv'")
        return ("--gin_file=tiny.gin", *(f"--gin_param={one}" for one in more), f"--workdir={tmp_path / name}")

    processes = scripts(
        {
            "one": ("train.py", *flags("one", "one"), STEPS, "--gin_param=Trainer.strategy = 'one_device'"),
            "two": launch(*flags("two", "two"), STEPS),
        },
        **ready,
    )
    for name, process in processes.items():
        assert process.returncode == 0, (name, process.stderr)
    assert processes["two"].stdout.count("Epoch 5: early stopping") == 1
    assert "stopped by EarlyStopping at step 10 of 12" in processes["two"].stdout
    ours, expected = (Checkpoints(tmp_path / name / "checkpoints").latest() for name in ("two", "one"))
    assert (ours.step, ours.progress["stopped_by"]) == (expected.step, expected.progress["stopped_by"])
    ours, expected = (jsonl.read(tmp_path / name) for name in ("two", "one"))
    rates = [
        [line.values["optimizer/learning_rate"] for line in run if line.split == "train"] for run in (ours, expected)
    ]
    assert rates[0] == rates[1]
    assert len({*rates[0]}) == 4
    rows = [(tmp_path / f"{name}.csv").read_text().splitlines() for name in ("two", "one")]
    assert [row.split(",")[0] for row in rows[0]] == ["epoch", "0", "1", "2", "3", "4"]
    assert rows[0][0] == rows[1][0]


@pytest.mark.slow
def test_the_choice_is_in_the_first_lines_and_why_is_in_the_log(runs, random_runs):
    (processes, folder), (of_four, _) = runs, random_runs
    assert " strategy multi_worker: TF_CONFIG names 2 workers\n" in (folder / "two" / "run.log").read_text()
    assert " strategy mirrored: this process has one device\n" in (folder / "one" / "run.log").read_text()
    assert "2 replicas in all, 1 on each of 2 workers (CPU:0); execution graph" in processes["two"].stdout
    assert "4 replicas in all, 2 on each of 2 workers (CPU:0, CPU:1)" in of_four["workers"].stdout
    assert "replicas: 2 before, 1 now; " in processes["by one"].stdout
    assert "resuming at step 6" in processes["by one"].stdout


def own_errors(process):
    """The lines of errors but for those of TensorFlow about devices that a machine has or lacks."""
    return [line for line in process.stderr.splitlines() if not re.search(r"\b[EWI]0000 ", line)]


@pytest.mark.slow
def test_the_chief_alone_speaks_and_writes(runs):
    processes, folder = runs
    assert {line.split("]")[0] for line in processes["two"].stdout.splitlines()} == {"[worker 0"}
    assert own_errors(processes["two"]) == []
    files = {
        name: sorted(p.name for p in (folder / name).rglob("*") if "events" not in p.name) for name in ("one", "two")
    }
    of_others = [name for name in files["two"] if name.startswith("worker-")]
    assert {*of_others} == {"worker-001.npz"}  # in the latest checkpoint, and in the best one
    assert files["one"] == [name for name in files["two"] if name not in of_others]
    for split in ("train", "eval"):
        one, two = (len(list((folder / name / split).iterdir())) for name in ("one", "two"))
        assert one == two


@pytest.mark.slow
@pytest.mark.parametrize("mistake", ["--gin_param=Objective.smal = None", "--gin_param=TinyTask.flat_targets = True"])
def test_a_mistake_is_reported_once_and_ends_with_status_2(script, ready, mistake):
    process = script(*launch("--gin_file=tiny.gin", mistake), **ready)
    assert (process.returncode, process.stdout) == (2, "")
    said, end = own_errors(process)
    assert said.startswith("[worker ")
    assert "ended with status 2" in end


@pytest.fixture
def pair(ready_worker, tmp_path):
    """Starts two workers by hand, with flags of their own; variables are of the second one alone.

    What each says and prints as errors goes into a file of its number.
    """
    workers = []

    def start(*flags_of_each, **variables):
        for number, (flags, environment) in enumerate(zip(flags_of_each, environments(2), strict=True)):
            more = {"TF_CONFIG": environment["TF_CONFIG"], **(variables if number else {})}
            command = ["-u", ROOT / "scripts" / "train.py", "--gin_file=tiny.gin", *flags]
            files = {"output": tmp_path / f"{number}.out", "errors": tmp_path / f"{number}.err"}
            workers.append(ready_worker.start(HERE, *command, **files, variables=more))
        return workers

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "variables", "answer"),
    [
        ("", "--gin_param=Trainer.seed = 5", {}, "Trainer.seed: 0 on worker 0, 5 on worker 1"),
        ("", "--logical_devices=2", {}, "--logical_devices): CPU:0 on worker 0, CPU:0, CPU:1 on worker 1"),
        ("--workdir={}/here", "--workdir={}/there", {}, "which the chief has just written, is not there"),
        ("", "", {"TINY_EVALUATED": "37"}, "evaluation data, examples: 50 on worker 0, 37 on worker 1"),
        ("", "", {"TINY_EVALUATED": "0"}, "it holds no examples"),
    ],
    ids=["a setting", "devices", "a folder", "data", "no data"],
)
def test_workers_that_do_not_fit_together_say_what_differs(pair, tmp_path, first, second, variables, answer):
    workers = pair(*([flag.format(tmp_path)] if flag else [] for flag in (first, second)), **variables)
    for number, worker in enumerate(workers):
        status, said = worker.wait(LIMIT), (tmp_path / f"{number}.err").read_text()
        assert (status, answer in said) == (2, True), said
        assert "Traceback" not in said
    assert not (tmp_path / "there").exists()


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [0, 1], ids=["the chief", "a worker"])
def test_a_worker_that_stands_still_ends_the_other_with_one_line(pair, tmp_path, frozen):
    flags = ["--gin_param=Trainer.steps = 100000000", "--gin_param=Trainer.log_every = 1000"]
    workers = pair(flags, flags)
    began = time.monotonic()
    while " steps/s: " not in (tmp_path / "0.out").read_text():
        assert time.monotonic() - began < LIMIT
        time.sleep(0.01)
    workers[frozen].send_signal(signal.SIGSTOP)
    status, said = workers[1 - frozen].wait(LIMIT), (tmp_path / f"{1 - frozen}.err").read_text()
    assert status == 1, said
    assert len(said.splitlines()) == 1
    assert "another worker has ended" in said


@pytest.mark.slow
def test_workers_whose_output_nobody_reads_any_more_train_to_their_end(unread, tmp_path):
    script, *arguments = launch("--gin_file=tiny.gin", STEPS, f"--workdir={tmp_path / 'run'}")
    status, said = unread(ROOT / "scripts" / script, *arguments)
    assert (status, "Traceback" in said) == (0, False), said
    assert Checkpoints(tmp_path / "run" / "checkpoints").all()[-1].step == 12


@pytest.fixture
def python_of_workers(ready):
    """The Python that a launch starts its workers by."""
    return ready["python"]


@pytest.fixture
def endless(python_of_workers, tmp_path):
    """A launch of two workers in the middle of a long training: the launch, its workers by index, its errors so far."""
    errors = tmp_path / "errors"
    script, *flags = launch(
        "--gin_file=tiny.gin", "--gin_param=Trainer.steps = 10000000", "--gin_param=Trainer.log_every = 1000"
    )
    code = "import sys, runpy; sys.executable, *sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], None, '__main__')"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", code, python_of_workers, str(ROOT / "scripts" / script), *flags],
            cwd=HERE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell the children of a process")
    try:
        assert any(" steps/s: " in line for line in process.stdout), errors.read_text()
        yield process, [int(child) for child in children.read_text().split()], errors
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)
        process.stdout.close()


def ended(process):
    """The status of a launch that is about to end, and after how many seconds it did."""
    began = time.monotonic()
    process.communicate(timeout=LIMIT)
    return process.returncode, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
def test_a_killed_worker_ends_the_launch(endless, index):
    process, workers, errors = endless
    os.kill(workers[index], signal.SIGKILL)
    status, seconds = ended(process)
    assert status == 128 + signal.SIGKILL
    assert seconds < LIMIT
    # The other may still have time to say that it lost this one.
    assert f"[launch] worker {index} was killed by SIGKILL; ending the others" in errors.read_text().splitlines()
    assert "Traceback" not in errors.read_text()
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_reaches_all_workers(endless, number):
    process, workers, errors = endless
    process.send_signal(number)
    status, seconds = ended(process)
    assert status == 128 + number
    assert seconds < LIMIT
    said = [line for line in errors.read_text().splitlines() if "resume with: " in line]
    assert len(said) == 1
    assert "launch.py --workers=2 -- --gin_file=tiny.gin" in said[0]
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.slow
@pytest.mark.parametrize("python_of_workers", [sys.executable], ids=["real processes"])
def test_workers_die_with_their_launch(endless):
    process, workers, _ = endless
    process.kill()
    process.wait()
    began = time.monotonic()
    while any(pathlib.Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() - began < 10.0
        time.sleep(0.1)
