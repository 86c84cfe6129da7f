"""What scripts share: a mistake ends them with status 2 and one clear answer."""

import pathlib
import signal

import pytest

ROOT = pathlib.Path(__file__).parents[3]
TINY = ("train.py", "--gin_file=tiny.gin")


@pytest.mark.slow
def test_an_unknown_flag_is_refused_with_the_nearest_name(script):
    process = script("train.py", "--gin_fiel=tiny.gin")
    assert (process.returncode, process.stdout) == (2, "")
    assert "gin_fiel" in process.stderr
    assert "gin_file" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.slow
def test_help_is_what_a_command_does_its_examples_and_its_own_flags(script):
    process = script("train.py", "--help")
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert lines[0] == "Trains what gin files describe."
    assert len([line for line in lines if line.startswith("  termwise train ")]) == 2
    flags = [line.split("=")[0].split()[0] for line in lines if line.startswith("  --")]
    assert sorted(flags) == sorted(
        f"--{name}"
        for name in (
            *("gin_file", "gin_param", "workdir", "dry_run", "print_config"),
            *("allow_config_change", "logical_devices", "debug"),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["catalogue.py", "TotalVariation"],
        ["train.py", "--gin_file=tiny.gin", "--print_config"],
        ["export.py", "--help"],
        ["compare.py", "{run}"],
    ],
)
def test_a_command_that_only_shows_ends_quietly_by_sigpipe_where_nobody_reads_it(unread, tiny_run, command):
    script, *arguments = (one.format(run=tiny_run[1]) for one in command)
    assert unread(ROOT / "scripts" / script, *arguments) == (-signal.SIGPIPE, "")


def test_another_backend_of_keras_is_refused_at_once(fresh_script, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    process = fresh_script("train.py", "--gin_file=tiny.gin")
    assert (process.returncode, process.stdout) == (2, "")
    (line,) = process.stderr.splitlines()
    assert "KERAS_BACKEND is 'jax'; expected 'tensorflow'" in line


MISTAKES = {
    "term": (["--gin_param=Objective.extra = @RangeHing()"], "did you mean 'RangeHinge'?"),
    "parameter": (["--gin_param=ActivationPenalty.wait = 1"], "ActivationPenalty has no 'wait'"),
    "root of a key": (["--gin_param=MeanSquaredError.y_pred = 'output'"], "did you mean 'outputs'?"),
    "key": (["--gin_param=MeanSquaredError.y_pred = 'outputs.mask'"], "'outputs' is one tensor and has no part 'mask'"),
    "layer": (
        ["--gin_param=ActivationPenalty.activation = 'activations.hiden'"],
        "key 'activations.hiden': did you mean 'activations.hidden'?",
    ),
    "file": (["--gin_file=tyny.gin"], "there is no file 'tyny.gin'; "),
    "shape": (["--gin_param=TinyTask.flat_targets = True"], "they would broadcast to [batch, batch]"),
    "objective": (
        ["--gin_param=Objective.data = None", "--gin_param=Objective.small = None"],
        "the objective is empty; add a term",
    ),
    "folder": (["--workdir={file}/run"], "cannot be written to"),
    "devices": (["--logical_devices=999"], "--logical_devices is 999; expected 1 to "),
    "empty folder": (["--workdir="], "workdir is ''; expected the path of a folder"),
    "argument": (["left_over"], "unexpected argument 'left_over'; expected flags only"),
    "several": (
        ["--gin_param=ActivationPenalty.wait = 1", "--gin_param=Objective.smal = None"],
        "did you mean 'small'?",
    ),
}


@pytest.fixture(scope="module")
def answers(scripts, tmp_path_factory):
    """The process of each mistake, and of one of them with --debug."""
    file = tmp_path_factory.mktemp("mistakes") / "file"
    file.write_text("no folder")
    commands = {
        name: (*TINY, *(argument.format(file=file) for argument in arguments))
        for name, (arguments, _) in MISTAKES.items()
    }
    return scripts({**commands, "debugged": (*commands["layer"], "--debug")})


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_with_status_2_and_a_clear_answer(answers, name):
    process = answers[name]
    assert process.returncode == 2, process.stderr
    assert MISTAKES[name][1] in process.stderr
    assert "Traceback" not in process.stderr
    assert len(process.stderr.strip().splitlines()) == (2 if name == "several" else 1)


@pytest.mark.slow
def test_debugging_shows_the_traceback(answers):
    process = answers["debugged"]
    assert process.returncode not in (0, 2)
    assert "Traceback (most recent call last)" in process.stderr
    assert MISTAKES["layer"][1] in process.stderr


@pytest.mark.slow
def test_a_disk_that_refuses_ends_with_status_1_and_says_what_is_safe(script, tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    (tmp_path / ".termwise.lock").touch()
    process = script(*TINY, f"--workdir={tmp_path}")
    assert process.returncode == 1, process.stderr
    (said,) = process.stderr.splitlines()
    assert f"{tmp_path}/metrics.jsonl cannot be written: Is a directory. There is no intact" in said
