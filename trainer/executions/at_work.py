"""At work: methods that run with the model and the optimizers under the strategy."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from trainer.steps.train_step import TrainStep


class OfStep(Protocol):
    """What has a step of training."""

    @property
    def step(self) -> TrainStep:
        """The step, which knows the model and the optimizers."""


Self = TypeVar("Self", bound=OfStep)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def at_work(method: Callable[Concatenate[Self, Arguments], Result]) -> Callable[Concatenate[Self, Arguments], Result]:
    """Wraps a method so that it runs inside of `Adoption.at_work`, as whoever calls it may be outside."""

    @functools.wraps(method)
    def inside(self: Self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with self.step.adoption.at_work():
            return method(self, *args, **kwargs)

    return inside
