"""Compatibility: an objective, a model and examples that do not fit together are refused before anything is built."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Decorrelation, MeanSquaredError, Objective
from objectives.context import leaves
from trainer import ArraySource, DatasetSource, Metrics, config
from trainer.settings.compatibility import (
    refuse_cut_statistics,
    refuse_empty_parts,
    refuse_missing_selections,
    refuse_other_classes,
    refuse_repetition,
    refuse_unbuilt,
    refuse_unmeasurable,
    refuse_unread_weights,
)


def of_dataset(inputs, targets, sample_weight):
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((inputs, targets, sample_weight)))


def test_weights_of_examples_must_be_read_by_some_term():
    source = ArraySource(np.zeros([3, 1]), np.zeros([3, 1]), sample_weight=np.ones(3))
    with pytest.raises(ConfigurationError, match="sample_weight that no term reads"):
        refuse_unread_weights(Objective(data=MeanSquaredError()), source.keys)
    refuse_unread_weights(Objective(data=MeanSquaredError(sample_weight="sample_weight")), source.keys)


@pytest.mark.parametrize("make", [ArraySource, of_dataset], ids=["arrays", "dataset"])
def test_each_of_several_weights_must_be_read_by_some_term(make):
    weights = {"p": np.ones(3), "q": {"r": np.ones(3)}}
    source = make(np.zeros([3, 1]), np.zeros([3, 1]), sample_weight=weights)

    def reading(*keys):
        return Objective(**{f"t{i}": MeanSquaredError(sample_weight=key) for i, key in enumerate(keys)})

    refuse_unread_weights(reading("sample_weight.p", "sample_weight.q.r"), source.keys)
    refuse_unread_weights(reading("sample_weight.*"), source.keys)
    with pytest.raises(
        ConfigurationError, match=r"has a sample_weight\.q\.r that no term reads; .*='sample_weight\.q\.r'"
    ):
        refuse_unread_weights(reading("sample_weight.p"), source.keys)
    with pytest.raises(ConfigurationError, match=r"a sample_weight\.p and a sample_weight\.q\.r that no term reads"):
        refuse_unread_weights(Objective(data=MeanSquaredError()), source.keys)


def test_weights_that_a_term_reads_and_no_example_has_are_refused_with_the_line_that_leaves_them_out():
    terms = {"data": MeanSquaredError(sample_weight="sample_weight"), "other": MeanSquaredError()}
    without, weighted = (
        ArraySource(np.zeros([3, 1]), np.zeros([3, 1]), **more) for more in ({}, {"sample_weight": np.ones(3)})
    )
    refuse_missing_selections(Objective(**terms), weighted)
    with pytest.raises(
        ConfigurationError, match="have no sample_weight; expected MeanSquaredError.sample_weight = None"
    ):
        refuse_missing_selections(Objective(**terms), without)
    refuse_missing_selections(Objective(**{**terms, "data": MeanSquaredError(sample_weight=None)}), without)


@pytest.mark.parametrize(("targets", "key"), [({"a": 0, "b": 0}, "targets.labelled"), ((0, 0), "targets.2")])
def test_a_mask_that_the_data_lack_is_refused_with_the_line_that_leaves_it_out(targets, key):
    source = ArraySource(np.zeros([3, 1]), tf.nest.map_structure(lambda _: np.zeros([3, 1]), targets))
    first = next(iter(leaves(targets, "targets")))

    def of(mask):
        return Objective(data=MeanSquaredError(y_true=first, mask=mask))

    for there in (None, first, "outputs.any", "targets.*"):
        refuse_missing_selections(of(there), source)
    line = "MeanSquaredError.mask = None, by which all elements count, or a source that has it"
    with pytest.raises(
        ConfigurationError,
        match=rf"^term 'data' \(MeanSquaredError\): the training data have no {key}; expected {line}$",
    ):
        refuse_missing_selections(of(key), source)


def test_the_line_has_the_scope_of_the_file_that_binds_it():
    lines = ("Trainer.objective = @Objective()", "Objective.data = @data/MeanSquaredError()")
    with config.isolated():
        config.load([], [*lines, "data/MeanSquaredError.mask = 'targets.labelled'"])
        objective = config.made("Trainer.objective")
        with pytest.raises(ConfigurationError, match=r"; expected data/MeanSquaredError.mask = None, by which"):
            refuse_missing_selections(objective, ArraySource(np.zeros([3, 1]), {"y": np.zeros([3, 1])}))


def test_a_statistic_of_the_whole_batch_must_see_it_whole():
    objective = Objective(data=MeanSquaredError(), apart=Decorrelation(features="outputs"))
    refuse_cut_statistics(objective, 1)
    refuse_cut_statistics(Objective(data=MeanSquaredError()), 3)
    with pytest.raises(
        ConfigurationError, match="term 'apart' is a statistic of the whole batch.*accumulate_steps = 3"
    ):
        refuse_cut_statistics(objective, 3)


class Named(ArraySource):
    """A source whose targets number some classes."""

    def __init__(self, *names):
        super().__init__(np.zeros([3, 1]), np.zeros(3, int))
        self.names_of_classes = names

    @property
    def class_names(self):
        return {"targets": self.names_of_classes}


def test_numbers_of_classes_mean_the_same_in_evaluation():
    refuse_other_classes(Named("cat", "dog"), Named("cat", "dog"))
    refuse_other_classes(Named("cat", "dog"), ArraySource(np.zeros(3)))
    refuse_other_classes(Named("cat", "dog"), None)
    with pytest.raises(
        ConfigurationError,
        match=r"'targets' are cat, dog in the training data, and dog in .* expected \['cat', 'dog'\]",
    ):
        refuse_other_classes(Named("cat", "dog"), Named("dog"))


def test_a_model_must_know_the_shape_of_its_inputs(dense_model):
    refuse_unbuilt(dense_model())
    with pytest.raises(ConfigurationError, match="the model 'late' is not built; call it once"):
        refuse_unbuilt(keras.Sequential([keras.layers.Dense(1)], name="late"))


def test_metrics_without_evaluation_data_are_refused(plain_source):
    metrics = Metrics(auc=keras.metrics.AUC())
    refuse_unmeasurable(metrics, plain_source)
    refuse_unmeasurable(Metrics(auc=None), None)
    with pytest.raises(ConfigurationError, match=r"Trainer.metrics has 'auc', but there are no evaluation data"):
        refuse_unmeasurable(metrics, None)


def test_a_batch_that_holds_each_example_again_and_again_is_refused(plain_source):
    refuse_repetition(64, plain_source)
    with pytest.raises(ConfigurationError, match="is 100,000,000, .* have 20 examples, .* 5,000,000 times"):
        refuse_repetition(10**8, plain_source)


def test_micro_batches_without_examples_are_refused():
    refuse_empty_parts(64, 64)
    with pytest.raises(ConfigurationError, match=r"accumulate_steps is 65, and a batch has 64 examples; expected at"):
        refuse_empty_parts(65, 64)
