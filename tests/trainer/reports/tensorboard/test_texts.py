"""Texts: what a reader finds on TensorBoard's page Text."""

from trainer.reports.tensorboard.texts import texts


def test_the_run_is_told_with_its_command_its_headline_its_terms_and_versions(run):
    environment = {
        "argv": ["termwise", "train", "--gin_param=A.b = 1"],
        "python": "3.11.7",
        "packages": {"keras": "3.15.1"},
        "git_revision": None,
        "modules": {},
    }
    found = texts(
        run(
            headline=("2 terms: data, small",),
            descriptions={"data": "`|y|`", "small": "`y^2`"},
            environment=environment,
        )
    )
    assert found["config"] == "    A.b = 1\n    A.c = '*x*'"
    assert found["run"].splitlines() == [
        "    termwise train '--gin_param=A.b = 1'",
        "",
        "    2 terms: data, small",
        "",
        "- **data**: `|y|`",
        "- **small**: `y^2`",
        "",
        "- python: `3.11.7`",
        "- keras: `3.15.1`",
    ]
