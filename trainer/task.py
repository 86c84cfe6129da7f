"""Task: what is learned. A model, its data, and how its users would measure and draw the result."""

import abc
import copy
import functools
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias

import keras
import numpy as np

from objectives import ConfigurationError, Key, Objective
from objectives.annotations import Expected, mismatch, shown
from objectives.blame import blamed
from objectives.errors import Mistakes
from objectives.fields import Checked
from trainer.feeds.sources import Source
from trainer.measure import Measure

Examples = Annotated[
    Source,
    Expected(
        "a source, such as ArraySource(x, y), or DatasetSource(make) with a function that builds a tf.data.Dataset"
    ),
]

# The axes of one example: their lengths, and names for those that may have any.
Shape: TypeAlias = tuple[int | str, ...]

_Shapes = Annotated[
    Mapping,
    Expected(
        "a dict of tuples by key, or lists of them, such as {'targets': [(), (1,)], 'outputs': (9,)}, or {} for none",
        lambda shapes: all(isinstance(one, tuple) for several in shapes.values() for one in _listed(several)),
    ),
]
_Measures = Annotated[Mapping, Expected("a dict of numbers by name, or {} for none")]
_Meanings = Annotated[
    Mapping,
    Expected(
        "a dict of Measure by name, such as {'error_km': Measure('the mean distance, in km', 'less')}, or {} for none",
        lambda meanings: all(isinstance(one, Measure) for one in meanings.values()),
    ),
]
_Pictures = Annotated[Sequence[str | pathlib.Path], Expected("a list of the files that it wrote, or [] for none")]


class Task(Checked, abc.ABC):
    """A model and its data, which a trainer can be given as a whole.

    `train` and `eval` are read more than once, so make them `functools.cached_property`. A run with `Trainer.train` or
    `Trainer.eval` uses those instead: the trainer's task is then a copy that has them, so that `build_model`, `measure`
    and `draw` see the data of the run.

    Attributes:
      measure_at_evaluations: whether `measure` is called at each evaluation, and its measures are logged as
        `measures/<name>`; otherwise once after training. A subclass whose measures are cheap sets it to True, as a
        class attribute or a field.
      measures: what the numbers of `measure` mean, by name, so that others can read them; a subclass may state it.
    """

    measure_at_evaluations: ClassVar[bool] = False
    measures: ClassVar[Mapping[str, Measure]] = {}

    @property
    @abc.abstractmethod
    def train(self) -> Source:
        """The training data."""

    @property
    @abc.abstractmethod
    def eval(self) -> Source:
        """The evaluation data; none of its examples is in `train`."""

    @abc.abstractmethod
    def build_model(self) -> keras.Model:
        """Builds a new model. The trainer calls it after it has set the seed."""

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """What `measure` and `draw` read of `eval` and of the model's outputs, as shapes of one example by key.

        Other shapes are refused before the first step: NumPy may broadcast them, so that measures are wrong without a
        word, or they fail after training. An axis is a length, or a name for any length, which is then the same
        wherever the name occurs; of a list of shapes, each will do. Weights of examples may be missing. A subclass that
        measures and draws something else says so here too.

        Returns:
          The shapes, such as `{"targets": [(), (1,)], "outputs": (9,)}`; none by default.
        """
        return {}

    def refuse_terms(self, objective: Objective) -> None:
        """Refuses terms that train something else than this task measures and draws; none by default.

        A subclass that has a setting in common with a term compares both here: otherwise a run whose settings change
        one of them alone would train one thing and measure another.

        Args:
          objective: the terms of the run, those of all players where there are some.

        Raises:
          ConfigurationError: A term does not fit.
        """

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures what the model learned on `eval`, in the terms of the task's users.

        The model is an ordinary one, with its averaged weights if an average is kept. With several workers, the chief
        measures alone.

        Returns:
          The measures by name; none by default.
        """
        return {}

    def draw(self, model: keras.Model, folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws what the model makes of some examples of `eval`.

        Args:
          model: the trained model.
          folder: where to write the pictures.

        Returns:
          The files that were written; by default those of `draw_models` with this model alone.
        """
        return self.draw_models({"model": model}, folder)

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws what several models make of the same examples of `eval`, so that they can be compared.

        Args:
          models: trained models by the names of their runs.
          folder: where to write the pictures.

        Returns:
          The files that were written; none by default.
        """
        return []


def with_examples(task: Task, **sources: Source | None) -> Task:
    """Returns a task with other data: a copy whose `train` and `eval` are these sources, where they are given.

    So what it builds, measures and draws is of the data that it is trained and evaluated on.

    Raises:
      ConfigurationError: The task has an attribute of this name that cannot be replaced, and measures or draws.
    """
    given = {name: source for name, source in sources.items() if source is not None}
    replaceable = {name for name in given if isinstance(getattr(type(task), name, None), functools.cached_property)}
    fixed = sorted(given.keys() - replaceable)
    reads = [
        name for name in ("measure", "draw", "draw_models") if getattr(type(task), name) is not getattr(Task, name)
    ]
    if fixed and reads:
        raise ConfigurationError(
            f"{_name(task)}.{fixed[0]} is no functools.cached_property, so that Trainer.{fixed[0]} cannot take its "
            f"place, and {_name(task)}.{reads[0]}() would read other data than those of the run; expected "
            f"@functools.cached_property above it"
        )
    if not replaceable:
        return task
    other = copy.copy(task)
    for name in [*vars(other)]:
        if isinstance(getattr(type(task), name, None), functools.cached_property):
            del vars(other)[name]  # which may have been computed from the data before
    vars(other).update({name: given[name] for name in replaceable})
    return other


def model_of(task: Task) -> keras.Model:
    """Returns the model that a task builds; raises ConfigurationError if it fails or builds something else."""
    with blamed(f"{_name(task)}.build_model()"):
        model = task.build_model()
    return _fitting(f"{_name(task)}.build_model()", model, keras.Model)


def examples_of(task: Task, name: str) -> Source | None:
    """Returns the source `train` or `eval` of a task; raises ConfigurationError if it fails or is something else."""
    with blamed(f"{_name(task)}.{name}"):
        source = getattr(task, name)
    return _fitting(f"{_name(task)}.{name}", source, Examples if name == "train" else Examples | None)


def shapes_of(task: Task) -> dict[Key, list[Shape]]:
    """Returns the shapes that a task measures and draws, several where any will do; raises ConfigurationError."""
    with blamed(f"{_name(task)}.measured_shapes"):
        found = task.measured_shapes
    _fitting(f"{_name(task)}.measured_shapes", found, _Shapes)
    return {key: _listed(shapes) for key, shapes in found.items()}


def directions_of_measures(task: Task | None) -> dict[str, str]:
    """Returns 'min' or 'max' for each measure of which it is known, by its tag; raises ConfigurationError."""
    if task is None:
        return {}
    meanings = _fitting(f"{_name(task)}.measures", task.measures, _Meanings)
    found = {f"measures/{name}": meaning.direction for name, meaning in meanings.items()}
    return {tag: direction for tag, direction in found.items() if direction}


def measures_of(task: Task, model: keras.Model, *, nan: bool = False) -> Mapping[str, float]:
    """Returns the measures of a task; raises ConfigurationError if it fails or they are no numbers.

    Args:
      task: the task.
      model: is measured.
      nan: whether a measure may be NaN, as one of a model that is still trained.
    """
    what = f"{_name(task)}.measure()"
    _require_method(task, "measure", "(self, model)", "a dict of numbers by name")
    with blamed(what):
        measures = task.measure(model)
    _fitting(what, measures, _Measures)
    mistakes = Mistakes()
    for name, value in measures.items():
        if not isinstance(name, str):
            mistakes.messages.append(f"{what} has the name {shown(name)}; expected text")
        elif not (nan and isinstance(value, float | np.floating)) and (found := mismatch(value, float)):
            mistakes.messages.append(f"{what}[{name!r}] {found}")
    mistakes.raise_any()
    return measures


def pictures_of(task: Task, model: keras.Model, folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures that a task draws; raises ConfigurationError if it fails or they are no files."""
    _require_method(task, "draw", "(self, model, folder)", "a list of the files that it wrote")
    with blamed(f"{_name(task)}.draw()"):
        pictures = task.draw(model, folder)
        pictures = list(pictures) if isinstance(pictures, Iterator) else pictures
    return [*_fitting(f"{_name(task)}.draw()", pictures, _Pictures)]


def pictures_of_models(task: Task, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures that a task draws of several models; raises ConfigurationError as `pictures_of`."""
    what = f"{_name(task)}.draw_models()"
    with blamed(what):
        pictures = list(task.draw_models(models, folder))
    return [*_fitting(what, pictures, _Pictures)]


def _name(task: Task) -> str:
    return type(task).__name__


def _listed(shapes: Shape | list[Shape]) -> list[Shape]:
    return shapes if isinstance(shapes, list) else [shapes]


def _require_method(task: Task, name: str, arguments: str, returned: str) -> None:
    """Raises ConfigurationError where a task has something else than a method under a name."""
    value = getattr(task, name)
    if not callable(value):
        raise ConfigurationError(
            f"{_name(task)}.{name} is {shown(value)}; expected a method {name}{arguments} that returns {returned}, or "
            f"none at all: leave the name out"
        )


def _fitting(what: str, value: Any, annotation: Any) -> Any:
    if found := mismatch(value, annotation):
        raise ConfigurationError(f"{what} {found}")
    return value
