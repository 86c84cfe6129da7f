"""The printed configuration: it reads as the same, the most important first, and says what each setting replaces."""

import gin
import pytest

from objectives import Objective
from trainer import config
from trainer.config.home import GIN_FOLDERS

RUN = """
Trainer.task = @SceneSegmentation()
Trainer.objective = @Objective()
Trainer.optimizer = @Adam()
Adam.learning_rate = %RATE
RATE = 0.01
Objective.data = @MeanSquaredError()
Objective.small = @small/ActivationPenalty()
small/ActivationPenalty.activation = 'activations.hidden'
small/ActivationPenalty.weight = @Linear()
small/Linear.steps = 20
Terminal.interval = 5.0
Trainer.steps = 10
Trainer.batch_size = 64
"""


@pytest.fixture
def printed(file):
    """Loads the text of a file that includes a base, and bindings; the printed configuration."""

    def load(*bindings, text=RUN, base=""):
        file(base, "base_of_test.gin")
        config.load([file(f"include 'base_of_test.gin'\n{text}")], bindings)
        return config.described()

    return load


def loaded():
    """All that gin was told, as text."""
    return {key: {name: repr(value) for name, value in of.items()} for key, of in gin.config._CONFIG.items()}


@pytest.mark.parametrize("path", sorted(path for path in GIN_FOLDERS[1].rglob("*.gin")), ids=lambda path: path.stem)
def test_it_reads_as_the_same_but_for_what_has_no_effect(path, file):
    config.load([str(path)], [])
    before, text = loaded(), config.described()
    gin.clear_config()
    config.load([file(text)], [])
    # Terms of the weight 0, which the plain file binds instead of the schedule.
    dead = {"scene_segmentation_plain": "costly", "grid_control_plain": "grid"}.get(path.stem)
    assert loaded() == {key: of for key, of in before.items() if key != (dead, "objectives.schedules.Linear")}
    assert (f"# {dead}/Linear.steps = " in text) == (dead is not None)


def test_what_a_run_is_comes_before_its_length_and_each_thing_after_what_refers_to_it(printed):
    lines = printed().splitlines()
    order = [
        "Trainer.task = @SceneSegmentation()",
        "Trainer.objective = @Objective()",
        "Trainer.optimizer = @Adam()",
        "Trainer.steps = 10  # default: 1000",
        "Trainer.batch_size = 64",
        "# Trainer.objective",
        "Objective.small = @small/ActivationPenalty()",
        "small/ActivationPenalty.weight = @Linear()  # default: 1.0",
        "small/Linear.steps = 20",
        "# Trainer.optimizer",
        "Adam.learning_rate = %RATE  # default: 0.001",
        "RATE = 0.01",
        "# Without a reference, such as a report that is there by default",
        "Terminal.interval = 5.0  # default: 10.0",
    ]
    assert [line for line in lines if line in order] == order


def test_a_setting_says_which_value_of_a_file_it_replaces(printed, tmp_path):
    text = printed("Trainer.seed = 7", base="Trainer.seed = 5\nTrainer.steps = 10\nTrainer.batch_size = 16")
    base = f"{tmp_path / 'base_of_test.gin'}, line"
    for line in (
        f"# instead of 5 ({base} 1)\nTrainer.seed = 7",
        "Trainer.steps = 10  # default: 1000",
        f"# instead of 16 ({base} 3)\nTrainer.batch_size = 64",
    ):
        assert line.splitlines() == [one for one in text.splitlines() if one in line.splitlines()]


def test_what_a_dropped_term_had_is_a_comment_so_that_the_text_can_be_built(printed, file):
    text = printed(
        "Objective.small = None",
        text=RUN.replace("Terminal.interval = 5.0", ""),
        base="Objective.other = @RangeHinge()\nRangeHinge.max_value = %LIMIT\nLIMIT = 3.0",
    )
    assert "# small/Linear.steps = 20" in text.splitlines()
    assert "LIMIT = 3.0" in text.splitlines()
    gin.clear_config()
    config.load([file(text)], [])
    assert list(config.build(gin.get_configurable(Objective)).terms) == ["data", "other"]
