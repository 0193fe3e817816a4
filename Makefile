# What one runs while working, in an environment with the extra dev; .ci/run and .ci/full call these too.

PYTEST = pytest -q -n auto --dist worksteal
help:
	@echo "make kernels   compile ext/ in place, after an edit there"
	@echo "make lint      formats, types, stubs, docstrings, lengths of lines"
	@echo "make test      all tests but the slow ones"
	@echo "make levels    results of every package on the SIMD levels below the best"
	@echo "make slow      the slow tests"
	@echo "make docs      the site, docs/_build/html, with the extra docs; every cell runs"
	@echo "make bench     benchmarks, with the extra bench"
	@echo "bash .ci/run   all that a change has to pass;  bash .ci/full   what takes long"

kernels:
	python setup.py build_ext --inplace

lint:
	ruff check .
	ruff format --check .
	cython-lint ext
	@! LC_ALL=C.UTF-8 grep -nE '^[^|].{110}' ext/*/*.* *.md docs/*.md docs/*/*.md || { echo "more than 110 columns"; exit 1; }
	mypy
	python -m pytest -q -p no:cacheprovider tests/test_typing.py -m slow
	python -m mypy.stubtest $(patsubst src/rbmflow/_kernels/%.pyi,rbmflow._kernels.%, \
		$(wildcard src/rbmflow/_kernels/*.pyi)) --allowlist .ci/stubtest.txt --ignore-unused-allowlist --concise
	python .ci/docstrings.py
	validate-pyproject pyproject.toml

test:
	$(PYTEST)

LEVEL_TESTS = $(addprefix tests/,test_digests.py test_hardware.py sampling/test_block_gibbs.py \
	sampling/test_boltzmann.py training/test_fit.py networks/test_exact.py networks/test_hopfield.py \
	ising/test_sample.py weight/test_trained_weight.py flow/test_maps.py)

# a process for each level; the kernels' own tests take every one
levels:
	@python -c "from rbmflow._kernels import simd; print(*('plain', 'avx2', 'avx512')[: simd.supported()])" \
		| tr ' ' '\n' | xargs -r -P 2 -I LEVEL sh -c ' \
			shown=$$(RBMFLOW_SIMD=LEVEL pytest -q $(LEVEL_TESTS) 2>&1); status=$$?; \
			echo "-- LEVEL"; echo "$$shown"; exit $$status'

slow:
	$(PYTEST) -m slow

docs:
	sphinx-build -b html -E -W --keep-going -n -d docs/_build/doctrees docs docs/_build/html

bench:
	pytest bench -o python_files='bench_*.py' --benchmark-only -s

.PHONY: help kernels lint test levels slow docs bench
