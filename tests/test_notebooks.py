"""The lectures of docs/notebooks: notebooks as text, without outputs. Building the site runs their cells."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
LECTURES = sorted(FOLDER.glob("[0-9]_*.md"))
HEADER = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
"""
CELL = re.compile(r"^```\{code-cell\}\n(?::tags: \[hide-cell\]\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_eight_lectures_are_listed_and_stored_as_text():
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert [int(path.name[0]) for path in LECTURES] == list(range(1, 9))
    for path in LECTURES:
        for link in f"]({path.name})", f"<{path.stem}.ipynb>", f"\n{path.stem}\n":
            assert link in index
    assert not list(FOLDER.rglob("*.ipynb"))


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_lecture_is_a_notebook_that_checks_its_claims(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    cells = CELL.findall(text)
    assert len(cells) == text.count("```") / 2  # no fences but those of cells: no output
    code = [ast.parse(re.sub("^%.*", "", cell, flags=re.MULTILINE)) for cell in cells]
    asserts = [any(isinstance(node, ast.Assert) for node in ast.walk(tree)) for tree in code]
    assert sum(asserts) >= len(cells) / 2

    exercises = text.split("## Exercises\n")[1]
    questions = re.findall(r"^\*\*(\d)\.\*\*", exercises, re.MULTILINE)
    assert len(questions) >= 3
    assert exercises.count("<summary>Answer</summary>") + exercises.count("[hide-cell]") == len(questions)
