"""What is learned: one file a task, a model and its data."""

from tasks.node_placement import NodePlacement as NodePlacement
from tasks.scene_segmentation import SceneSegmentation as SceneSegmentation
