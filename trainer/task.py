"""Task: what is learned. A model, its data, and how its users would measure and draw the result."""

import abc
import pathlib

import keras

from objectives.fields import Checked
from trainer.feeds.sources import Source


class Task(Checked, abc.ABC):
    """A model and its data. Subclasses live in `tasks/`, one file each.

    `train` and `eval` are read more than once: make them `functools.cached_property`.
    """

    @property
    @abc.abstractmethod
    def train(self) -> Source:
        """The examples to learn from."""

    @property
    @abc.abstractmethod
    def eval(self) -> Source:
        """The examples to judge by; none of them is in `train`."""

    @abc.abstractmethod
    def build_model(self) -> keras.Model:
        """A new model; called once the seed is set."""

    @abc.abstractmethod
    def measure(self, model: keras.Model) -> dict[str, float]:
        """What the model learned, in the measures that the task's users know, on `eval`."""

    @abc.abstractmethod
    def draw(self, model: keras.Model, folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws what the model does with some of `eval` into `folder`; the files it made."""
