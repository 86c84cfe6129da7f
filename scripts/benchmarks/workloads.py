"""Workloads: networks of several sizes and examples for them, in NumPy alone, so that all peers start alike."""

import dataclasses

import numpy as np

CLASSES = 10
# The objective: cross-entropy of logits, and the mean of their squares times this.
PENALTY = 0.01
BETA_1, BETA_2 = 0.9, 0.999
# So small that it does not matter where it is added, about which libraries differ.
EPSILON = 1e-12
NORM_EPSILON = 1e-3
CHANNELS = 16  # of the U-Net, at the full resolution


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network and examples for it.

    Attributes:
      name: how tables call it.
      network: "mlp", "unet", "transformer" or "resnet".
      batch_size: examples in one update.
      examples: how many there are, a multiple of the size of a batch.
      inputs: the shape of one input.
      widths: of the layers of an MLP, its inputs included, or of the stages of a ResNet, each at half the resolution of
        the one before.
      blocks: of the Transformer, each with attention and a hidden layer of twice the width.
      width: of its blocks.
      heads: of its attention.
      learning_rate: of all peers; so small that rounding does not grow to a difference within the first steps.
      slow: whether a step takes tens of milliseconds. Fewer ways to run it are tried then.
      parts: what is measured, if nothing else is asked for.
    """

    name: str
    network: str
    batch_size: int
    examples: int
    inputs: tuple[int, ...]
    widths: tuple[int, ...] = ()
    blocks: int = 0
    width: int = 0
    heads: int = 0
    learning_rate: float = 1e-3
    slow: bool = False
    parts: tuple[str, ...] = ("peers",)

    @property
    def of_images(self) -> bool:
        """Whether the network has convolutions."""
        return len(self.inputs) == 3

    @property
    def words(self) -> str:
        """The network and its batches, in words.

        >>> WORKLOADS["large"].words
        'Dense layers of 784-512-256-10, in batches of 64'
        """
        sizes, shape = "-".join(map(str, self.widths)), " by ".join(map(str, self.inputs))
        network = {
            "mlp": f"Dense layers of {sizes}",
            "unet": f"A U-Net on images of {shape}, with a class for each pixel",
            "transformer": f"A Transformer of {self.blocks} blocks, {self.width} wide, on sequences of {shape}",
            "resnet": f"A ResNet with stages of {sizes} channels, on images of {shape}",
        }[self.network]
        return f"{network}, in batches of {self.batch_size}"

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Random float32 inputs, and int32 classes: one an example, for the U-Net one a pixel."""
        rng = np.random.default_rng(0)
        labels = self.inputs[:2] if self.network == "unet" else ()
        inputs = rng.normal(size=[self.examples, *self.inputs]).astype(np.float32)
        return inputs, rng.integers(0, CLASSES, [self.examples, *labels], dtype=np.int32)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "tiny", "mlp", 64, 4096, (20,), widths=(20, 64, 32, CLASSES),
            parts=("peers", "terms", "reports", "replicas", "launches"),
        ),
        Workload(
            "large", "mlp", 64, 4096, (784,), widths=(784, 512, 256, CLASSES),
            parts=("peers", "logging", "replicas"),
        ),
        Workload("unet", "unet", 32, 512, (32, 32, 1), slow=True),
        Workload(
            "transformer", "transformer", 32, 2048, (32, 32), blocks=2, width=64, heads=4,
            parts=("peers", "launches"),
        ),
        Workload(
            "resnet_1m", "resnet", 32, 320, (32, 32, 3), widths=(32, 64, 128, 256),
            learning_rate=3e-5, slow=True,
        ),
        Workload(
            "dense_10m", "mlp", 64, 1024, (784,), widths=(784, 2048, 2048, 2048, CLASSES),
            learning_rate=1e-4, slow=True,
        ),
        Workload(
            "transformer_10m", "transformer", 8, 128, (32, 32), blocks=5, width=512, heads=8,
            learning_rate=1e-5, slow=True, parts=("peers", "memory"),
        ),
        Workload(
            "dense_70m", "mlp", 32, 320, (4096,), widths=(4096, 4096, 4096, 4096, 4096, CLASSES),
            learning_rate=1e-5, slow=True, parts=("peers", "memory"),
        ),
    )
}  # fmt: skip
