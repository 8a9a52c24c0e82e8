# Two commands do everything on a fresh machine:
#   make demo   set up, then adapt a simulated Landsat scene; names the report to open
#   make test   set up, then lint, type-check and test
# `make setup GPU=1` takes the CUDA build of torch. Debian and Ubuntu; elsewhere install
# libgdal with its headers, a C++ compiler and Python 3.11 or newer first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
# `===` takes the registry's own build even where a CPU build lies nearer
TORCH := $(if $(GPU),torch===2.13.0,torch==2.13.0)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
READY := $(VENV)/.ready$(if $(GPU),-gpu)

.PHONY: demo demo-run landcover landcover-run test setup servers lint slow clean
.DELETE_ON_ERROR:

demo: setup
	@$(MAKE) --no-print-directory demo-run

# the demo without the set-up: also run by the tests
demo-run:
	@echo "== Demo: a simulated Landsat-8 scene (L2SP and its L1TP, 10 x 10 km), under a minute"
	@rm -rf demo/scenes  # the same scene is written again, so a second demo finds its product
	$(BIN)/python -m nndacss.simulate demo/scenes
	$(BIN)/luigi --module tasks AdaptScene --local-scheduler \
		--scene $$(ls -d demo/scenes/LC0?_L2SP_*) --output demo/products
	@echo "== Done. Open this report in a browser:"
	@ls $$PWD/demo/products/*/report.html

landcover: setup
	@$(MAKE) --no-print-directory landcover-run

# the archive is painted, served on loopback, fetched, cleaned, learnt from, and a scene is mapped
landcover-run: STORE := work/landcovernet
landcover-run: PORT ?= 8765
landcover-run:
	@echo "== Land cover: from a stand-in archive on a local server to a map, about 5 minutes on two cores"
	$(BIN)/python -m nndacss.simulate.landcover work/stand-in --chips 24 --dates 4
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory work/stand-in >/dev/null 2>&1 & \
		trap "kill $$!" EXIT; \
		for n in 1 2 3 4 5 6 7 8 9 10; do \
			$(BIN)/python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$(PORT)/')" 2>/dev/null \
				&& break || sleep 1; done; \
		$(BIN)/luigi --module tasks AcquireLandCoverNet --local-scheduler \
			--set landcovernet.source=http://127.0.0.1:$(PORT) --set landcovernet.folder=$(STORE) \
			--set 'landcovernet.continents=["eu"]'
	$(BIN)/luigi --module tasks CleanLandCoverNet --local-scheduler --set clean.folder=$(STORE)
	$(BIN)/luigi --module tasks Experiment --local-scheduler --config landcovernet_small.toml
	$(BIN)/python -m nndacss.simulate work/scenes --sensor sentinel2 --level L2A
	$(BIN)/luigi --module tasks MapLandCover --local-scheduler --scene $$(ls -d work/scenes/S2*.SAFE) \
		--weights "$$(ls -t $$(grep -l '"cultivated"' work/train/*/weights.json) | head -1)"
	@echo "== Done. Open these reports in a browser, in $$PWD:"
	@ls work/clean/*/cleaning.html work/experiment/*/report.html products/*_landcover_*/report.html

test: setup servers
	@echo "== Checks and tests, about 12 minutes on two cores"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile --max-worker-restart=0

# PostgreSQL with PostGIS, for the tests that search a real STAC API; without it they are skipped
servers:
	@ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || { \
		echo "== Installing PostgreSQL with PostGIS with apt-get, for tests of the search"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq postgresql-postgis >/dev/null; } \
		|| echo "   not to be had: those tests will be skipped"

slow: setup servers
	$(BIN)/pytest -m "slow and not gpu" --timeout 3600

lint: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy

setup: $(READY)

$(READY): requirements.txt requirements-dev.txt constraints.txt setup.py pyproject.toml
	@echo "== Set-up: libgdal, a virtual environment in $(VENV), pinned wheels (2 GB on disk)."
	@echo "   Once only, about 3 minutes on two cores and a fast connection."
	@command -v gdal-config >/dev/null && command -v g++ >/dev/null || { \
		echo "== Installing libgdal-dev and g++ with apt-get"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libgdal-dev g++ >/dev/null; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "error: $(PYTHON) cannot make a virtual environment: install Python 3.11 or newer with venv"; exit 1; }
	@echo "== Installing pinned wheels"
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt \
		-r requirements.txt -r requirements-dev.txt "$(TORCH)"
	@echo "== Building GDAL's Python binding for libgdal $$(gdal-config --version)"
	$(BIN)/python -c "from osgeo import gdal" 2>/dev/null || $(BIN)/pip install -q \
		--disable-pip-version-check --no-build-isolation --no-deps "gdal==$$(gdal-config --version).*"
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) demo work products build *.egg-info
