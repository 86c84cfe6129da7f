"""An export: each format gives the outputs of the model, under its names, or is refused and leaves nothing."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.saved import export as exporting
from trainer.saved.export import FORMATS, export
from trainer.saved.signature import signature_of


class Doubled(keras.layers.Layer):
    """A layer of the reader's own."""

    def call(self, x):
        return 2.0 * x


class OwnCall(keras.Model):
    """A model with a call of its own."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.embed, self.head = keras.layers.Embedding(5, 3), keras.layers.Dense(2)

    def call(self, inputs, training=False):
        return self.head(self.embed(inputs["ids"]))


def mixed(*layers, name="x", **settings):
    """A model of several inputs and outputs, with what training and inference treat differently."""
    x, keys = keras.Input([3], name=name, **settings), keras.Input([2], dtype="int64", name="keys")
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(keras.layers.Dense(4)(x)))
    for layer in layers:
        hidden = layer(hidden)
    looked_up = keras.layers.IntegerLookup(vocabulary=[7, 9])(keys)
    outputs = {"head": keras.layers.Dense(1, dtype="mixed_bfloat16")(hidden), "found": looked_up}
    return keras.Model({name: x, "keys": keys}, outputs)


@pytest.fixture
def written(tmp_path):
    """Exports a model; returns the classes of its own, and the place."""

    def run(model, form, name="out", types=None):
        output = tmp_path / f"{name}{exporting.SUFFIXES[form]}"
        return export(model, signature_of(model, types), output, form, card=lambda own: f"own: {own}\n"), output

    return run


INPUTS = {"x": np.ones([5, 3], np.float32), "keys": np.array([[7, 9]] * 5)}


def test_a_saved_model_has_the_names_the_numbers_and_any_batch_size(written):
    model = mixed()
    own, output = written(model, "saved_model")
    assert own == []
    assert (output / "README.md").read_text() == "own: []\n"
    loaded = tf.saved_model.load(str(output))
    serve = loaded.signatures["serving_default"]
    assert {name: spec.shape.as_list() for name, spec in serve.structured_input_signature[1].items()} == {
        "x": [None, 3],
        "keys": [None, 2],
    }
    for count in (1, 5):
        inputs = {name: tf.constant(value[:count]) for name, value in INPUTS.items()}
        outputs, expected = serve(**inputs), model(inputs)
        assert {*outputs} == {"head", "found"}
        np.testing.assert_allclose(outputs["head"].numpy(), expected["head"].numpy(), rtol=1e-6)
        np.testing.assert_array_equal(outputs["found"], expected["found"])


@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_an_empty_folder_that_appears_meanwhile_gives_way(tmp_path, form):
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    output = tmp_path / f"out{exporting.SUFFIXES[form]}"
    export(model, signature_of(model), output, form, card=lambda own: output.mkdir() or "card")
    assert output.is_file() if form == "keras" else (output / "saved_model.pb").exists()


def test_a_keras_file_is_a_model_with_the_same_numbers(written):
    model = mixed()
    own, output = written(model, "keras")
    assert own == []
    assert output.with_name("out.keras.md").read_text() == "own: []\n"
    loaded = keras.models.load_model(output)
    for name, value in loaded(INPUTS).items():
        np.testing.assert_array_equal(value, model(INPUTS)[name])


def test_the_layers_that_a_keras_file_needs_are_named(written):
    own, _ = written(mixed(Doubled(), keras.layers.Lambda(lambda x: x)), "keras")
    assert own == [f"Doubled ({__name__})", "a lambda function"]
    assert written(mixed(Doubled()), "saved_model", name="other")[0] == []


def test_a_model_with_a_call_of_its_own_is_exported_with_the_types_of_its_data(written):
    model = OwnCall()
    model({"ids": np.zeros([4, 6], np.int32)})
    _, output = written(model, "saved_model", types={"ids": "int32"})
    loaded = tf.saved_model.load(str(output))
    ids = tf.constant([[0, 1, 2, 3, 4, 4]])
    outputs = loaded.signatures["serving_default"](ids=ids)
    np.testing.assert_allclose(outputs["outputs"], model({"ids": ids}), rtol=1e-6)
    assert written(model, "keras", name="other", types={"ids": "int32"})[0] == [f"OwnCall ({__name__})"]


def test_names_that_no_signature_can_have_are_spelled_otherwise_unless_they_clash(written):
    x = keras.Input([3], name="an.input")
    _, output = written(keras.Model(x, keras.layers.Dense(1, name="a_b")(x)), "saved_model")
    signature = tf.saved_model.load(str(output)).signatures["serving_default"]
    assert [*signature.structured_input_signature[1]] == ["an_input"]
    model = keras.Model(x, {"a.b": keras.layers.Dense(1)(x), "a_b": keras.layers.Dense(2)(x)})
    with pytest.raises(ConfigurationError, match="of which saved_model would make a_b, a_b; expected names that"):
        written(model, "saved_model", name="other")


@pytest.mark.parametrize(("key", "argument"), [("from", "from_"), ("self", "self_"), ("1st", "arg_1st")])
def test_a_key_that_no_argument_can_have_gets_one_that_can(written, key, argument):
    x = keras.Input([3], name=key)
    _, output = written(keras.Model({key: x}, {"class": keras.layers.Dense(1)(x)}), "saved_model")
    serve = tf.saved_model.load(str(output)).signatures["serving_default"]
    assert [*serve(**{argument: tf.ones([2, 3])})] == ["class"]


def test_a_class_of_the_program_itself_is_named_with_how_it_is_loaded(written, monkeypatch):
    monkeypatch.setattr(Doubled, "__module__", "__main__")
    own, output = written(mixed(Doubled()), "keras")
    assert own == ["Doubled (of __main__, by custom_objects={'Doubled': Doubled})"]
    keras.models.load_model(output, custom_objects={"Doubled": Doubled})


def test_a_function_that_keras_cannot_find_again_is_told(written):
    def twice(x):
        return 2.0 * x

    with pytest.raises(ConfigurationError, match="Keras cannot load the file .* expected --format=saved_model"):
        written(mixed(keras.layers.Dense(2, activation=twice)), "keras")


def test_an_output_that_differs_from_the_model_is_not_kept(written, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "load_saved_model", lambda *_: lambda _: {"head": tf.ones([3, 1]), "found": 0})
    with pytest.raises(ConfigurationError, match="gives another '(head|found)' than the model itself, by up to .*, so"):
        written(mixed(), "saved_model")
    assert [*tmp_path.iterdir()] == []


def test_a_model_that_keras_cannot_save_is_refused_with_the_format_that_can(written, tmp_path):
    class Wilful(Doubled):
        def get_config(self):
            raise NotImplementedError("no config")

    with pytest.raises(ConfigurationError, match="Keras cannot save the model; expected .*no config"):
        written(mixed(Wilful()), "keras")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("out", "keras", "expected a name that ends in .keras"),
        ("full", "saved_model", "is there already; expected a folder that is empty or new"),
        ("out", "saved_modl", f"did you mean 'saved_model'\\? \\(known: {', '.join(sorted(FORMATS))}"),
        ("out.onnx", "onnx", "with tf2onnx, which is not installed; `pip install tf2onnx onnx` installs it"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(tmp_path, monkeypatch, name, form, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=said):
        exporting.refuse_format(tmp_path / name, form)


@pytest.mark.skipif(importlib.util.find_spec("tf2onnx") is None, reason="tf2onnx is not installed")
def test_an_onnx_file_has_the_names_or_is_refused_where_it_lacks_an_operation(written, tmp_path):
    import onnx

    x = keras.Input([3], name="inputs")
    own, output = written(keras.Model(x, keras.layers.Dense(1, name="head")(x)), "onnx")
    graph = onnx.load(output).graph
    assert ([one.name for one in graph.input], [one.name for one in graph.output]) == (["inputs"], ["head"])
    with pytest.raises(ConfigurationError, match="tf2onnx cannot convert the model; expected .*Erfc"):
        written(keras.Model(x, keras.layers.Dense(1, activation="gelu")(x)), "onnx", name="other")
    assert own == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.onnx", "out.onnx.md"]
