"""Mistakes in terms, their weights and their keys."""

from termwise.verification.answers.mistake import Mistake

_FIELDS = (
    ("A weight as text", 'RangeHinge(weight="0.1")'),
    ("No weight", "RangeHinge(weight=None)"),
    ("A weight that is no number", 'RangeHinge(weight=float("nan"))'),
    ("An infinite weight", 'RangeHinge(weight=float("inf"))'),
    ("A term as a weight", "RangeHinge(weight=RangeHinge())"),
    ("A schedule's class as a weight", "RangeHinge(weight=Linear)"),
    ("A function without a step as a weight", "RangeHinge(weight=lambda: 0.5)"),
    ("A bound as text", 'RangeHinge(max_value="2")'),
    ("A list as a bound", "RangeHinge(max_value=[2.0])"),
    ("Bounds the wrong way round", "RangeHinge(min_value=2.0, max_value=1.0)"),
    ("No key", "RangeHinge(y_pred=None)"),
    ("A list as a key", 'RangeHinge(y_pred=["outputs"])'),
    ("A misspelt root of a key", 'RangeHinge(y_pred="outptus.mask")'),
    ("A misspelt root of a mask", 'RangeHinge(mask="input.mask")'),
    ("A misspelt choice", 'TotalVariation(reduction="men")'),
    ("A margin of 0", "PairwiseOverlap(margin=0)"),
    ("Costs as text", 'ExpectedConfusionCost(costs="high")'),
    ("Costs that are no square", "ExpectedConfusionCost(costs=((0.0, 1.0),))"),
    ("A misspelt name of a Keras loss", 'KerasLoss(loss="hubr")'),
    ("The class of a Keras loss", "KerasLoss(loss=keras.losses.Huber)"),
    ("A Keras loss that adds up", 'KerasLoss(loss=keras.losses.Huber(reduction="sum"))'),
    ("No function", "FunctionTerm(fn=3)"),
    ("A function with an argument that no key is known of", "FunctionTerm(fn=lambda y_pred, hidden: hidden)"),
    ("A schedule of no steps", "Linear(steps=0)"),
    ("A schedule of true steps", "Linear(steps=True)"),
    ("A schedule that ends before it starts", "Linear(steps=5, start=10, end=9)"),
    ("Boundaries that are no sequence", "Piecewise(values=(1.0, 2.0), boundaries=5)"),
    ("An objective without terms", "Objective()"),
    ("An objective without weights", "Objective(data=MeanSquaredError(weight=0))"),
    ("A function instead of a term", "Objective(data=lambda y_pred: y_pred)"),
    ("An empty name", 'Objective(**{"": MeanSquaredError()})'),
    ("A path as a name", 'Objective(**{"../../x": MeanSquaredError()})'),
)

_FUNCTIONS = (
    ("A formula that returns nothing", "y_pred**2", ""),
    ("A formula that returns text", "", '"small"'),
    ("A formula that returns a dict", "", '{"loss": y_pred}'),
    ("A formula that returns truth values", "", "y_pred > 0"),
    ("A formula that returns whole numbers", "", "tf.cast(y_pred, tf.int32)"),
    ("A formula that returns complex numbers", "", "tf.cast(y_pred, tf.complex64)"),
    ("A formula that returns a scalar", "", "tf.reduce_mean(y_pred)"),
    ("A formula that returns a ragged tensor", "", "tf.RaggedTensor.from_tensor(y_pred)"),
    ("A formula that returns a sparse tensor", "", "tf.sparse.from_dense(y_pred)"),
    ("A formula of unknown shape", "", "tf.py_function(lambda y: y, [y_pred], tf.float32)"),
    ("A formula that asks for NumPy", "", "y_pred.numpy()"),
    ("A formula in NumPy", "", "np.abs(np.asarray(y_pred))"),
    ("A formula with an if", "", "y_pred if y_pred > 0 else -y_pred"),
    ("A formula with shapes that do not fit", "", "y_pred + tf.ones([7, 7])"),
    ("A formula that raises", "", "y_pred.smooth"),
)

_CLASSES = (
    (
        "A term without a formula",
        "@dataclasses.dataclass(frozen=True, kw_only=True)\nclass Smooth(Term):\n    margin: float = 1.0\n\n\nSmooth()",
    ),
    (
        "A term that is no dataclass",
        "class Smooth(Term):\n    margin: float = 1.0\n\n    def values(self):\n        return 0.0\n\n\nSmooth()",
    ),
    (
        "A term that reads what is no field",
        "@dataclasses.dataclass(frozen=True, kw_only=True)\nclass Smooth(Term):\n"
        "    def values(self, y_pred):\n        return y_pred\n\n\nSmooth()",
    ),
    (
        "A field of the wrong type in a term of one's own",
        "@dataclasses.dataclass(frozen=True, kw_only=True)\nclass Smooth(Term):\n"
        '    y_pred: Key = "outputs"\n    scale: int = 1\n\n'
        "    def values(self, y_pred):\n        return y_pred * self.scale\n\n\nSmooth(scale=1.5)",
    ),
)

_MODULE = """\
import dataclasses
from objectives import Term


@dataclasses.dataclass({options})
class Smooth(Term):
    {field}
"""

MISTAKES = (
    Mistake(what="A misspelt root of a key in a gin file", gin="MeanSquaredError.y_pred = 'outptus'"),
    Mistake(what="A weight as text in a gin file", gin="MeanSquaredError.weight = '1'"),
    *(Mistake(what=what, python=code) for what, code in _FIELDS),
    *(
        Mistake(
            what=what,
            python=f"def smooth(y_pred):\n    {f'return {returned}' if returned else statement}\n\n\n"
            f"trace(smooth=FunctionTerm(fn=smooth))",
        )
        for what, statement, returned in _FUNCTIONS
    ),
    *(Mistake(what=what, python=f"import dataclasses\n\n\n{code}") for what, code in _CLASSES),
    Mistake(
        what="A weight that raises",
        python="def rising(step):\n    return step / rate\n\n\ntrace(data=MeanSquaredError(weight=rising))",
    ),
    Mistake(what="A weight that is text", python='trace(data=MeanSquaredError(weight=lambda step: "0.5"))'),
    Mistake(
        what="A weight that is no scalar",
        python="trace(data=MeanSquaredError(weight=lambda step: [0.5, 0.5]))",
    ),
    Mistake(what="A misspelt output", python='trace(data=MeanSquaredError(y_pred="outputs.mask"))'),
    Mistake(what="A read that the run has not", python='trace(data=MeanSquaredError(sample_weight="sample_weight"))'),
    Mistake(
        what="Logits for a loss of probabilities",
        python='dense = keras.layers.Dense(1, kernel_initializer="ones")\n'
        "model = keras.Sequential([keras.Input([3]), dense])\n"
        "loss = keras.losses.BinaryCrossentropy()\n"
        "dry_run(model=model, objective=Objective(data=KerasLoss(loss=loss)))",
    ),
    Mistake(
        what="An index out of range in a formula",
        python="def priced(y_true, y_pred):\n    index = tf.cast(4.0 * y_true, tf.int32)\n"
        "    return tf.gather([1.0, 2.0], index) * y_pred\n\n\n"
        "dry_run(objective=Objective(price=FunctionTerm(fn=priced)))",
    ),
    Mistake(
        what="An assertion that does not hold",
        python="def checked(y_true, y_pred):\n"
        '    tf.debugging.assert_less(y_true, 0.5, message="targets are too large")\n'
        "    return (y_true - y_pred) ** 2\n\n\n"
        "dry_run(objective=Objective(data=FunctionTerm(fn=checked)))",
    ),
    Mistake(
        what="An assertion that XLA would leave out",
        python="def checked(y_true, y_pred):\n"
        '    tf.debugging.assert_less(y_true, 0.5, message="targets are too large")\n'
        "    return (y_true - y_pred) ** 2\n\n\n"
        'train(objective=Objective(data=FunctionTerm(fn=checked)), execution="xla_loop").train()',
    ),
    Mistake(
        what="A term in a module that is not frozen",
        gin="import bad",
        files={"bad.py": _MODULE.format(options="kw_only=True", field="margin: float = 1.0")},
    ),
    Mistake(
        what="A term in a module with a mutable default",
        gin="import bad",
        files={"bad.py": _MODULE.format(options="frozen=True, kw_only=True", field="margins: list = []")},
    ),
)
