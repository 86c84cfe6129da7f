# Everything that developers type: each target sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Of the tests: by default, those of two files at a time.
OPTIONS = -n 2

.PHONY: demo test all_tests check docs screenshots bench data_speed exactness oracles chaos faults mistakes methods contest gallery fuzz endurance board

## Trains one task without and with its regularising terms, and shows what they changed.
demo: $(VENV)/made
	rm -rf runs/demo
	$(BIN)/python scripts/train.py --gin_file=gin_configs/scene_segmentation_plain.gin --workdir=runs/demo/plain
	$(BIN)/python scripts/train.py --gin_file=gin_configs/scene_segmentation.gin --workdir=runs/demo/five_terms
	$(BIN)/python scripts/compare.py runs/demo/plain runs/demo/five_terms --pictures=runs/demo/pictures

## The tests that take seconds, two files at a time.
test: $(VENV)/made
	$(BIN)/python -m pytest --dist loadfile $(OPTIONS)

## Every test, those too that take longer: real processes, pages in a browser, whole demos. Says what it skips.
# One run collects once and leaves no core alone in between; a third file fills what others leave as they wait for
# processes. In the order of the folders: those with the longest files come first, which a number of tests would put last.
all_tests: OPTIONS = -m '' -rs -n 3 --no-loadscope-reorder
all_tests: test

## Style and types.
check: $(VENV)/made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## The site, in build/site: what to do, the guide, a reference from the docstrings, the evidence. No warning is let pass.
docs: $(VENV)/docs
	TF_CPP_MIN_LOG_LEVEL=3 NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

## The pictures of README and docs: those of the demo, and what a terminal and Chromium show of it.
screenshots: demo
	cp $(addprefix runs/demo/five_terms/pictures/,terms.png examples.png) docs/
	rm -rf runs/demo/five_terms
	$(BIN)/python docs/site/cast.py docs/terminal.svg \
	    $(BIN)/python scripts/train.py --gin_file=scene_segmentation.gin --workdir=runs/demo/five_terms
	$(BIN)/python -m pytest -n 0 -m slow tests/browser/test_pictures.py --pictures=docs

## Time and peak memory beside Keras, JAX, PyTorch, Lightning and loops by hand: docs/benchmark.md; at most 20 minutes.
# On a machine that does nothing else. scripts/benchmark.py --workload=tiny --part=peers --output=FILE measures a part.
bench: $(VENV)/peers
	$(BIN)/python scripts/benchmark.py --output=docs/benchmark.md

## How fast each kind of source feeds a network, and 8 GB on the disk: docs/data_speed.md, on a machine that does nothing else.
data_speed: $(VENV)/made
	$(BIN)/python scripts/verification/data_speed.py --output=docs/data_speed.md

## The step is the same however a batch is split: docs/exactness.md.
exactness: $(VENV)/made
	$(BIN)/python scripts/verification/exactness.py --output=docs/exactness.md

## Every term and its gradient beside a computation that is not ours: docs/terms.md.
oracles: $(VENV)/made
	$(BIN)/python scripts/verification/oracles.py --output=docs/terms.md

## Kills runs at random moments, and compares them with undisturbed runs; about twenty minutes.
chaos: $(VENV)/made
	$(BIN)/python scripts/verification/chaos.py --kills=20 --workdir=runs/chaos

## Injects faults into real runs: docs/faults.md. Faults of disks need permission to mount.
faults: $(VENV)/made
	$(BIN)/python scripts/verification/faults.py --output=docs/faults.md

## Makes the mistakes that users make, and records the messages: docs/mistakes.md.
mistakes: $(VENV)/made
	$(BIN)/python scripts/verification/mistakes.py --output=docs/mistakes.md

## Methods of balancing: golden values, problems whose answer is known, cost: docs/methods.md. TORCHJD=FOLDER adds TorchJD.
methods: $(VENV)/made
	$(BIN)/python scripts/verification/balancing.py --output=docs/methods.md $(if $(TORCHJD),--torchjd=$(TORCHJD))

## Each task with its regularising terms, without them and without each, over five seeds: docs/tasks.md; 40 minutes.
gallery: $(VENV)/made
	$(BIN)/python scripts/gallery.py --each_term --output=docs/tasks.md

## Every method of balancing beside fixed weights on problems of ours, seed by seed: docs/contest.md; about an hour.
contest: $(VENV)/made
	$(BIN)/python scripts/verification/contest.py --output=docs/contest.md --workdir=runs/contest

## Random configurations against a plain eager loop, for half an hour; the seed is shown.
fuzz: $(VENV)/made
	$(BIN)/python scripts/verification/fuzz.py --minutes=30

## Watches a run of 20,000 steps from outside: its memory, open files and threads must not grow.
endurance: $(VENV)/made
	$(BIN)/python scripts/verification/endurance.py --steps=20000

## Opens the charts of every run.
board: $(VENV)/made
	$(BIN)/tensorboard --logdir runs

# Created once, and again when the pins change.
$(VENV)/made: constraints.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/peers: $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[peers]'
	touch $@

$(VENV)/docs: $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@
