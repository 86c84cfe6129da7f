"""RunData: the examples that a run trains on and is evaluated on, as feeds, and what users are told of them."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.executions.chunk import gather_batch
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Feed
from trainer.feeds.other_columns import refuse_other_columns
from trainer.feeds.overlap import describe_overlap, refuse_overlap
from trainer.feeds.repetition import describe_repetition
from trainer.feeds.sources import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunData:
    """The examples of a run. A feed is made when it is first needed.

    Attributes:
      strategy: the replicas that share a batch.
      train: the source of training.
      eval: the source of evaluation; None if there is none.
      batch_size: the number of examples in a batch, over all replicas.
      micro_batches: the number of parts that a replica cuts its shard into while it trains.
      seed: decides the order of training.
    """

    strategy: tf.distribute.Strategy
    train: Source
    eval: Source | None
    batch_size: int
    micro_batches: int = 1
    seed: int = 0

    @functools.cached_property
    def train_feed(self) -> Feed:
        """The batches of training."""
        return self.train.training(self.train_sharding, seed=self.seed)

    @functools.cached_property
    def eval_feed(self) -> Feed:
        """The batches of an evaluation.

        Raises:
          ConfigurationError: there is no evaluation source, or it reads other columns than that of training.
        """
        if self.eval is None:
            raise ConfigurationError(
                "there are no evaluation data; expected Trainer(eval=...), or a task that has them"
            )
        refuse_other_columns(self.train, self.eval)
        return self.eval.evaluation(self.eval_sharding)

    @functools.cached_property
    def train_sharding(self) -> BatchSharding:
        """How replicas share a batch of training."""
        return BatchSharding(strategy=self.strategy, batch_size=self.batch_size, micro_batches=self.micro_batches)

    @functools.cached_property
    def eval_sharding(self) -> BatchSharding:
        """How they share one of evaluation, in which nothing is accumulated."""
        return BatchSharding(strategy=self.strategy, batch_size=self.batch_size)

    @property
    def evaluates(self) -> bool:
        """Whether there is evaluation data."""
        return self.eval is not None

    def train_batch(self, data: Any) -> Mapping[str, Any]:
        """Returns the examples of the first row of `data`, of the feed of training, as arrays, without padding."""
        return gather_batch(self.strategy, self.train_feed, data)

    def numbers(self, batch: int) -> np.ndarray | None:
        """Returns which of the user's examples a batch of training has, see `Source.numbers`."""
        return self.train.numbers(batch, batch_size=self.batch_size, seed=self.seed)

    def describe_training(self) -> str:
        """Describes in words on how many examples a run trains, and how many a step takes."""
        return f"{self.train.words} in batches of {self.batch_size:,}"

    def describe_evaluation(self) -> str:
        """Describes in words on how many examples a run is evaluated."""
        return "no evaluation" if self.eval is None else f"evaluated on {self.eval.words}"

    def describe_doubts(self) -> list[str]:
        """Describes batches that have some examples several times, and evaluation on all that is trained on."""
        return [*describe_repetition(self.train, self.batch_size), *describe_overlap(self.train, self.eval)]

    def refuse_overlap(self) -> None:
        """Raises ConfigurationError where examples are trained on that should be held out, see `refuse_overlap`."""
        refuse_overlap(self.train, self.eval)
