"""Methods that find the weights of terms, a file a family; `objectives` exports them all, and this their bases."""

from objectives.balancing.weighting import GradientWeighting as GradientWeighting
from objectives.balancing.weighting import GramWeighting as GramWeighting
from objectives.balancing.weighting import State as State
from objectives.balancing.weighting import TermGradients as TermGradients
from objectives.balancing.weighting import Values as Values
from objectives.balancing.weighting import ValueWeighting as ValueWeighting
from objectives.balancing.weighting import Weighting as Weighting
