"""The folders of runs with two terms, as their files would be."""

import json

import pytest

from trainer.comparison.comparison import compare

ADAM = {"learning_rate": "0.1"}


def of_terms(weight=0.5, margin=1.0, **more):
    return {
        "Objective": {"data": "MeanSquaredError", "small": "RangeHinge", **dict.fromkeys(more, "Overlap")},
        "Objective.data = MeanSquaredError": {"weight": "1"},
        "Objective.small = RangeHinge": {"weight": str(weight), "margin": str(margin)},
        **{f"Objective.{name} = Overlap": own for name, own in more.items()},
    }


@pytest.fixture
def make_run(tmp_path):
    """Makes the folder of a run that was evaluated once, with values by tag, and the record of its settings."""

    def make(
        name, *, data=1.0, small=2.0, weight=0.5, seed=0, step=10, steps=10, settings=None, learned=None, split="eval",
        environment=None, evaluated=None, evaluation=None, initial=None, **more,
    ):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir(parents=True)
        values = {"loss/total": data + weight * small}
        for term, (raw, factor) in {"data": (data, 1.0), "small": (small, weight)}.items():
            own = {"raw": raw, "weight": factor, "weighted": factor * raw, "count": 4.0}
            values |= {f"terms/{term}/{what}": value for what, value in own.items()}
        record = {"split": split, "step": step, **values, **more}
        (folder / "metrics.jsonl").write_text(json.dumps(record) + "\n")
        described = {
            "Trainer": {"seed": str(seed), "optimizer": "Adam"},
            **of_terms(weight),
            "training data": {"inputs": "digest a"},
        }
        (folder / "settings.json").write_text(json.dumps({**described, **(settings or {})}))
        (folder / "environment.json").write_text(json.dumps({"steps": steps, **(environment or {})}))
        if initial:
            (folder / "initial.json").write_text(json.dumps({"initial weights": initial, "frozen layers": "none"}))
        if learned:
            (folder / "learned.json").write_text(json.dumps(learned))
        if evaluated:
            (folder / "checkpoints" / f"{step:06d}").mkdir(parents=True)
            progress = {"step": step, "replicas": 1, "workers": 1, "evaluation": evaluation, "evaluated": evaluated}
            (folder / "checkpoints" / f"{step:06d}" / "progress.json").write_text(json.dumps(progress))
        return folder

    return make


@pytest.fixture
def compared(make_run):
    """Compares runs that are made with some arguments, by their names."""

    def make(**runs):
        return compare([make_run(name, **arguments) for name, arguments in runs.items()])

    return make


@pytest.fixture
def told(compared):
    """The settings that differ between runs, with their values by run."""
    return lambda **runs: {setting.name: texts for setting, texts in compared(**runs).differing.items()}
