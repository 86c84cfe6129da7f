"""ObjectiveModel: a Keras model whose `compile` and `fit` optimise a sum of named terms."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

from objectives import ConfigurationError, Objective
from objectives.blame import told_of_operation
from objectives.errors import expected
from trainer.executions.failures import is_failure
from trainer.fit.batches import arrays_of, batch_of, of_one_replica, refuse_unread
from trainer.fit.fitting import Fitting
from trainer.fit.metric_names import refuse_hiding
from trainer.fit.monitors import KnownMonitors
from trainer.fit.optimizers import innermost, refuse_in_fit
from trainer.fit.progress_bar import TermsProgbar
from trainer.fit.sound_epochs import SoundEpochs
from trainer.fit.strategies import refuse_other_strategy, strategy_of
from trainer.fit.validation import refuse_other_validation
from trainer.settings.labels import refuse_outside_arrays
from trainer.settings.settings import Settings
from trainer.steps.groups import only_group
from trainer.steps.layers.known_inputs import taken
from trainer.steps.layers.known_outputs import known_outputs
from trainer.steps.variables.adoption import build_optimizers

_LOSS = "a loss is a term here: Objective(data=KerasLoss(loss=...)), whose weight is KerasLoss(weight=...)"


class ObjectiveModel(keras.Model):
    """Trains a model on a sum of named terms by Keras's own `compile` and `fit`.

    It shares the layers and variables of the model that it is made of, which is the trained one afterwards.

    Each term is in `History`, in callbacks and in TensorBoard: `terms/<name>/raw` is its exact mean over an epoch, and
    `terms/<name>/weighted` what it added to the loss, with the prefix `val_` in validation. `loss` is the sum of the
    weighted terms, the mean over the batches. The progress bar shows `loss` and the weighted value of each term by its
    name. The step of a schedule is the number of updates that the optimizer has done.

    Under a `MirroredStrategy`, make both models inside of its scope; means are those of the whole batch, whatever the
    shards. An update that would not be finite is not made, and ends `fit` with a `NonFiniteError`.

    Attributes:
      model: the model that is trained.
      objective: the terms.

    >>> import numpy as np
    >>> from objectives import MeanSquaredError, RangeHinge
    >>> model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    >>> fit = ObjectiveModel(model, Objective(data=MeanSquaredError(), small=RangeHinge(weight=0.1)))
    >>> fit.compile(keras.optimizers.SGD(0.1))
    >>> history = fit.fit(np.ones([8, 1]), np.ones([8, 1]), epochs=2, verbose=0).history
    >>> sorted(history)
    ['loss', 'terms/data/raw', 'terms/data/weighted', 'terms/small/raw', 'terms/small/weighted']
    """

    train_function: Callable[[Any], Any] | None
    _fitting: Fitting | None = None
    _is_inside = False
    # What is to be done in `fit` before its first step, given the spec of a batch and what is known of the outputs.
    _look_ahead: Callable[..., None] | None = None
    # What gives the batches whose labels and masks were looked through last: `fit` validates on the same each epoch.
    _looked_at: Any = None

    def __init__(
        self,
        model: keras.Model,
        objective: Objective,
        *,
        allow_unreached: bool = False,
        name: str | None = None,
        **others: Any,
    ):
        """Makes it of a model, which need not be built, and of an objective.

        Args:
          model: what is trained; it is neither copied nor changed otherwise.
          objective: the terms.
          allow_unreached: whether a trainable variable that no term depends on is left unchanged; otherwise it is an
            error.
          name: of this model.
          **others: nothing; a setting of `Trainer`, which cannot be had here, is told.

        Raises:
          ConfigurationError: An argument is something else, or the model was made under another strategy.
        """
        _refuse_others(others)
        _require_kinds(model, objective)
        super().__init__(name=name or f"objective_of_{model.name}", autocast=False)
        self._distribute_strategy = strategy_of(model)
        self.model, self.objective, self._allow_unreached = model, objective, allow_unreached
        if hasattr(model, "output_names"):
            self.output_names = model.output_names
        self.built = model.built

    def build(self, input_shape: Any = None) -> None:
        """Makes nothing of its own: the model is built as it is called."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the outputs of the model."""
        return self.model(taken(self.model, inputs), training=training)

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: None = None,
        loss_weights: None = None,
        *,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        **settings: Any,
    ) -> None:
        """Configures training, as `keras.Model.compile` does; the objective takes the place of the loss.

        Args:
          optimizer: an optimizer or its name. It may clip, which is exact on any number of replicas, and scale the
            loss.
          loss: is refused: a loss is a term.
          loss_weights: is refused: a term has its own weight.
          jit_compile: whether XLA compiles the step, on one replica; "auto" as in Keras.
          auto_scale_loss: whether to scale the loss of a model that computes in float16.
          **settings: `metrics`, `weighted_metrics`, `run_eagerly` and `steps_per_execution`.

        Raises:
          ConfigurationError: There is a loss, the optimizer or XLA cannot work in this way, or a metric has the name of
            the total or a term.
        """
        if loss is not None or loss_weights is not None:
            given = "loss" if loss is not None else "loss_weights"
            raise ConfigurationError(f"compile was given {given}; expected none: {_LOSS}")
        refuse_hiding([settings.get("metrics"), settings.get("weighted_metrics")])
        strategy = self.distribute_strategy
        if jit_compile is True and strategy.num_replicas_in_sync > 1:
            raise ConfigurationError(
                f"jit_compile is True, and XLA cannot compile an update that {strategy.num_replicas_in_sync} replicas "
                f"share; expected jit_compile=False, or a Trainer with execution='xla_step', which compiles what lies "
                f"between the sums over replicas"
            )
        with strategy.scope():
            optimizer = keras.optimizers.get(optimizer)
            refuse_in_fit(optimizer)
            refuse_other_strategy(innermost(optimizer), strategy)
            is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            if auto_scale_loss and _computes_in_float16(self.model) and not is_scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(optimizer, jit_compile=jit_compile, auto_scale_loss=False, **settings)
        # The means of the terms have the total, exactly.
        self._loss_tracker, self._fitting = None, None

    def fit(
        self,
        *args: Any,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_data: Any = None,
        **settings: Any,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does.

        Weights of examples, by `sample_weight` or `class_weight`, are read by terms with the key `sample_weight`, and
        refused if no term reads them. In validation, examples without weights count alike, as in Keras.

        Raises:
          ConfigurationError: Terms, model and examples do not fit together.
          NonFiniteError: An update would not be finite. The model and the optimizer are as before it.
        """
        self._look_ahead = functools.partial(
            refuse_other_validation, validation=validation_data, objective=self.objective
        )
        given = [] if isinstance(callbacks, keras.callbacks.CallbackList) else keras.tree.flatten(callbacks or [])
        validates = validation_data is not None or bool(settings.get("validation_split"))
        more = _with_bar(verbose, callbacks, KnownMonitors(given, validates=validates), SoundEpochs())
        try:
            with self._unchanged():
                return super().fit(*args, validation_data=validation_data, **settings, **more)
        finally:
            self._look_ahead = None

    def evaluate(self, *args: Any, verbose: Any = "auto", callbacks: Any = None, **settings: Any) -> Any:
        """Evaluates each term and metric over all examples, as `keras.Model.evaluate` does.

        Raises:
          ConfigurationError: A term is not finite, as a label, an index or a mask lies outside of its range.
        """
        with self._unchanged():
            if self._fitting is not None:
                self._fitting.outside.forget()
            values = super().evaluate(*args, **settings, **_with_bar(verbose, callbacks))
            self._ready.outside.raise_any()
            self._note_what_is_not_finite()
            return values

    def train_step(self, data: Any) -> dict[str, Any]:
        """Updates the model on one batch; returns the means so far."""
        return self._measured(data, self._ready.train(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates the model on one batch; returns the means so far."""
        return self._measured(data, self._ready.evaluate(data))

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that Keras calls for one batch or several, unless there is one."""
        if self.train_function is None or force:
            self.train_function = functools.partial(self._train, self._make_function(self.train_step))

    def require_sound(self) -> None:
        """Raises NonFiniteError where updates left a weight, or a part of the optimizer, that is not finite."""
        self._ready.require_sound()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The means of the terms, then the metrics of `compile`."""
        return super().metrics if self._fitting is None else [self._fitting.terms, *super().metrics]

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **settings: Any) -> None:
        """Saves the trained model alone, a plain Keras model; `save_weights` has the state of the optimizer too."""
        self.model.save(filepath, overwrite=overwrite, zipped=zipped, **settings)

    def load_weights(self, filepath: Any, *args: Any, **settings: Any) -> None:
        """Loads what `save_weights` has saved, with the state of the optimizer if the model is built and compiled."""
        if self.compiled and self.model.built:
            build_optimizers(only_group(self.optimizer, self.model), self.model)
        super().load_weights(filepath, *args, **settings)

    def export(self, filepath: Any, *args: Any, **settings: Any) -> None:
        """Exports the trained model alone, as `keras.Model.export` does."""
        self.model.export(filepath, *args, **settings)

    def get_config(self) -> dict[str, Any]:
        """Raises ConfigurationError: terms are no part of a Keras file.

        Raises:
          ConfigurationError: always.
        """
        raise ConfigurationError(
            f"{type(self).__name__} has no configuration of Keras, as terms are Python objects; expected its attribute "
            f"`model` in its place, as in keras.models.clone_model(fit.model): `save` saves that one, and "
            f"ObjectiveModel(model, objective) makes the rest again"
        )

    @property
    def _ready(self) -> Fitting:
        assert self._fitting is not None, "Keras builds before it steps"
        return self._fitting

    def _note_what_is_not_finite(self) -> None:
        odd = ", ".join(f"{tag} is {value:g}" for tag, value in self._ready.terms.not_finite().items())
        if odd:
            logging.warning(
                "an evaluation is not finite: %s; look for NaN in its examples, or for what a term makes of them", odd
            )

    def _measured(self, data: Any, outputs: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        return self.compute_metrics(x, y, outputs, sample_weight=sample_weight)

    @contextlib.contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Refuses what was changed since the last such context; what layers and callbacks change inside is theirs."""
        if self._is_inside:
            yield
            return
        if self._fitting is not None:
            self._fitting.require_unchanged()
        self._is_inside = True
        try:
            yield
        finally:
            self._is_inside, self._looked_at = False, None
            if self._fitting is not None:
                self._fitting.let_move()

    def _train(self, run: Callable[[Any], Any], iterator: Any) -> Any:
        """Trains on what is next; an update that would not be finite, or an operation that fails, is named."""
        with self._ready.at_work():
            try:
                logs = run(iterator)
            except tf.errors.OutOfRangeError:  # by which Keras knows that the data have ended
                raise
            except tf.errors.OpError as error:
                if not is_failure(error):
                    raise
                raise ConfigurationError(f"an update fails: {told_of_operation(error)}") from error
        self._ready.require_finite()
        return logs

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Is called by Keras before the first step of any kind, with what gives the batches or with one of them."""
        whole = iterator is not None
        spec = iterator._distributed_dataset.element_spec if whole else keras.tree.map_structure(_spec, data_batch)
        if self._compile_metrics is None or self._compile_metrics._user_weighted_metrics is None:
            refuse_unread(self.objective, batch_of(spec, self.objective))
        self._build_model(spec)
        if whole and iterator.data_adapter is not self._looked_at:
            self._refuse_labels(iterator.data_adapter)
            self._looked_at = iterator.data_adapter
        if self._look_ahead is not None:
            self._look_ahead(spec, outputs=known_outputs(self.model))
            self._look_ahead = None
        if self._fitting is None:
            self._make_fitting(spec)
            if self._ready.mixes_unknown:
                self._ready.require_unmixed(_first(iterator) if whole else data_batch)
        self._ready.stepped_alone |= not whole
        if self._distribute_strategy is not None or self._compile_metrics is not None:
            with self.distribute_strategy.scope():
                # Metrics that make their variables in a step have it traced twice.
                self._symbolic_build(data_batch=keras.tree.map_structure(of_one_replica, spec))

    def _refuse_labels(self, adapter: Any) -> None:
        """Looks through labels and masks that are given as arrays; others make a value NaN in their step."""
        if isinstance(adapter, ArrayDataAdapter):
            batch = batch_of(arrays_of(adapter._inputs), self.objective)
            refuse_outside_arrays(self.objective, batch, "examples", known_outputs(self.model))

    def _build_model(self, spec: Any) -> None:
        if not self.model.built:
            with self.distribute_strategy.scope():
                self.model(keras.tree.map_structure(_symbolic, batch_of(spec, self.objective)["inputs"]))
        self.built = True

    def _make_fitting(self, spec: Any) -> None:
        self._fitting = Fitting(
            self.distribute_strategy,
            self.model,
            self.objective,
            self.optimizer,
            spec=spec,
            allow_unreached=self._allow_unreached,
        )


def _with_bar(verbose: Any, callbacks: Any, *first: keras.callbacks.Callback) -> dict[str, Any]:
    """Returns the arguments with which Keras shows the terms by short names, unless the caller has a bar.

    Args:
      verbose: of the caller.
      callbacks: of the caller.
      *first: more callbacks, which are called before those of the caller.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return {"verbose": verbose, "callbacks": callbacks}
    given = [*first, *(keras.tree.flatten(callbacks) if callbacks else [])]
    if verbose == 0 or any(isinstance(one, keras.callbacks.ProgbarLogger) for one in given):
        return {"verbose": verbose, "callbacks": given}
    return {"verbose": 0, "callbacks": [*given, TermsProgbar(verbose)]}


def _require_kinds(model: Any, objective: Any) -> None:
    for name, value, kind in (("model", model, keras.Model), ("objective", objective, Objective)):
        if not isinstance(value, kind) or isinstance(value, ObjectiveModel):
            raise ConfigurationError(
                f"ObjectiveModel: {name} is a {type(value).__name__}; expected ObjectiveModel(model, objective) with a "
                f"keras.Model and an Objective"
            )


def _refuse_others(given: Iterable[str]) -> None:
    settings = {field.name for field in dataclasses.fields(Settings)}
    messages = [
        f"ObjectiveModel has no {name!r}, which is a setting of Trainer; expected "
        f"Trainer(model=..., objective=..., {name}=...), which trains by its own loop"
        if name in settings
        else f"ObjectiveModel has no {name!r}; {expected(name, ['allow_unreached', 'model', 'name', 'objective'])}"
        for name in given
    ]
    if messages:
        raise ConfigurationError(*messages)


def _computes_in_float16(model: keras.Model) -> bool:
    return any(layer.dtype_policy.name == "mixed_float16" for layer in model._flatten_layers(include_self=False))


def _first(iterator: Any) -> Any:
    """Returns the first batch of what Keras trains on, as Keras itself takes it; it begins anew afterwards."""
    for _, _, batches in iterator:
        return next(batches)
    raise ConfigurationError("there is no batch to train on")


def _spec(leaf: Any) -> tf.TensorSpec | None:
    """Returns the spec of a part of a batch; numbers in an array are not copied for it."""
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf" and leaf.dtype.itemsize <= tf.float64.size:
        return tf.TensorSpec(leaf.shape, leaf.dtype)
    return None if leaf is None else tf.TensorSpec.from_tensor(tf.convert_to_tensor(leaf))


def _symbolic(spec: Any) -> keras.KerasTensor:
    """Returns a tensor without values."""
    one = of_one_replica(spec)
    return keras.KerasTensor(one.shape, one.dtype.name)
