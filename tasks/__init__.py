"""What is learned: one file a task, a model and its data."""

import objectives  # noqa: F401  # isort: skip (first: it sees to the backend of Keras)

from tasks.node_placement import NodePlacement as NodePlacement
from tasks.scene_segmentation import SceneSegmentation as SceneSegmentation
