"""What is optimised: terms, the keys of what they read, their weights, and the objective that they add up to."""

import objectives.backend  # isort: skip (first: it sees to the backend of Keras)
import objectives.gathers
import objectives.scatters  # noqa: F401 (likewise)
from objectives import schedules as schedules
from objectives.activations import ActivationPenalty as ActivationPenalty
from objectives.adapters import FunctionTerm as FunctionTerm
from objectives.adapters import KerasLoss as KerasLoss
from objectives.base_term import BaseTerm as BaseTerm
from objectives.batch_statistic import BatchStatistic as BatchStatistic
from objectives.bounds import Quantization as Quantization
from objectives.bounds import RangeHinge as RangeHinge
from objectives.classification import ConfusionWeightedCrossEntropy as ConfusionWeightedCrossEntropy
from objectives.classification import ExpectedConfusionCost as ExpectedConfusionCost
from objectives.classification import WeightedBinaryCrossEntropy as WeightedBinaryCrossEntropy
from objectives.errors import ConfigurationError as ConfigurationError
from objectives.keys import Context as Context
from objectives.keys import Key as Key
from objectives.mean import Mean as Mean
from objectives.objective import Objective as Objective
from objectives.regression import ContextualMeanSquaredError as ContextualMeanSquaredError
from objectives.regression import MeanSquaredError as MeanSquaredError
from objectives.regression import WeightedMeanSquaredError as WeightedMeanSquaredError
from objectives.statistics import Decorrelation as Decorrelation
from objectives.structure import PairwiseOverlap as PairwiseOverlap
from objectives.structure import SequenceOrdering as SequenceOrdering
from objectives.structure import TotalVariation as TotalVariation
from objectives.term import Term as Term
from objectives.weight_penalty import WeightPenalty as WeightPenalty
from objectives.weights import Orthogonality as Orthogonality
from objectives.weights import WeightDecay as WeightDecay
