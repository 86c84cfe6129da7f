"""For TensorBoard: what a run writes that TensorBoard reads, as scalars, charts, images, texts and hyperparameters."""

from trainer.reports.tensorboard.tensorboard import TensorBoard as TensorBoard
