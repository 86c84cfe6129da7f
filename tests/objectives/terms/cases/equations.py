"""Cases of differential equations: what NumPy says of residuals."""

from objectives import PdeResidual
from tests.objectives.terms.cases.case import Case, Kink, at, normal


def burgers(u, u_t, u_x, u_xx):
    return u_t + u * u_x - 0.1 * u_xx


FLOW = PdeResidual(fn=burgers, keys_of={"u": "outputs.flow", "x": "inputs.x", "t": "inputs.t"})

CASES = {
    "Burgers' equation": Case(
        term=FLOW,
        tensors={name: normal(4, 1, seed=i) for i, name in enumerate(("u", "u_t", "u_x", "u_xx"))},
        oracle=lambda u, u_t, u_x, u_xx: (u_t + u * u_x - 0.1 * u_xx) ** 2,
    ),
    "a residual with a source": Case(
        term=PdeResidual(
            fn=lambda u_place_place, heating: u_place_place + heating,
            keys_of={"u": "outputs", "place": "inputs.place", "heating": "targets"},
        ),
        tensors={"heating": normal(4, 1), "u_place_place": normal(4, 1, seed=1)},
        oracle=lambda heating, u_place_place: (u_place_place + heating) ** 2,
    ),
}


KINKS = {
    "an equation that holds": Kink(
        term=FLOW,
        tensors={"u": at([2.0]), "u_t": at([-1.0]), "u_x": at([1.0]), "u_xx": at([10.0])},
        gradient=at([0.0]),
    ),
}
