# Two commands set up a fresh machine: `make demo` and `make test`. Nothing but Python 3.11, make and a network.
PYTHON ?= python3
VENV := .venv

.PHONY: demo test bench fuzz clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "openceir needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[portal]'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --editable '.[test]'
	touch $@

demo: $(VENV)/installed
	$(VENV)/bin/openceir demo
	@echo '  (openceir is in $(VENV)/bin: export PATH="$$PWD/$(VENV)/bin:$$PATH")'

test: $(VENV)/installed-test
	scripts/install-java.sh
	scripts/install-peers.sh
	scripts/install-browser.sh
	scripts/install-postgresql.sh
	scripts/install-cometbft.sh
	scripts/install-gateways.sh
	scripts/install-tlog-oracle.sh
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest

bench: $(VENV)/installed-test
	$(VENV)/bin/python -m bench

fuzz: $(VENV)/installed-test
	$(VENV)/bin/python -m fuzz --seconds 30

clean:
	rm -rf $(VENV) build bench-work fuzz-work
