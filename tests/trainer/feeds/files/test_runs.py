"""Runs over own data, by gin files outside of this repository: trained, killed and resumed with the same bits."""

import io
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from objectives import ConfigurationError
from trainer import load_run
from trainer.devices.strategy import mirrored
from trainer.saved.rebuilding import changes_of

TERMWISE = "from termwise.cli.main import main; main()"
SETTINGS = ("Trainer.checkpoint_every = 40", "Trainer.chunk_steps = 20")

# Dicts whose keys gin sorts when it writes what a run was asked for.
KEYS = (
    "CsvSource.inputs = {'late': ['c', 'a'], 'early': ['a', 'b']}",
    "CsvSource.targets = ['sum']",
    "net_for_files.shape = (2,)",
    "net_for_files.outputs = 1",
    "net_for_files.parts = ('late', 'early')",
    "Objective.data = @FunctionTerm()",
    "FunctionTerm.fn = @gap_for_files",
    "FunctionTerm.keys_of = {'target': 'targets', 'output': 'outputs.late'}",
)

pytestmark = pytest.mark.slow


def test_a_killed_run_resumes_with_the_same_bits(ready_python, prepare, build, tmp_path, kind):
    file = prepare(kind)
    flags = [
        f"--gin_param={line}" for line in (*SETTINGS, "Trainer.steps = 1_000_000", "Trainer.strategy = 'one_device'")
    ]
    command = ["-c", TERMWISE, "train", f"--gin_file={file}", "--workdir=killed", *flags]
    process = ready_python.start(tmp_path, *command, output=tmp_path / "said.txt")
    checkpoints = tmp_path / "killed" / "checkpoints"
    while not any(checkpoints.glob("[0-9]*")):
        assert process.poll() is None, (tmp_path / "said.txt").read_text()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    reached = max(int(path.name) for path in checkpoints.glob("[0-9]*"))
    assert 0 < reached < 1_000_000
    settings = {"steps": reached + 33, "strategy": mirrored(["CPU:0"])}
    resumed, whole = (build(file, *SETTINGS, workdir=folder, **settings) for folder in (tmp_path / "killed", None))
    assert resumed.train() == whole.train()
    for ours, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_run_resumes_on_other_replicas_to_the_same_weights_but_for_rounding(prepare, build, tmp_path, kind):
    file, weights = prepare(kind), []
    for folder, counts in (("split", (1, 3)), ("whole", (1,))):
        for steps, replicas in zip((20, 45)[-len(counts) :], counts, strict=True):
            strategy = mirrored([f"CPU:{i}" for i in range(replicas)])
            trainer = build(file, workdir=tmp_path / folder, steps=steps, strategy=strategy)
            trainer.train()
        weights.append(trainer.model.get_weights())
    for ours, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


STREAMED = """
import pathlib, sys
import keras
from objectives import KerasLoss, Objective
from trainer import ImageFolderSource, Trainer

layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
Trainer(
    model=keras.Sequential([keras.Input([96, 96, 3]), *layers]),
    objective=Objective(data=KerasLoss(loss=loss)),
    optimizer=keras.optimizers.Adam(0.01),
    train=ImageFolderSource(folder=sys.argv[1]),
    batch_size=64,
    steps=320,
    execution="graph",
    default_reports=False,
).train()
print([line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")][0])
"""


def test_twenty_thousand_images_are_streamed_in_a_gigabyte(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, [50, 12, 12, 3], np.uint8)
    encoded = [io.BytesIO() for _ in pixels]
    for file, small in zip(encoded, pixels, strict=True):
        Image.fromarray(small).resize((96, 96)).save(file, "jpeg")
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(10_000):
            (tmp_path / "images" / name / f"{i}.jpg").write_bytes(encoded[i % len(encoded)].getvalue())
    command = [sys.executable, "-c", STREAMED, str(tmp_path / "images")]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    megabytes = int(process.stdout.split()[-2]) / 1024
    assert megabytes < 1000  # decoded, all images take 2,211


def test_a_run_resumes_with_the_data_that_it_began_with_wherever_their_file_is(prepare, build, tmp_path):
    file, workdir = prepare("csv"), tmp_path / "run"
    build(file, workdir=workdir, steps=20).train()
    (tmp_path / "points.csv").rename(tmp_path / "moved.csv")
    moved = "CsvSource.file = 'moved.csv'"
    assert build(file, moved, workdir=workdir, steps=30).train()
    with (tmp_path / "moved.csv").open("a") as opened:
        opened.write("0.5,0.5,0.5,1.5,0.25\n")
    with pytest.raises(ConfigurationError, match=r"had other settings .*\n.*training data"):
        build(file, moved, workdir=workdir, steps=40)


def test_a_run_resumes_and_is_evaluated_by_its_own_record_whatever_the_order_of_keys(prepare, build, tmp_path):
    workdir = tmp_path / "run"
    build(prepare("csv"), *KEYS, workdir=workdir, steps=20).train()
    with load_run(workdir).rebuilt() as trainer:
        assert changes_of(trainer, workdir) == []
    resumed = build(str(workdir / "config.gin"), workdir=workdir, steps=30)
    assert resumed.train()
    assert resumed.step == 30
