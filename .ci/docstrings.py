"""Validate the numpydoc docstrings of every public name and of the methods behind it."""

import inspect
import sys
from importlib import import_module

from numpydoc.validate import validate

import rbmflow

MODULES = [
    "rbmflow",
    "rbmflow.estimator",
    "rbmflow.flow",
    "rbmflow.ising",
    "rbmflow.likelihood",
    "rbmflow.networks",
    "rbmflow.plot",
    "rbmflow.records",
    "rbmflow.rg",
    "rbmflow.sampling",
    "rbmflow.thermometer",
    "rbmflow.thermometer.energy",
    "rbmflow.thermometer.magnetization",
    "rbmflow.thermometer.network",
    "rbmflow.training",
    "rbmflow.weight",
]
LEFT_OUT = {
    "SA01",  # not every name has a neighbour,
    "ES01",  # nor more to say than its first line
    *("PR08", "RT04", "SS02"),  # symbols keep their case: η, ln Z, dW/dK
}


def public_names():
    """Yield the dotted names to validate."""
    for module_name in MODULES:
        module = import_module(module_name)
        names = getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")])
        for name in names:
            item = getattr(module, name)
            if inspect.ismodule(item) or not getattr(item, "__module__", "").startswith(module_name):
                continue
            yield f"{module_name}.{name}"
            if inspect.isclass(item):
                for method, value in vars(item).items():
                    ours = inspect.isfunction(value) or isinstance(value, classmethod)
                    inherited = value.__doc__ is None and inspect.getdoc(getattr(item, method)) is not None
                    if not method.startswith("_") and ours and not inherited:
                        yield f"{module_name}.{name}.{method}"


def allowed(name, code):
    """A dataclass documents its fields, and needs neither a Returns section nor an example of its own."""
    item = rbmflow
    for part in name.split(".")[1:]:
        item = getattr(item, part)
    return inspect.isclass(item) and code in {"PR01", "PR02", "EX01"}


bad = 0
for name in dict.fromkeys(public_names()):
    for code, message in validate(name)["errors"]:
        if code not in LEFT_OUT and not allowed(name, code):
            print(f"{name}: {code} {message}")
            bad += 1
sys.exit(bad > 0)
