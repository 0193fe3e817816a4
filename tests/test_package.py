"""The house: what importing loads, and which layer may import which."""

import ast
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import pytest

import rbmflow
from rbmflow import networks
from rbmflow.networks import MOVED
from tests.public_calls import ROOMS

SOURCE = Path(rbmflow.__file__).parent

# From the bottom up; a module imports only from layers below its own, or from its own package.
LAYERS = [
    ["_kernels"],
    ["errors", "arguments", "cgroups", "lazy"],
    ["typing"],
    ["executors", "files", "hardware", "workers"],
    ["reading"],
    ["generators", "netcdf", "precision", "spins", "autocorrelation", "provenance", "locks"],
    ["records"],
    ["checkpoints", "estimate", "state_law", "roots"],
    ["ising"],
    ["networks"],
    ["sampling", "likelihood"],
    ["rg"],  # a map is graded on configurations that are drawn
    ["weight", "training"],
    ["flow", "thermometer", "estimator"],
    ["experiments"],
    ["plot"],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
KERNEL_OWNERS = {
    "simd": {"hardware"},
    "enumeration": {"ising.enumeration"},
    "graph_sums": {"ising.level_table", "ising.state_sums"},
    "magnetization": {"ising.ring", "weight.forms"},
    "ring_sampler": {"ising.ring"},
    "multispin": {"sampling.replicas"},
    "graph_replicas": {"sampling.colouring", "sampling.graph_replicas"},
    "checkerboard": {"sampling.compiled_chains"},
    "single_spin": {"sampling.compiled_chains"},
    "cluster": {"sampling.cluster_chains"},
    "graph_clusters": {"sampling.cluster_chains"},
    "boltzmann": {"likelihood.coupled", "sampling.boltzmann"},
    "logistic": set(),  # what other kernels include, for its tests
    "block_gibbs": {"sampling.block_gibbs", "training.chains", "training.trainer"},
    "uniform_weight": {"weight.solve"},
    "rbm_partition": {"networks.layer_sums"},
    "annealing": {"likelihood.annealed_importance"},
    "hopfield": {"sampling.relaxation"},
    "mean_field": {"flow.maps"},
    "torus_sums": {"ising.joint_density_of_states", "ising.torus_weights"},
    "walsh": {"ising.operator_law", "networks.effective"},
}


def modules():
    return [path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" or path.parent != SOURCE]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rbmflow"):
            if node.module in ("rbmflow", "rbmflow._kernels"):
                for alias in node.names:
                    yield f"{node.module}.{alias.name}"
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("rbmflow"):
                    yield alias.name


@pytest.mark.parametrize(
    "code", ["import rbmflow", "import rbmflow.flow, rbmflow.thermometer, rbmflow.weight, rbmflow.rg"]
)
def test_importing_loads_neither_scipy_nor_mpmath_nor_matplotlib(code):
    check = f"{code}; import sys; print({{'scipy', 'mpmath', 'matplotlib', 'tqdm'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_names_are_loaded_when_they_are_asked_for():
    code = """if True:
        import sys
        import rbmflow
        assert not {name for name in sys.modules if name.startswith("rbmflow.")}
        assert rbmflow.Ring is rbmflow.ising.Ring and "rbmflow.networks" not in sys.modules
        from rbmflow import *
        assert not [name for name in rbmflow.__all__ if name not in globals()]
        assert rbmflow.estimate.Estimate and not hasattr(rbmflow, "estimater")
    """
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(rbmflow._HOME_OF) <= set(rbmflow.__all__)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_from_layers_below(path):
    room = path.relative_to(SOURCE).with_suffix("").parts[0]
    for target in imports(path):
        parts = target.split(".")[1:]
        if not parts or parts[0] not in LEVEL:
            # public names of the package itself: for the command line only
            assert room == "cli", f"{path}: {target}"
            continue
        assert parts[0] == room or LEVEL[parts[0]] < LEVEL[room], f"{path}: {target}"
        if parts[0] == "_kernels":
            owner = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
            assert owner in KERNEL_OWNERS[parts[1]], f"{path}: {target}"


def test_no_module_imports_itself_by_way_of_others():
    graph = {}
    for path in modules():
        if path.name != "__init__.py":  # a package imports its modules, and these the packages below
            dotted = ".".join(("rbmflow", *path.relative_to(SOURCE).with_suffix("").parts))
            graph[dotted] = {target for target in imports(path) if target != dotted}
    order = TopologicalSorter({name: targets & graph.keys() for name, targets in graph.items()})
    order.prepare()  # raises CycleError, which names the circle


def test_names_that_moved_up_are_found_where_they_were_with_a_warning():
    # the one arrow up: no import, but a look at the layer above when an old program asks for such a name
    for path in modules():  # beside it, what is loaded when it is asked for
        if "import_module" in path.read_text(encoding="utf-8"):
            known = [
                "networks/__init__.py",
                "experiments/experiment.py",
                "experiments/sweep/calls.py",
                "cli/__init__.py",
                "ising/lattice.py",  # the kinds of lattices, by name
                "lazy.py",
            ]
            assert path in [SOURCE / name for name in known]
    assert set(MOVED.values()) == {"sampling", "training"}
    for name, room in MOVED.items():
        vars(networks).pop(name, None)
        with pytest.warns(DeprecationWarning, match=rf"networks\.{name} is now {room}\.{name}") as told:
            __import__("rbmflow.networks", fromlist=[name])
        assert len(told) == 1
        assert told[0].filename == __file__  # the line that asks
        assert getattr(networks, name) is getattr(getattr(rbmflow, room), name)  # and no second warning
        assert name not in networks.__all__
    with pytest.raises(AttributeError, match="no attribute 'annealed'"):
        networks.annealed  # noqa: B018


@pytest.mark.parametrize("package", ["flow", "ising", "reading", "rg", "weight"])
def test_a_lazy_package_finds_what_its_imports_for_types_say(package):
    tree = ast.parse((SOURCE / package / "__init__.py").read_text(encoding="utf-8"))
    (branch,) = [node for node in tree.body if isinstance(node, ast.If)]
    said = {alias.name: node.module for node in branch.body for alias in node.names}
    loaded = importlib.import_module(f"rbmflow.{package}")
    assert sorted(said) == sorted(loaded.__all__) == sorted(vars(loaded)["_HOMES"])
    for name, home in said.items():  # the submodules of the same names have been imported by now
        module = importlib.import_module(home)
        assert getattr(loaded, name) is getattr(module, name)
    for home in set(vars(loaded)["_HOMES"].values()) - said.keys():  # an attribute before any import of it
        assert loaded.__getattr__(home) is importlib.import_module(f"rbmflow.{package}.{home}")
    with pytest.raises(AttributeError, match=rf"module 'rbmflow.{package}' has no attribute 'nothing'"):
        loaded.nothing  # noqa: B018


def test_only_the_style_of_figures_imports_matplotlib():
    for path in modules():
        if path != SOURCE / "experiments/style.py":
            assert "import matplotlib" not in path.read_text(encoding="utf-8"), path
            assert "from matplotlib" not in path.read_text(encoding="utf-8"), path


def test_every_public_name_is_there_and_documented():
    for name in rbmflow.__all__:
        assert getattr(rbmflow, name).__doc__, name


def test_the_version_is_the_one_installed():
    assert version("rbmflow") == rbmflow.__version__


@pytest.mark.parametrize("name", ["CITATION.cff", "conda/recipe.yaml"])
def test_the_version_is_the_same_everywhere(name):
    file = Path(__file__).parents[1] / name
    if not file.exists():
        pytest.skip("archives of the source are without it")
    assert re.search(r"\n *version: (.*)\n", file.read_text(encoding="utf-8"))[1] == rbmflow.__version__


@pytest.mark.parametrize("name", ["", *(f".{room}" for room in ROOMS)])
def test_public_modules_show_what_is_public(name):
    module = importlib.import_module(f"rbmflow{name}")
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, word) for word in module.__all__)
