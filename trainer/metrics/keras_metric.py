"""KerasMetric: any metric of Keras, or one written for it, by the keys of what it takes."""

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import gin
import keras
import tensorflow as tf
from keras.src.losses.loss import squeeze_or_expand_to_same_rank

from objectives import ConfigurationError, Key
from objectives.annotations import Expected
from objectives.keras_names import metric_of
from objectives.ranges import not_numbers
from objectives.reads import align
from trainer.metrics.keras_comparisons import compares_predictions, counts_conditions
from trainer.metrics.keras_ranges import (
    WITHOUT_LOGITS,
    is_of_keras,
    outside_of_range,
    refuse_class_id,
    refuse_other_shapes,
    takes_decisions,
    takes_logits,
    weights_like,
)
from trainer.metrics.metric import Metric
from trainer.metrics.one_class import ClassId, against_others, outside_of_classes

_METRIC = (
    "a metric of Keras, such as @keras.metrics.AUC(), or its name, such as 'auc' (a plain function belongs in "
    "FunctionMetric)"
)


@gin.register(module="trainer.metrics")
@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasMetric(Metric):
    """Any `keras.metrics.Metric`, over all examples of evaluation.

    Its value is that of the same metric updated once with all examples, up to rounding, as its state is updated with
    the examples of all replicas: it need not be a mean, nor additive. What padding and masks hide is left out before
    the metric sees it, so that one which ignores sample weights is right too. The state lies in the evaluation, not in
    the metric, whose own variables keep their values.

    The arguments of the metric's `update_state` are read by the fields of their names. A metric of one tensor, such as
    `keras.metrics.Mean`, reads `y_pred`. A Keras mask of `y_pred` is used besides `mask`.

    Attributes:
      metric: an instance, such as `keras.metrics.AUC()`, or the name that Keras has for it with its default settings,
        such as "auc".
      y_true: the targets that the metric takes. `[batch]` and `[batch, 1]` are brought to one shape, as in Keras.
      y_pred: the predictions that the metric takes.
      class_id: for a metric of a yes or no, such as an AUC, where `y_pred` has a score for each of several classes and
        `y_true` labels: the class that is told from all others. It takes the probability of that class; with
        `from_logits=True` in the metric, that which a softmax makes of the logits.

    Raises:
      ConfigurationError: Keras has no metric of that name. Or its `update_state` takes other arguments, or no sample
        weights where there are some, or it counts in whole numbers while there are weights, as an IoU does by default.

    >>> KerasMetric(metric=keras.metrics.Mean(), y_pred="activations.hidden").reads
    {'y_pred': 'activations.hidden'}
    """

    metric: Annotated[keras.metrics.Metric | str, Expected(_METRIC)]
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    class_id: ClassId | None = None

    def __post_init__(self):
        object.__setattr__(self, "metric", metric_of(self.metric))
        super().__post_init__()
        if self.class_id is not None:
            refuse_class_id(self.of_keras)
        if self.sample_weight is not None and "sample_weight" not in _parameters(self.of_keras):
            raise ConfigurationError(
                f"KerasMetric: {type(self.of_keras).__name__}.update_state takes no sample_weight; expected a metric "
                f"that does, or KerasMetric without one"
            )
        if self.sample_weight is not None and "int" in self.of_keras.dtype:
            raise ConfigurationError(
                f"KerasMetric: {type(self.of_keras).__name__} counts in {self.of_keras.dtype}, and weights would be "
                f"cut to whole numbers; expected dtype='float32' in it"
            )

    @property
    def of_keras(self) -> keras.metrics.Metric:
        """The metric of Keras, also where its name was given."""
        return metric_of(self.metric)

    @property
    def reads(self) -> Mapping[str, Key]:
        if self._of_one_tensor:
            return {"y_pred": self.y_pred}
        return {"y_true": self.y_true, "y_pred": self.y_pred}

    @property
    def key_of_keras_mask(self) -> Key:
        return self.y_pred

    @property
    def adds_up(self) -> bool:
        return counts_conditions(self.of_keras)

    def prepare(self, tensors: Mapping[str, tf.Tensor]) -> None:
        """Updates the metric once, as some make their variables then; their values are put back."""
        before = [(variable, variable.numpy()) for variable in self.of_keras.variables]
        self.of_keras.update_state(*self._positional(dict(tensors)))
        for variable, value in zip(self.of_keras.variables, self.of_keras.stateless_reset_state(), strict=True):
            variable.assign(value)
        for variable, value in before:
            variable.assign(value)

    def initial_state(self) -> Sequence[tf.Tensor]:
        return [tf.convert_to_tensor(value) for value in self.of_keras.stateless_reset_state()]

    def updated(self, state, **tensors):
        found = self.of_keras.stateless_update_state(state, *self._positional(tensors))
        return [tf.ensure_shape(new, old.shape) for new, old in zip(found, state, strict=True)]

    def result(self, state):
        with keras.StatelessScope(state_mapping=zip(self.of_keras.variables, state, strict=True)):
            # Inside, because a metric may return its variables, which have their own values outside.
            return keras.tree.map_structure(_value, self.of_keras.result())

    @property
    def _of_one_tensor(self) -> bool:
        """Whether the metric takes one tensor besides sample weights."""
        parameters = _parameters(self.of_keras)
        required = [name for name, p in parameters.items() if p.default is p.empty and name != "sample_weight"]
        if len(required) not in (1, 2):
            raise ConfigurationError(
                f"KerasMetric: {type(self.of_keras).__name__}.update_state takes {', '.join(required) or 'nothing'}; "
                f"expected (y_true, y_pred, sample_weight=None), or one tensor"
            )
        return len(required) == 1

    def _positional(self, tensors: dict[str, tf.Tensor]) -> list[Any]:
        """Returns the arguments in the order in which Keras takes them; one without weights gets none."""
        return [tensors[name] for name in ("y_true", "y_pred", "sample_weight") if name in tensors]

    def _aligned(self, tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if "y_true" not in tensors or not is_of_keras(self.of_keras):
            return align(tensors, ())
        if self.class_id is not None:
            pair = against_others(
                self.class_id, tensors["y_true"], tensors["y_pred"], from_logits=takes_logits(self.of_keras)
            )
            tensors = {**tensors, **dict(zip(("y_true", "y_pred"), pair, strict=True))}
        y_true, y_pred = squeeze_or_expand_to_same_rank(tensors["y_true"], tensors["y_pred"])
        if y_true.shape.rank == y_pred.shape.rank == 1:
            # Keras would take the whole batch for one example.
            y_true, y_pred = y_true[:, tf.newaxis], y_pred[:, tf.newaxis]
        refuse_other_shapes(self.of_keras, y_true, y_pred)
        tensors = {**tensors, "y_true": y_true, "y_pred": y_pred}
        if "sample_weight" in tensors:
            tensors["sample_weight"] = weights_like(self.of_keras, y_true, tensors["sample_weight"])
        return tensors

    def _outside(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        compared = compares_predictions(self.of_keras)
        return ([not_numbers("y_pred", tensors["y_pred"])] if compared else []) + self._outside_of_range(tensors)

    def _outside_of_range(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        if self.class_id is not None:
            return outside_of_classes(
                tensors["y_true"],
                tensors["y_pred"],
                from_logits=takes_logits(self.of_keras),
                instead=WITHOUT_LOGITS,
                only_decided=takes_decisions(self.of_keras),
            )
        return outside_of_range(self.of_keras, tensors)


def _value(result: Any) -> Any:
    return result.value if isinstance(result, keras.Variable) else result


def _parameters(metric: keras.metrics.Metric) -> Mapping[str, inspect.Parameter]:
    """Returns the parameters of a metric's `update_state` by name, without those that stand for any number."""
    found = inspect.signature(metric.update_state).parameters
    return {name: p for name, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
