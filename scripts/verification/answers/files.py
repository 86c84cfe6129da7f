"""Mistakes in sources over files, and in what puts several sources together."""

from termwise.verification.answers.arrays import saved_arrays
from termwise.verification.answers.mistake import Mistake

_POINTS = {"points.csv": "a,b,kind\n1,2,0\n3,4,1\n"}
_ARRAYS = {"points.npz": saved_arrays(points=[4, 3], y=[4, 1])}

MISTAKES = (
    Mistake(what="A misspelt file", python='NpzSource(file="pionts.npz")', files=_ARRAYS),
    Mistake(what="A misspelt array in a file", python='NpzSource(file="points.npz", inputs="point")', files=_ARRAYS),
    Mistake(
        what="A misspelt array in a gin file",
        gin="Trainer.train = @NpzSource()\nNpzSource.file = 'points.npz'\nNpzSource.inputs = 'point'",
        files=_ARRAYS,
    ),
    Mistake(what="A misspelt column", python='CsvSource(file="points.csv", targets="knd")', files=_POINTS),
    Mistake(
        what="A CSV file in which a value is missing",
        python='CsvSource(file="points.csv", inputs=["a", "b"])',
        files={"points.csv": "a,b\n1,2\n3,\n"},
    ),
    Mistake(
        what="A CSV file with a column of text",
        python='CsvSource(file="points.csv", targets="kind")',
        files={"points.csv": "a,kind\n1,hot\n3,cold\n"},
    ),
    Mistake(
        what="Parts of a batch that do not divide it",
        python="points = ArraySource(np.ones([20, 3]))\n"
        "inputs = {part: keras.Input([3], name=part) for part in ('interior', 'boundary')}\n"
        "model = keras.Model(inputs, {part: keras.layers.Dense(1)(x) for part, x in inputs.items()})\n"
        "train(model=model, train=MixedSource(interior=points, boundary=points), batch_size=7)",
    ),
    Mistake(what="A folder without images", python='ImageFolderSource(folder="scans")', files={"scans/a.txt": ""}),
    Mistake(
        what="A file of records that is none",
        python='TFRecordSource(file="points.tfrecord")',
        files={"points.tfrecord": "1, 2, 3\n"},
    ),
    Mistake(what="A part of a batch that is an array", python="MixedSource(interior=np.ones([20, 3]))"),
    Mistake(
        what="A misspelt part of a batch",
        python="points = ArraySource(np.ones([20, 3]))\n"
        'MixedSource(interior=points, boundary=points, shares={"interior": 3, "boundry": 1})',
    ),
)
