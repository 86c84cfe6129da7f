"""Independent: Keras layers and terms that are known to take each example by itself, and need no trial."""

from collections.abc import Iterable

import keras
from keras.src.models.functional import Functional

from objectives import BaseTerm, Consistency, FunctionTerm, KerasLoss
from trainer.steps.tap import layer_paths

_layers, _losses = keras.layers, keras.losses
_LAYERS = {
    *(keras.Sequential, Functional, _layers.Dense, _layers.Embedding, _layers.Masking, _layers.BatchNormalization),
    *(_layers.Conv1D, _layers.Conv2D, _layers.Conv3D, _layers.DepthwiseConv1D, _layers.DepthwiseConv2D),
    *(_layers.SeparableConv1D, _layers.SeparableConv2D, _layers.Conv1DTranspose, _layers.Conv2DTranspose),
    *(_layers.MaxPooling1D, _layers.MaxPooling2D, _layers.MaxPooling3D, _layers.AveragePooling1D),
    *(_layers.AveragePooling2D, _layers.AveragePooling3D, _layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D),
    *(_layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D, _layers.GlobalAveragePooling3D),
    *(_layers.Flatten, _layers.Reshape, _layers.Permute, _layers.RepeatVector, _layers.Rescaling),
    *(_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.Cropping1D, _layers.Cropping2D),
    *(_layers.UpSampling1D, _layers.UpSampling2D, _layers.Dropout, _layers.SpatialDropout1D),
    *(_layers.SpatialDropout2D, _layers.GaussianDropout, _layers.GaussianNoise, _layers.AlphaDropout),
    *(_layers.Activation, _layers.ReLU, _layers.LeakyReLU, _layers.ELU, _layers.PReLU),
    *(_layers.LSTM, _layers.LSTMCell, _layers.GRU, _layers.GRUCell, _layers.SimpleRNN, _layers.SimpleRNNCell),
    *(_layers.Bidirectional, _layers.TimeDistributed, _layers.Add, _layers.Subtract, _layers.Multiply),
    *(_layers.Average, _layers.Maximum, _layers.Minimum),
}
_LOSSES = {
    *(_losses.MeanSquaredError, _losses.MeanAbsoluteError, _losses.MeanSquaredLogarithmicError, _losses.Huber),
    *(_losses.LogCosh, _losses.Poisson, _losses.KLDivergence, _losses.Hinge, _losses.SquaredHinge),
    *(_losses.BinaryCrossentropy, _losses.BinaryFocalCrossentropy, _losses.CategoricalCrossentropy),
    *(_losses.CategoricalFocalCrossentropy, _losses.SparseCategoricalCrossentropy),
}
# Functions that may be an argument of a layer.
_FUNCTIONS = ("activation", "recurrent_activation")


def are_independent(model: keras.Model, terms: Iterable[BaseTerm]) -> bool:
    """Returns whether the model and all terms are known to take each example by itself.

    Statistics of ordinary batch normalization are another matter, see `trainer.steps.layers.batch_statistics`.

    >>> from objectives import MeanSquaredError
    >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(2, activation="relu")])
    >>> are_independent(model, [MeanSquaredError()])
    True
    >>> are_independent(keras.Sequential([model, keras.layers.UnitNormalization(axis=0)]), [MeanSquaredError()])
    False
    """
    return are_independent_layers(model) and are_independent_terms(terms)


def are_independent_layers(model: keras.Model) -> bool:
    """Returns whether all layers of a model are known to take each example by itself."""
    return all(map(_is_independent_layer, [model, *(layer for _, layer in layer_paths(model))]))


def are_independent_terms(terms: Iterable[BaseTerm]) -> bool:
    """Returns whether all terms are known to take each example by itself, or to gather the whole batch."""
    return all(map(_is_independent_term, terms))


def _is_independent_layer(layer: keras.Layer) -> bool:
    functions = [getattr(layer, name) for name in _FUNCTIONS if hasattr(layer, name)]
    are_of_keras = all(
        getattr(function, "__module__", "").startswith("keras.src.activations") for function in functions
    )
    # Other layers have an axis besides that of the batch, over which a softmax is taken.
    is_plain = type(layer) is not keras.layers.Activation or "max" not in getattr(layer.activation, "__name__", "")
    return type(layer) in _LAYERS and are_of_keras and is_plain


def _is_independent_term(term: BaseTerm) -> bool:
    if isinstance(term, KerasLoss):
        settings = getattr(term.loss, "_fn_kwargs", {})
        return type(term.loss) in _LOSSES and settings.get("axis", -1) == -1
    is_ours = type(term).__module__.partition(".")[0] == "objectives"
    calls_a_function = isinstance(term, FunctionTerm) or (isinstance(term, Consistency) and term.augment is not None)
    return is_ours and not calls_a_function
