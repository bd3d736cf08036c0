# deqsci: the first call of any target builds .venv; all it needs is python3 >= 3.11 with pip and venv.

# libgomp's threads must sleep while they wait: spinning ones slow small operations 30-50 times
# on cores that something else is using.
export OMP_WAIT_POLICY = PASSIVE

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint docs pictures table bench claims clean

demo: $(VENV)/.demo
	$(BIN)/deqsci demo --output out/demo
	@echo "deqsci is on the path after: source $(BIN)/activate"

# Two processes of one thread each end sooner than one process of two threads: the tests are small.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, in out/docs; needs no network once the tools are installed. A warning is an error.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs out/docs
	@echo "open out/docs/index.html"

# The pictures of README and site, from the demo's clip; minutes.
pictures: $(VENV)/.demo
	$(BIN)/python -m benchmarks.pictures

# Every method on a folder of scenes, PSNR, SSIM, time, memory: make table SCENES=folder
# A second call goes on where the first one stopped. More: make table SCENES=folder ARGS="--sweep noise=0,0.05"
table: $(VENV)/.demo
	@test -n "$(SCENES)" || { echo "name a folder of scenes: make table SCENES=folder"; exit 2; }
	$(BIN)/deqsci benchmark "$(SCENES)" --output out/table $(ARGS)

# Another scene: make bench SCENE=path/to/scene.mat
SCENE ?= out/bench/bikes.npz
bench: $(VENV)/.dev $(SCENE)
	$(BIN)/python benchmarks/solvers.py $(SCENE) -o out/bench/solvers.json
	$(BIN)/python benchmarks/equilibria.py $(SCENE) -o out/bench/equilibria.json

# What is claimed, measured on a folder of scenes whose truth is known: make claims SCENES=folder
# Hours on two cores; a second call goes on where the first one stopped.
MODELS := de-gap-cnn de-gap-rsn-cnn
CLAIMS := iterations starts certificates gradients
claims: $(VENV)/.dev
	@test -n "$(SCENES)" || { echo "name a folder of scenes: make claims SCENES=folder"; exit 2; }
	set -e; for method in $(MODELS); do \
		$(BIN)/python -m benchmarks.claims.memory --methods $$method \
			-o docs/claims/memory-$$method.json; \
		for claim in $(CLAIMS); do $(BIN)/python -m benchmarks.claims.$$claim $(SCENES) \
			--methods $$method -o docs/claims/$$claim-$$method.json; done; done
	$(BIN)/python -m benchmarks.claims.page

out/bench/bikes.npz: | $(VENV)/.dev
	$(BIN)/deqsci simulate "$$($(BIN)/python -c 'from deqsci.cli.demo import find_clip; print(find_clip())')" \
		--start 192 --crop 256 256 --max-snapshots 2 --output $@

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "deqsci needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# The stamps make a second call quick; a change of the dependencies makes them stale.
$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e ".[docs]"
	@touch $@
