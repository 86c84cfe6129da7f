"""What is learned: one file a task, a model and its data."""

import objectives  # noqa: F401  # isort: skip (first: it sees to the backend of Keras)

from tasks.adversarial_synthesis import AdversarialSynthesis as AdversarialSynthesis
from tasks.grid_control import GridControl as GridControl
from tasks.heat_equation import HeatEquation as HeatEquation
from tasks.image_synthesis import ImageSynthesis as ImageSynthesis
from tasks.imbalanced_screening import ImbalancedScreening as ImbalancedScreening
from tasks.multi_head import MultiHead as MultiHead
from tasks.node_placement import NodePlacement as NodePlacement
from tasks.quantile_regression import QuantileRegression as QuantileRegression
from tasks.scene_segmentation import SceneSegmentation as SceneSegmentation
