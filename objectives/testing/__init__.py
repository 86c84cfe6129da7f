"""What a term has to keep to, as checks that any term of one's own can be given."""

from objectives.testing.report import NotCheckedError as NotCheckedError
from objectives.testing.report import Report as Report
from objectives.testing.report import TermCheckError as TermCheckError
from objectives.testing.term_check import check_term as check_term
