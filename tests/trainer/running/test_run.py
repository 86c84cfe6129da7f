"""TrainingRun: its reports begin after the steps that are done, and know whether those are of a checkpoint."""

import pytest


@pytest.mark.slow
def test_reports_begin_after_what_is_done_over_whatever_replicas(make_trainer, recorder, replicas, tmp_path):
    def train(count, steps):
        make_trainer(workdir=tmp_path, strategy=replicas(count), steps=steps, reports=[recorder]).train()
        return recorder.run

    assert train(1, 2).first_step == 0
    resumed = train(2, 3)
    assert resumed.first_step == 2
    assert f"resuming at step 2 from the latest checkpoint in {tmp_path}" in resumed.headline
    assert any(line.startswith("replicas: 1 before, 2 now; ") for line in resumed.headline)
