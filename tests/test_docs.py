"""The pages: their links lead somewhere, and the reference has every public name and command."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

import rbmflow
from rbmflow.cli import COMMANDS
from tests.public_calls import ROOMS

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md"]
PAGES += [page for page in DOCS.rglob("*.md") if "_build" not in page.parts]
FENCED = re.compile(r"^(`{3,})[\w{].*?^\1$", re.DOTALL | re.MULTILINE)
LISTED = re.compile(r"currentmodule:: (\S+)(.*?)```", re.DOTALL)


def links(text):
    """Return the targets of links and pictures outside of code that are not of the network."""
    found = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text))
    return [target for target in found if not re.match(r"\w+:", target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_local_links_lead_to_files(page):
    for target in links(page.read_text(encoding="utf-8")):
        place, _, heading = target.partition("#")
        path = page.parent / place if place else page
        assert path.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
            assert heading in slugs, target


def test_links_are_found_but_those_in_code():
    text = "[a](b.md) ![c](d.png)\n```python\n[e](f.md)\n```\n[g](https://h) [i](j.md#k)"
    assert links(text) == ["b.md", "d.png", "j.md#k"]


def documented():
    """Return the dotted names that pages of the reference list."""
    found = set()
    for page in (DOCS / "reference").glob("*.md"):
        for module, block in LISTED.findall(page.read_text(encoding="utf-8")):
            found |= {f"{module}.{name}" for name in re.findall(r"^   ([a-zA-Z]\S*)$", block, re.MULTILINE)}
    return found


@pytest.mark.parametrize("room", [*ROOMS, ""])
def test_every_public_name_has_a_page(room):
    module, listed = importlib.import_module(f"rbmflow.{room}".rstrip(".")), documented()
    for name in module.__all__:
        value = getattr(module, name)
        home = rbmflow._HOME_OF.get(name, room)
        if getattr(value, "__module__", "") == "rbmflow.errors":
            home = "errors"
        if isinstance(value, type(rbmflow)):  # a module, whose names have pages of their own
            assert any(f"rbmflow.{f'{room}.{name}'.lstrip('.')}." in one for one in listed), name
        else:
            assert f"rbmflow.{home}.{name}" in listed, name


def test_every_type_has_a_line():
    from rbmflow import typing

    page = (DOCS / "reference" / "numbers.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == typing.__all__


def test_the_reference_lists_only_what_there_is():
    for dotted in documented() - {"rbmflow.estimator.IsingRBM"}:  # which needs scikit-learn
        parts = dotted.split(".")
        module = next(
            importlib.import_module(".".join(parts[:n]))
            for n in range(len(parts) - 1, 0, -1)
            if importlib.util.find_spec(".".join(parts[:n])) is not None
        )
        assert hasattr(module, parts[-1]), dotted


def test_every_command_has_a_section():
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    for command in (name for names in COMMANDS.values() for name in names):
        assert f"## rbmflow {command}\n" in page
        assert f"rbmflow {command} --help" in page
