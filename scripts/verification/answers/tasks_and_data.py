"""Mistakes in tasks, models, arrays and datasets."""

from termwise.verification.answers.mistake import Mistake


def _task(what: str, **changed: str) -> Mistake:
    """Returns a task of which some methods are wrong."""
    working = {
        "train": "return ArraySource(np.ones([20, 3]), np.ones([20, 1]))",
        "eval": "return None",
        "build_model": "return keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])",
    }
    lines = ["class MyTask(Task):"]
    for name, body in {**working, **changed}.items():
        if body:
            lines += ["    @property"] if name in ("train", "eval") else []
            lines += [f"    def {name}(self):", f"        {body}", ""]
    code = "\n".join([*lines, "", "train(task=MyTask(), model=None, train=None)"])
    return Mistake(what=what, python=code)


MISTAKES = (
    Mistake(what="A field of a task as text", gin="MyTask.units = '4'"),
    Mistake(what="A field of a task that it has not", gin="MyTask.unit = 4"),
    _task("A task without a method", build_model=""),
    _task("A task whose model is nothing", build_model="return None"),
    _task("A task whose model raises", build_model="return keras.layers.Dense(-1)"),
    _task("A task without examples", train="return None"),
    _task("A task whose examples are a tuple", train="return np.ones([20, 3]), np.ones([20, 1])"),
    _task("A task whose examples are a dataset", train="return tf.data.Dataset.range(3)"),
    _task("A task whose examples are missing", train='return ArraySource(np.load("digits.npy"))'),
    Mistake(what="A dataset instead of a function", python="DatasetSource(tf.data.Dataset.range(3))"),
    Mistake(what="A function that makes no dataset", python="train(train=DatasetSource(lambda: [1, 2, 3]))"),
    Mistake(
        what="A function of a dataset that raises",
        python="def make(seed):\n    return tf.data.Dataset.range(size)\n\n\ntrain(train=DatasetSource(make))",
    ),
    Mistake(
        what="A function inside of a dataset that raises",
        python="def parse(i):\n    return tf.ones([3]), scale * i\n\n\n"
        "train(train=DatasetSource(lambda: tf.data.Dataset.range(9).map(parse)))",
    ),
    Mistake(
        what="A dataset that is batched already",
        python="train(train=DatasetSource(lambda: tf.data.Dataset.from_tensors(tf.ones([3])).repeat().batch(4)))",
    ),
    Mistake(what="Arrays that differ in length", python="ArraySource(np.ones([20, 3]), np.ones([19, 1]))"),
    Mistake(what="No inputs", python="ArraySource(None, np.ones([20, 1]))"),
    Mistake(what="No examples", python="ArraySource(np.ones([0, 3]))"),
    Mistake(what="Shuffling as text", python='ArraySource(np.ones([20, 3]), shuffle="no")'),
    Mistake(
        what="Weights of examples that no term reads",
        python="train(train=ArraySource(np.ones([20, 3]), np.ones([20, 1]), sample_weight=np.ones(20)))",
    ),
    Mistake(
        what="Examples too wide for the model",
        python="train(train=ArraySource(np.ones([20, 5]), np.ones([20, 1])))",
    ),
    Mistake(
        what="A layer of one's own that raises",
        python="class Halved(keras.layers.Layer):\n    def call(self, x, training=False):\n"
        "        return x / self.factor if training else x\n\n\n"
        "model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1), Halved()], name='halved')\n"
        "dry_run(model=model)",
    ),
    Mistake(
        what="A generator that raises",
        python="def examples():\n    raise OSError('the disk is gone')\n\n\n"
        "signature = (tf.TensorSpec([3]), tf.TensorSpec([1]))\n"
        "make = lambda: tf.data.Dataset.from_generator(examples, output_signature=signature)\n"
        "dry_run(train=DatasetSource(make))",
    ),
)
