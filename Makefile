# HouseX: `make demo` and `make test` work from a bare clone with Python 3.11; everything else is listed by `make help`.
PYTHON ?= python3.11
VENV   := .venv
PY     := $(VENV)/bin/python
LINT   := .venv-lint
PIP_VERSION := 26.3
QUALITY ?= draft
# the other Blenders that the tests of scene, ui and package run in
OTHER_BLENDERS := 4.2 5.0
# two processes, each with one thread: whole files go to one of them, for their fixtures cost more than their tests
SIDE_BY_SIDE := -n 2 --dist loadfile
BPY_4.2 := 4.2.23
BPY_5.0 := 5.0.1

.PHONY: help setup demo test click-through lint bench show extension repository demo-scene model mix clean

help:
	@echo "make demo       analyse the demo mix, build the tunnel, render stills and a film into out/"
	@echo "make test       the whole test suite        make lint       ruff and mypy"
	@echo "make test-4.2   and test-5.0: of it what touches Blender, in that Blender; part of make test"
	@echo "make click-through  click through the extension in every real Blender here (HOUSEX_BLENDER names one)"
	@echo "make show       measures and pictures of the scenes; BLENDERS='\"blender\"' compares programs of Blender too"
	@echo "make setup      the environment alone       make bench      speed and memory against named rivals"
	@echo "make extension  zips for Blender in dist/, one per platform; PYTHONS=3.14 PLATFORMS=linux-x64 choose"
	@echo "make repository dist/ as an extension repository that Blender updates from"
	@echo "make demo-scene the scene that the zips carry  make model   train the weights anew"

$(VENV)/.pip:
	.ci/system-libraries
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check pip==$(PIP_VERSION)
	@touch $@

# the demo needs no torch, so it does not wait for it
$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(PY) -m pip install -q --group demo
	@touch $@

# torch by its exact version and alone first: any other way of asking may bring gigabytes of CUDA libraries
$(VENV)/.test: $(VENV)/.demo pyproject.toml
	$(PY) -m pip install -q torch==2.13.0
	$(PY) -m pip install -q --group test
	@touch $@

# a Blender of another version, and no torch: what the tests of scene, ui and package need
$(VENV)-%/.done: pyproject.toml
	.ci/system-libraries
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check pip==$(PIP_VERSION)
	$(@D)/bin/python -m pip install -q --group hear --group check bpy==$(BPY_$*)
	@touch $@

$(LINT)/.done: pyproject.toml
	$(PYTHON) -m venv $(LINT)
	$(LINT)/bin/python -m pip install -q --disable-pip-version-check pip==$(PIP_VERSION)
	$(LINT)/bin/python -m pip install -q --group lint
	@touch $@

setup: $(VENV)/.test

demo: $(VENV)/.demo
	$(PY) demo_scenes/make_demo.py --quality $(QUALITY) --out out

test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(PY) -m pytest tests $(SIDE_BY_SIDE) $(TESTS)
	$(MAKE) $(OTHER_BLENDERS:%=test-%)

# judged by pytest's own verdict: Blender as a module may crash or hang when Python exits
$(OTHER_BLENDERS:%=test-%): test-%: $(VENV)-%/.done
	OMP_NUM_THREADS=1 $(VENV)-$*/bin/python .ci/test_blender.py tests/scene tests/ui tests/package $(SIDE_BY_SIDE) $(TESTS)

click-through: $(VENV)/.demo
	$(PY) -m tests.real.click_through --out out/click-through

lint: $(LINT)/.done
	$(LINT)/bin/ruff check .
	$(LINT)/bin/ruff format --check .
	$(LINT)/bin/mypy

# BLENDERS: programs of Blender to compare too, each in quotes
show: $(VENV)/.test $(OTHER_BLENDERS:%=$(VENV)-%/.done)
	$(PY) -m benchmarks.show all --python $(OTHER_BLENDERS:%=$(VENV)-%/bin/python) $(if $(BLENDERS),--blender $(BLENDERS))
	$(PY) -m benchmarks.readme

bench: $(VENV)/.test
	$(PY) -m benchmarks.speed
	$(PY) -m benchmarks.readme

extension: $(VENV)/.demo
	$(PY) .ci/build_extension.py --out dist $(if $(PYTHONS),--pythons $(PYTHONS)) $(if $(PLATFORMS),--platforms $(PLATFORMS))

repository: extension
	$(PY) .ci/build_repository.py --dir dist

demo-scene: $(VENV)/.demo
	$(PY) demo_scenes/make_scene.py

model: $(VENV)/.test
	$(PY) -m trainer make-default

mix: $(VENV)/.test
	$(PY) -m trainer synth demo

clean:
	rm -rf out dist build bench $(VENV) $(OTHER_BLENDERS:%=$(VENV)-%) $(LINT)
