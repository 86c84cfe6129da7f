"""Every config file is read, every term file stacks on the runs it says it fits."""

import inspect
import pathlib
import re

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

import objectives
from objectives import ConfigurationError, Objective
from objectives.balancing import GradientWeighting, ValueWeighting
from trainer import ArraySource, MixedSource, Players, Trainer, config
from trainer.settings.measured import refuse_unmeasured_shapes
from trainer.steps.layers.known_outputs import known_outputs
from trainer.task import measures_of

ROOT = pathlib.Path(__file__).parents[2]
# The data terms of each task.
DATA_TERMS = {
    "grid_control": ["tracking"],
    "heat_equation": ["ends", "sensors", "start"],
    "image_synthesis": ["image"],
    "imbalanced_screening": ["screening"],
    "multi_head": ["digit"],
    "node_placement": ["placement"],
    "quantile_regression": ["quantiles"],
    "scene_segmentation": ["classes"],
}
PLAIN_RUNS = [f"{run}_plain" for run in DATA_TERMS]
RUNS = (*DATA_TERMS, *PLAIN_RUNS)
PLAYERS_RUNS = ("adversarial_synthesis", "adversarial_synthesis_plain")
# What the first lines of each file in terms/ say that it fits, without any further binding.
FITS = {
    "smoothness": ("scene_segmentation", "scene_segmentation_plain"),
    "overlap": ("node_placement", "node_placement_plain"),
    "range": ("node_placement", "node_placement_plain"),
    "quantization": ("node_placement", "node_placement_plain"),
    "ordering": ("node_placement", "node_placement_plain", "quantile_regression", "quantile_regression_plain"),
    "activation": [run for run in RUNS if not run.startswith("heat_equation")],
}
SMALL = {
    "scene_segmentation": ("SceneSegmentation.train_scenes = 32", "SceneSegmentation.eval_scenes = 8"),
    "node_placement": (
        "NodePlacement.train_networks = 128",
        "NodePlacement.eval_networks = 8",
        "NodePlacement.width = 16",
    ),
    "imbalanced_screening": (),
    "adversarial_synthesis": ("AdversarialSynthesis.width = 16", "Trainer.execution = 'graph'"),
    "quantile_regression": (),
    "multi_head": ("MultiHead.copies = 1", "MultiHead.width = 16"),
    "grid_control": ("GridControl.train_paths = 64", "GridControl.eval_paths = 8", "GridControl.width = 8"),
    "heat_equation": ("HeatEquation.width = 8",),
    "image_synthesis": ("ImageSynthesis.train_patches = 32",),
}


@pytest.fixture
def load(monkeypatch):
    """Loads run and term files as their first lines say, with little data."""
    monkeypatch.chdir(ROOT)

    def read(run, *terms, params=()):
        files = [f"gin_configs/{run}.gin", *(f"gin_configs/terms/{term}.gin" for term in terms)]
        config.load(files, [*SMALL[run.removesuffix("_plain")], "Trainer.strategy = 'one_device'", *params])

    return read


@pytest.fixture
def first_batch(load):
    """The terms on the first batch, by tag."""

    def values(run, *terms, params=()):
        load(run, *terms, params=params)
        return config.build(Trainer, default_reports=False).dry_run()

    return values


def objective():
    return gin.get_configurable(Objective)()


def test_every_file_is_tested():
    folder = ROOT / "gin_configs"
    assert {file.stem for file in folder.glob("*.gin")} == {*RUNS, *PLAYERS_RUNS, "base"}
    assert {file.stem for file in (folder / "terms").glob("*.gin")} == set(FITS)


@pytest.mark.parametrize("file", sorted((ROOT / "gin_configs").rglob("*.gin")), ids=lambda file: file.stem)
def test_every_file_begins_by_saying_what_it_is(file):
    assert file.read_text().startswith("# ")
    if file.parent.name == "terms":
        assert all(f"# {word}" in file.read_text() for word in ("Adds", "Fits:", "Another"))
    elif file.parent.name == "balancers":
        assert "\n# From " in file.read_text()
    elif file.stem != "base":
        assert f"--gin_file=gin_configs/{file.stem}.gin" in file.read_text()


@pytest.mark.parametrize(
    ("run", "terms"),
    [
        ("scene_segmentation", ["activation", "border", "classes", "costly", "smoothness"]),
        ("node_placement", ["overlap", "placement", "range"]),
        ("quantile_regression", ["decay", "ordering", "quantiles"]),
        ("imbalanced_screening", ["activation", "decay", "screening"]),
        ("multi_head", ["activation", "digit", "mass", "picture"]),
        ("grid_control", ["grid", "range", "smoothness", "tracking"]),
        ("heat_equation", ["ends", "heat", "sensors", "start"]),
        ("image_synthesis", ["activation", "edges", "image", "smoothness", "texture"]),
    ],
)
def test_a_plain_file_measures_every_term_and_optimises_the_data_terms_alone(load, run, terms):
    load(run)
    assert list(objective().terms) == terms
    gin.clear_config()
    load(f"{run}_plain")
    assert list(objective().terms) == terms
    assert [name for name, term in objective().terms.items() if term.optimised] == DATA_TERMS[run]


def test_without_the_penalty_the_players_are_the_same_and_it_is_measured(load):
    optimised = []
    for run in PLAYERS_RUNS:
        gin.clear_config()
        load(run)
        players = gin.get_configurable(Players)()
        assert players.describe() == "critic makes 1 update, then generator 1"
        terms = players.objective.terms
        assert [*terms] == ["critic.made", "critic.real", "critic.smooth", "generator.fool"]
        optimised.append({name for name, term in terms.items() if term.optimised})
    assert optimised[0] - optimised[1] == {"critic.smooth"}


OWN = {}


@gin.register(module="reader")
def my_data():
    return OWN["data"]


@gin.register(module="reader")
def my_model():
    return OWN["model"]


def other_examples(source):
    """Fewer examples of the same kind, from the end on."""
    if isinstance(source, MixedSource):
        return MixedSource(**{name: other_examples(part) for name, part in source.parts.items()}, shares=source.shares)
    return ArraySource(**tf.nest.map_structure(lambda values: values[:-60:-1], dict(source.arrays)))


@pytest.mark.parametrize("run", [*DATA_TERMS, PLAYERS_RUNS[0]])
def test_every_number_that_a_task_measures_has_a_meaning_and_none_else_has(load, run):
    load(run)
    task = config.made("Trainer.task")
    assert [*measures_of(task, task.build_model())] == [*task.measures]


@pytest.mark.parametrize("run", [*DATA_TERMS, PLAYERS_RUNS[0]])
def test_every_run_measures_shapes_that_its_own_data_and_model_have_and_no_others(load, run):
    load(run)
    task = config.made("Trainer.task")
    outputs = known_outputs(task.build_model())
    refuse_unmeasured_shapes(task, task.eval, outputs)
    deeper = keras.tree.map_structure(lambda tensor: keras.KerasTensor([*tensor.shape, 7]), outputs)
    with pytest.raises(ConfigurationError, match=f"^{type(task).__name__} measures 'outputs"):
        refuse_unmeasured_shapes(task, task.eval, deeper)


@pytest.mark.slow
@pytest.mark.parametrize("run", [*DATA_TERMS, PLAYERS_RUNS[0]])  # The plain ones are read below, with a term more.
def test_every_run_takes_data_and_a_model_of_the_readers_own_by_a_line_each(load, run):
    load(run)
    task = config.made("Trainer.task")
    OWN.update(data=other_examples(task.eval), model=task.build_model())
    gin.clear_config()
    load(run, params=[*(f"Trainer.{name} = @my_data()" for name in ("train", "eval")), "Trainer.model = @my_model()"])
    trainer = config.build(Trainer, default_reports=False)
    values = trainer.dry_run()
    weighted = [value for tag, value in values.items() if tag.endswith("/weighted")]
    assert values["loss/total"] == pytest.approx(sum(weighted), rel=1e-5)
    assert trainer.task.train is trainer.task.eval is OWN["data"]
    assert np.isfinite([*measures_of(trainer.task, OWN["model"]).values()]).all()


def fitting(run):
    """The terms that a run takes without any further binding."""
    return [term for term, runs in FITS.items() if run in runs]


@pytest.mark.parametrize("run", PLAIN_RUNS)
def test_a_term_needs_no_other_file_of_a_term(load, run):
    load(run, *fitting(run))
    together = dict(objective().terms)
    for term in fitting(run):
        gin.clear_config()
        load(run, term)
        assert repr(objective().terms[term]) == repr(together[term])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "more", "params"),
    [
        ("node_placement_plain", [], []),
        ("multi_head_plain", [], []),
        ("image_synthesis_plain", [], []),
        # A term reads another tensor where a binding says so.
        ("scene_segmentation_plain", ["range"], ["RangeHinge.y_pred = 'outputs.logits'"]),
    ],
)
def test_terms_stack_on_every_plain_run_they_fit(first_batch, run, more, params):
    terms = [*fitting(run), *more]
    values = first_batch(run, *terms, params=params)
    for term in terms:
        raw, weight = values[f"terms/{term}/raw"], values[f"terms/{term}/weight"]
        assert values[f"terms/{term}/weighted"] == pytest.approx(raw * weight, rel=1e-5)
        assert weight > 0.0


@pytest.mark.parametrize(
    ("term", "run"),
    [
        ("smoothness", "scene_segmentation"),
        ("activation", "scene_segmentation"),
        ("activation", "imbalanced_screening"),
        ("overlap", "node_placement"),
        ("range", "node_placement"),
    ],
)
def test_stacking_a_term_on_a_run_that_has_it_changes_nothing(load, term, run):
    load(run)
    alone = dict(objective().terms)
    gin.clear_config()
    load(run, term)
    assert repr(objective().terms[term]) == repr(alone[term])


def test_every_method_of_balancing_has_a_file(monkeypatch):
    monkeypatch.chdir(ROOT)
    made = set()
    for file in (ROOT / "gin_configs" / "balancers").glob("*.gin"):
        gin.clear_config()
        needed = re.findall(r'--gin_param="(.*)"', file.read_text())
        config.load(["gin_configs/node_placement.gin", str(file)], needed)
        (name,) = re.findall(r"^Trainer.balancer = @(\w+)\(\)$", file.read_text(), re.MULTILINE)
        assert f"# {name}: " in file.read_text()
        made.add(type(gin.get_configurable(name)()))
    assert made == {kind for kind in vars(objectives).values() if is_method(kind)}


def is_method(thing):
    kinds = (ValueWeighting, GradientWeighting)
    return isinstance(thing, type) and issubclass(thing, kinds) and not inspect.isabstract(thing)


def test_a_stacked_term_reads_the_key_that_the_run_names(load):
    load("scene_segmentation_plain", "smoothness")
    assert objective().terms["smoothness"].y_pred == "outputs.probabilities"


def test_a_term_whose_key_does_not_fit_says_which_would(first_batch):
    with pytest.raises(ConfigurationError, match="outputs.logits"):
        first_batch("scene_segmentation_plain", "range")


def test_the_plain_cross_entropy_knows_no_costs(load):
    load("scene_segmentation_plain")
    assert not any(map(any, objective().terms["classes"].costs))


def test_the_costs_are_those_of_the_first_two_digits(load):
    load("scene_segmentation")
    costs = objective().terms["classes"].costs
    assert {(i, j) for i, row in enumerate(costs) for j, cost in enumerate(row) if cost} == {(1, 2), (2, 1)}
