# `make run` does the main job, `make test` checks the project. Each needs Python 3.10 or newer
# and makes its own environment in .venv, once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRACT := $(VENV)/.extract
OLDEST_PYTHON ?= python3.10
OLDEST := .oldest

.PHONY: run test test-oldest check lint docs figures studies map bench advise gpu clip clip-rehearsal torture clean

# Predict, measure and compare on the shipped features; resumes where it stopped.
run: $(READY)
	$(BIN)/python -m validation run
	$(BIN)/python -m validation report --out report

# Everything: lint, types, contracts of imports, tests in two processes of one thread each.
test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The tests with every dependency at the lower bound that setup.cfg names, and the oldest Python, in an
# environment of 6 GB: the oldest PyTorch comes with CUDA.
test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest -n 2 --dist worksteal

$(OLDEST)/.ready: setup.cfg tests/oldest.py
	$(OLDEST_PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python tests/oldest.py extract hub cells slurm torch dask test > $(OLDEST)/bounds.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check -r $(OLDEST)/bounds.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

# `make test` in under a minute, with the tests of the files that were touched alone.
check: lint
	$(BIN)/python tests/touched.py | xargs $(BIN)/python -m pytest -q -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then $(BIN)/mypy; \
		else echo "types are checked with Python 3.11 or newer, which the type stubs need"; fi

# The documentation site, build/site/html/index.html: examples are run, warnings are errors.
docs: $(VENV)/.docs
	$(BIN)/python docs/site/build.py

$(VENV)/.docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@

# Every figure, from stored tables alone.
figures: $(READY)
	$(BIN)/python -m paper_figures

# Every study anew beside its stored tables, which stay as they are: what moved, and by how much.
# Hours on 2 cores; `make studies STUDIES="rank ridge_risk"` takes some.
studies: $(READY)
	$(BIN)/python -m experiments --again $(STUDIES)

# The picture of the rooms and the walk through them, in docs/architecture.md.
map: $(READY)
	$(BIN)/python docs/architecture.py

# Advice on the shipped digits, as a page: advice/digits.html.
advise: $(READY)
	mkdir -p advice
	$(BIN)/fusiontheory advise fusiontheory/advice/data/digits.npz --labels digit --verify \
		--page advice/digits.html --figures advice/figures

# Speed, as ratios measured side by side; not part of the tests.
bench: $(READY)
	$(BIN)/python -m pytest -o addopts="" --benchmark-only tests/benchmarks/bench_*.py

# Kills, damage, hostile input and 100,000 fuzzed calls, at most an hour; goes on where it stopped.
# Its last result is a table in docs/reliability.md. rm -r .cache/torture starts anew.
torture: $(READY)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=.:tests $(BIN)/python -m torture --page

# On a machine with a GPU: agreement with the processor, the whole grid with 10 seeds, rates; goes
# on where it stopped (docs/gpu.md). `make gpu PYTHON=python3 VENV=none` takes the Python that is
# there, with its own PyTorch, and installs nothing; `make gpu ARGS="--small --device cpu"` tries it.
#
# With a network too: Flickr8k and CLIP from their archives to figures and a report, on the GPU
# (docs/gpu.md). Its rehearsal needs neither: random weights, a mirror on this machine, two kills.
ifeq ($(VENV),none)
gpu:
	$(PYTHON) -m validation.gpu $(ARGS)

clip:
	$(PYTHON) -m validation.clip $(ARGS)

clip-rehearsal:
	$(PYTHON) tests/clip_rehearsal.py $(ARGS)
else
gpu: $(READY)
	$(BIN)/python -m validation.gpu $(ARGS)

clip: $(EXTRACT)
	$(BIN)/python -m validation.clip $(ARGS)

clip-rehearsal: $(EXTRACT)
	$(BIN)/python tests/clip_rehearsal.py $(ARGS)
endif

$(EXTRACT): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e ".[extract,validation]"
	touch $@

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; name one: make PYTHON=python3.11 run" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e ".[validation,test]"
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) .cache report advice
