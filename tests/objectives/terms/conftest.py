"""The cases of all bundled terms, from one file a family."""

import importlib
import pathlib

import pytest

FAMILIES = sorted({path.stem for path in (pathlib.Path(__file__).parent / "cases").glob("*.py")} - {"case"})


def _table(name):
    """Merges a table of all families."""
    modules = [importlib.import_module(f"tests.objectives.terms.cases.{family}") for family in FAMILIES]
    return {title: case for module in modules for title, case in getattr(module, name, {}).items()}


# Terms with a value for each element or example; terms whose value is one number for all that they read, in which
# there is nothing to mask or to merge by examples; and terms at a kink, a zero or a tie.
CASES, WHOLE, KINKS = (_table(name) for name in ("CASES", "WHOLE", "KINKS"))


@pytest.fixture(scope="session")
def kinks():
    return KINKS


@pytest.fixture(params=KINKS.values(), ids=KINKS.keys())
def kink(request):
    """A term at a kink, a zero or a tie."""
    return request.param


@pytest.fixture(scope="session")
def cases():
    return {**CASES, **WHOLE}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    """A term that has a value an element or an example."""
    return request.param


@pytest.fixture(params=[*CASES.values(), *WHOLE.values()], ids=[*CASES, *WHOLE])
def any_case(request):
    """A term of either kind."""
    return request.param
