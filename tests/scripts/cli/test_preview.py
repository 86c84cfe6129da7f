"""What a dry run shows: tables within the terminal, whose odd values are told."""

import types

import keras
import pytest
from rich.console import Console

from objectives import MeanSquaredError, Objective, RangeHinge, UPGrad, schedules
from termwise.cli import results
from termwise.cli.preview import show_preview
from trainer import Player, Players
from trainer.executions.preview import Parameters, Preview, Read, Trained

TERMS = {
    "reconstruction": MeanSquaredError(),
    "ramped": RangeHinge(weight=schedules.Linear(first=0.0, last=1.0, steps=9), max_value=1.0),
    "broken": RangeHinge(max_value=1.0),
    "measured": RangeHinge(max_value=1.0, weight=0.0),
}

FOUND = {"reconstruction": 2.0, "ramped": 1.0, "broken": 0.0, "measured": 1.0}


def values(**raw):
    """Values of terms on a batch, and their total."""
    found = {"loss/total": 12345.678}
    for name, value in raw.items():
        weight = 0.0 if name in ("ramped", "measured") else 1.0
        of_term = {"raw": value, "weight": weight, "weighted": weight * value, "count": 0.0 if value == 0 else 64.0}
        found |= {f"terms/{name}/{what}": number for what, number in of_term.items()}
    return found


@pytest.fixture
def shown(capsys, monkeypatch):
    """Shows a preview with some changes on a terminal, or in a file if it has no width; its lines."""

    def show(
        given=None, gradients_every=100, width=80, terms=TERMS, balancer=None, players=None, updated=(), **changes
    ):
        look = {"force_terminal": width is not None, "color_system": None, "soft_wrap": True, "highlight": False}
        monkeypatch.setattr(results, "_CONSOLE", Console(width=width, **look))
        objective = Objective(**terms)
        trainer = types.SimpleNamespace(
            objective=objective,
            batch_size=32,
            steps=2500,
            step=0,
            gradients_every=gradients_every,
            balancer=balancer,
            players=players,
        )
        fields = {
            "replicas": 1,
            "reads": [Read(key="inputs", shape=(32, None), dtype="float32", readers=("the model",))],
            "parameters": [Parameters(layer="hidden", trained=1_234_567, fixed=8)],
            "memory": {"weights": 4_938_268, "gradients": 4_938_268},
            "execution": "graph",
            "step_seconds": 0.07,
            "gradients_seconds": 0.2,
            "gradients": {"terms/reconstruction/grad_norm": 3.0, "terms/reconstruction/grad_cosine": 0.5},
            "players": dict(updated),
        }
        given = given or values(**FOUND)
        show_preview(trainer, given, Preview(**fields | changes))
        return capsys.readouterr().out.splitlines()

    return show


def row(lines, name):
    return next([cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith(f"│ {name} "))


def test_each_term_has_its_gradient_and_what_it_does(shown):
    lines = shown()
    assert row(lines, "reconstruction") == ["reconstruction", "2", "1", "2", "3", "100.0%", "0.50"]
    assert row(lines, "ramped") == ["ramped", "1", "0", "0", "-", "-", "-"]
    assert "  ramped: weight 0 at this step" in lines
    assert "  measured: weight 0: only measured" in lines


def test_the_balancer_is_named_with_the_weights_that_it_finds_for_the_first_step(shown):
    own = {f"terms/{name}/effective_weight": 0.25 * i for i, name in enumerate(TERMS)}
    lines = shown(balancer=UPGrad(), own=own, width=120)
    assert row(lines, "ramped")[:5] == ["ramped", "1", "0", "0", "0.25"]
    assert "factors of the terms by UPGrad(on=None, regularization=1e-06)" in lines


def test_players_are_shown_with_what_each_of_them_updates(shown):
    def player(**fields):
        return Player(objective=Objective(a=MeanSquaredError()), optimizer=keras.optimizers.SGD(0.1), **fields)

    players = Players(critic=player(variables="critic/.*", every=5), generator=player(turn=-1, steps=2))
    updated = {"critic": Trained(variables=4, parameters=1234), "generator": Trained(variables=2, parameters=56)}
    lines = shown(players=players, updated=updated)
    rows = [row(lines, name) for name in ("generator", "critic")]
    assert rows == [["generator", "-1", "2", "2", "56"], ["critic", "0", "1 every 5 steps", "4", "1,234"]]


def test_the_share_of_a_gradient_is_that_among_the_terms_of_its_player(shown):
    def player(turn, *terms):
        objective = Objective(**{name: RangeHinge() for name in terms})
        return Player(objective=objective, optimizer=keras.optimizers.SGD(0.1), turn=turn, variables=f"{turn}/.*")

    players = Players(critic=player(0, "gap"), maker=player(1, "fool", "flat"))
    terms, given = players.objective.terms, {"loss/total": 3.0}
    for name in terms:
        given |= {f"terms/{name}/raw": 1.0, f"terms/{name}/weight": 1.0, f"terms/{name}/weighted": 1.0}
    norms = {"critic.gap": 100.0, "maker.fool": 3.0, "maker.flat": 1.0}
    gradients = {f"terms/{name}/grad_norm": norm for name, norm in norms.items()}
    updated = dict.fromkeys(players.players, Trained(variables=1, parameters=1))
    lines = shown(given, terms=terms, players=players, updated=updated, gradients=gradients, width=140)
    shares = [next(cell for cell in row(lines, name) if "%" in cell) for name in norms]
    assert shares == ["100.0%", "75.0%", "25.0%"]
    assert "the only one" in row(lines, "critic.gap")


def test_one_batch_is_no_run_of_which_verdicts_are_said(shown):
    norms = {f"terms/{name}/grad_norm": 1.0 for name in ("reconstruction", "broken")}
    lines = shown(gradients=norms | {"cosines/reconstruction/broken": -0.5}, given=values(**FOUND | {"broken": 3.0}))
    assert "  reconstruction: opposes broken on this batch" in lines
    given = values(**FOUND | {"broken": 0.0}) | {"terms/broken/count": 64.0}
    assert "  broken: 0 on this batch" in shown(given=given, gradients={})


def test_a_term_for_which_nothing_was_counted_has_a_dash(shown):
    assert row(shown(), "broken")[1:4] == ["-", "1", "-"]


def test_a_gradient_that_is_not_finite_is_shown_and_leaves_no_share(shown):
    lines = shown(gradients={"terms/reconstruction/grad_norm": 3.0, "terms/broken/grad_norm": float("nan")})
    assert row(lines, "broken")[4:6] == ["nan", "-"]
    assert row(lines, "reconstruction")[5] == "-"
    assert "  broken: its gradient is not finite" in lines


def test_long_lists_of_readers_and_layers_stay_within_80_columns(shown):
    readers = tuple(f"term_number_{i}" for i in range(20))
    parameters = [Parameters(layer=f"layer_{i}", trained=10 * (i + 1), fixed=0) for i in range(100)]
    lines = shown(
        reads=[Read(key="activations.encoder/block", shape=(32, 64, 64, 128), dtype="float32", readers=readers)],
        parameters=parameters,
    )
    assert max(map(len, lines)) <= 80
    assert row(lines, "89 smaller ones") == ["89 smaller ones", f"{sum(range(10, 900, 10)):,}", "0"]
    assert row(lines, "layer_99") == ["layer_99", "1,000", "0"]
    assert any("others" in line for line in lines)


@pytest.fixture
def long_names():
    """What `shown` takes of a run whose terms, layers and activations have long names."""
    names = [f"smoothness_of_the_displacement_{which}_all_ventricles" for which in ("between", "within", "around")]
    activation = "activations.encoder/residual_block_12/convolution_of_the_second_branch"
    tags = {"grad_norm": 123.456, "grad_cosine": -0.25}
    found = values(**dict.fromkeys(names, 1.23456e-7)) | {f"terms/{names[0]}/{activation}/count": 4.0}
    return names, {
        "terms": {name: RangeHinge(max_value=1.0) for name in names},
        "given": found,
        "gradients": {f"terms/{name}/{what}": value for name in names for what, value in tags.items()},
        "reads": [
            Read(key=key, shape=(128, 1024, 1024, 64), dtype="float32", readers=("the model", *names))
            for key in ("inputs", activation)
        ],
        "parameters": [Parameters(layer=f"{activation}_{i}", trained=10**9, fixed=10**9) for i in range(20)],
    }


@pytest.mark.parametrize("width", [70, 80, 120, 200])
def test_names_are_cut_to_the_width_of_the_terminal_and_stay_different(shown, long_names, width):
    _, run = long_names
    lines = shown(width=width, **run)
    assert max(map(len, lines)) <= width
    terms, reads, layers, *_ = "\n".join(lines).split("└")
    for table, rows in ((terms, 4), (reads, 2), (layers, 13)):
        cells = [line.split("│")[1] for line in table.splitlines() if line.startswith("│ ")]
        names = [name for cell in cells if (name := cell.strip()) and not cell.startswith("   ")]
        assert len({*names}) == len(names) == rows


@pytest.mark.parametrize("width", [30, 40, 60])
def test_a_terminal_too_narrow_for_a_table_has_its_rows_as_lines_with_names_in_full(shown, width):
    reads = [Read(key="activations.encoder", shape=(32, 1024), dtype="float32", readers=("the model", "measured"))]
    lines = shown(width=width, reads=reads, memory={"examples or indices of a chunk": 2000})
    assert max(map(len, lines)) <= width
    start = lines.index("activations.encoder") if width < 60 else 0
    if start:
        assert lines[start + 1 : start + 4] == [
            "  shape: [32, 1024]",
            "  type: float32",
            "  read by: the model, measured",
        ]
    assert any("│ examples or indices" in line for line in lines) == (width > 40)
    assert "examples or indices of a chunk" in " ".join(lines)


def test_a_file_has_names_in_full(shown, long_names):
    names, run = long_names
    lines = shown(width=None, **run)
    for name in names:
        assert row(lines, name)[1:7] == ["1.2346e-07", "1", "1.2346e-07", "123.5", "33.3%", "-0.25"]


def test_a_narrow_terminal_says_which_columns_it_has_no_place_for(shown, long_names):
    _, run = long_names
    assert "left out here: raw, gradient" in shown(width=60, **run)


def test_the_time_is_that_of_all_steps_and_measurements_of_gradients(shown):
    def told(**settings):
        lines = shown(**settings)
        (first,) = (i for i, line in enumerate(lines) if line.startswith("time: "))
        return " ".join(line.strip() for line in lines[first:])

    gradients = " with 25 measurements of the gradients of the terms"
    each = "at 70 ms a step as graph runs it; evaluations, checkpoints and waiting for data come on top"
    assert told() == f"time: about 3 min for 2,500 steps{gradients}, {each}"
    assert told(gradients_every=None) == f"time: about 2 min 55 s for 2,500 steps, {each}"


def test_sizes_that_are_known_in_a_step_only_are_any(shown):
    assert row(shown(), "inputs") == ["inputs", "[32, any]", "float32", "the model"]


def test_replicas_are_told(shown):
    lines = shown(replicas=2)
    assert "what is read of a batch of 32, shared among 2 replicas" in "\n".join(lines)
    assert any(line.startswith("memory of each replica, an estimate") for line in lines)
