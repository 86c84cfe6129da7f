"""What is optimised: terms, the keys of what they read, their weights, and the objective that they add up to."""

import objectives.backend  # isort: skip (first: it sees to the backend of Keras)
import objectives.gathers
import objectives.scatters  # noqa: F401 (likewise)
from objectives import schedules as schedules
from objectives.adapters import FunctionTerm as FunctionTerm
from objectives.adapters import KerasLoss as KerasLoss
from objectives.base_term import BaseTerm as BaseTerm
from objectives.batch_statistic import BatchStatistic as BatchStatistic
from objectives.context import Context as Context
from objectives.errors import ConfigurationError as ConfigurationError
from objectives.keys import Key as Key
from objectives.mean import Mean as Mean
from objectives.objective import Objective as Objective
from objectives.term import Term as Term
from objectives.terms.activations import ActivationPenalty as ActivationPenalty
from objectives.terms.bounds import Binarity as Binarity
from objectives.terms.bounds import Quantization as Quantization
from objectives.terms.bounds import RangeHinge as RangeHinge
from objectives.terms.classification import ConfusionWeightedCrossEntropy as ConfusionWeightedCrossEntropy
from objectives.terms.classification import ExpectedConfusionCost as ExpectedConfusionCost
from objectives.terms.classification import WeightedBinaryCrossEntropy as WeightedBinaryCrossEntropy
from objectives.terms.concentration import ConfidencePenalty as ConfidencePenalty
from objectives.terms.concentration import EntropyPenalty as EntropyPenalty
from objectives.terms.concentration import Sparsity as Sparsity
from objectives.terms.constraints import SimplexConstraint as SimplexConstraint
from objectives.terms.constraints import SumConstraint as SumConstraint
from objectives.terms.points import PairwiseOverlap as PairwiseOverlap
from objectives.terms.regression import ContextualMeanSquaredError as ContextualMeanSquaredError
from objectives.terms.regression import MeanSquaredError as MeanSquaredError
from objectives.terms.regression import WeightedMeanSquaredError as WeightedMeanSquaredError
from objectives.terms.statistics import Decorrelation as Decorrelation
from objectives.terms.structure import IsotropicTotalVariation as IsotropicTotalVariation
from objectives.terms.structure import SequenceOrdering as SequenceOrdering
from objectives.terms.structure import TotalVariation as TotalVariation
from objectives.terms.weights import Orthogonality as Orthogonality
from objectives.terms.weights import WeightDecay as WeightDecay
from objectives.weight_penalty import WeightPenalty as WeightPenalty
