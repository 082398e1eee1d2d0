"""Every fixed text of ours has its German words, under the context in which Blender asks for it. Zone: tests."""

from __future__ import annotations

import ast
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from housex_blender import ui  # noqa: E402
from housex_blender.ui.preferences import HouseXPreferences  # noqa: E402
from housex_blender.ui.translations import CONTEXT, WORDS  # noqa: E402

from ..real.application import applications  # noqa: E402

SOURCES = sorted(Path(ui.__file__).parent.glob("*.py"))
Text = tuple[str, str]
# written alike in every language
NAMES = {
    "HouseX", "House", "Cycles", "EEVEE", "Workbench", "Torch", "CPU", "CUDA", "CUDA 12.6", "MPS", "DirectML", "Core ML",
}  # fmt: skip
# which arguments of which calls Blender translates, and in which context unless text_ctxt names one
DRAWN = {
    **dict.fromkeys(("label", "prop", "menu", "progress"), "*"),
    **dict.fromkeys(("operator", "operator_menu_enum"), "Operator"),
}
# run inside a Blender that knows German: the bpy module knows no language at all
ASK = """
import bpy, json, sys
sys.path.insert(0, sys.argv[-1])
import housex_blender
from housex_blender.ui.translations import WORDS
view, words = bpy.context.preferences.view, bpy.app.translations
view.language = "de_DE"
view.use_translate_interface = view.use_translate_tooltips = True
heard = lambda: [[context, text, words.pgettext(text, context)] for context, text in WORDS["de"]]
before = heard()
housex_blender.register()
during = heard()
housex_blender.unregister()
print("HEARD", json.dumps([before, during, heard()]))
"""


def is_words(text: str) -> bool:
    """Not a name, a symbol or a file format."""
    return bool(re.search(r"[^\W\d_]{2}", text)) and text not in NAMES and not re.search(r" \(\.[\w.]+\)$", text)


def of_classes() -> Iterator[Text]:
    """Labels, tooltips and properties of everything that is registered."""
    for cls in (*ui.CLASSES, HouseXPreferences):
        label = getattr(cls, "bl_label", "")
        if issubclass(cls, bpy.types.Operator):
            yield getattr(cls, "bl_translation_context", "Operator"), label
            yield "*", cls.__doc__ or ""
        elif issubclass(cls, bpy.types.Panel | bpy.types.Menu):
            yield getattr(cls, "bl_translation_context", "*"), label
        for prop in typing.get_type_hints(cls).values():
            if "HIDDEN" not in getattr(prop, "keywords", {}).get("options", ()):
                yield from of_property(getattr(prop, "keywords", {}))


def of_property(settings: dict[str, typing.Any]) -> Iterator[Text]:
    """Name, tooltip and choices of a property."""
    context = settings.get("translation_context", "*")
    yield context, settings.get("name", "")
    yield "*", settings.get("description", "")
    items = settings.get("items", ())
    for _, name, description, *_ in items(None, None) if callable(items) else items:
        yield context, name
        yield "*", description


def of_source(tree: ast.Module) -> Iterator[Text]:
    """Fixed texts of what is drawn, and of what is looked up by hand."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            given = {word.arg: word.value for word in call.keywords}
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name == "translated":
                yield from (("*", text) for text in fixed(call.args[0], function))
            elif name.endswith("Property") and function.name == "attach":
                yield from of_property(
                    {key: word.value for key, word in given.items() if isinstance(word, ast.Constant)}
                )
            elif name in DRAWN and "translate" not in given:
                context = CONTEXT if "text_ctxt" in given else DRAWN[name]
                for key in given.keys() & {"text", "placeholder"}:
                    yield from ((context, text) for text in fixed(given[key], function))


def fixed(value: ast.expr, function: ast.FunctionDef) -> set[str]:
    """The constants that an expression may be; of a variable, those it is given in its function."""
    if isinstance(value, ast.Constant):
        return {value.value}
    if isinstance(value, ast.IfExp):
        return fixed(value.body, function) | fixed(value.orelse, function)
    if not isinstance(value, ast.Name):
        return set()
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets):
            found |= fixed(node.value, function)
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            for item in node.iter.elts:
                pairs = [(node.target, item)]
                if isinstance(node.target, ast.Tuple) and isinstance(item, ast.Tuple):
                    pairs = list(zip(node.target.elts, item.elts, strict=True))
                for target, element in pairs:
                    if isinstance(target, ast.Name) and target.id == value.id:
                        found |= fixed(element, function)
    return found


def ours() -> set[Text]:
    """Every text of ours with its context."""
    drawn = (text for path in SOURCES for text in of_source(ast.parse(path.read_text(encoding="utf-8"))))
    return {(context, text) for context, text in (*of_classes(), *drawn) if is_words(text)}


@pytest.mark.parametrize("language", WORDS)
def test_every_text_has_its_words(language: str) -> None:
    missing = ours() - WORDS[language].keys()
    assert not missing, "\n".join(map(repr, sorted(missing)))


@pytest.mark.parametrize("language", WORDS)
def test_no_words_for_a_text_that_is_gone(language: str) -> None:
    stale = WORDS[language].keys() - ours()
    assert not stale, "\n".join(map(repr, sorted(stale)))


@pytest.mark.parametrize("language", WORDS)
def test_labels_stay_short_and_ends_stay_alike(language: str) -> None:
    for (context, text), word in WORDS[language].items():
        assert word == word.strip() != "", text
        assert (word[-1] in ":….") == (text[-1] in ":…."), (text, word)
        if context != "*":
            assert len(word) <= len(text) * 1.6 + 8, (text, word)


def test_plain_words_of_music_are_not_left_to_blender() -> None:
    """Blender's German has Key as keyframe, Fill as filling, Mix as mixing, Clear as removing, Build as building."""
    contexts: dict[str, set[str]] = {}
    for context, text in ours():
        contexts.setdefault(text, set()).add(context)
    for text in ("Key", "Fill", "Accent", "Mix", "Build", "Drop", "Break", "Track", "Bars", "Beats", "Release", "Show"):
        assert contexts[text] == {CONTEXT}, text


def test_a_german_blender_speaks_our_german(tmp_path: Path) -> None:
    found = applications()
    if not found:
        pytest.skip("needs a Blender application: the bpy module knows no languages")
    (tmp_path / "ask.py").write_text(ASK)
    for blender in found:
        done = blender.run("-b", "--factory-startup", "--python-exit-code", "1", "-P", tmp_path / "ask.py", "--",
                           Path(ui.__file__).parents[2])  # fmt: skip
        lines = [line for line in done.stdout.splitlines() if line.startswith("HEARD ")]
        assert lines, done.stdout + done.stderr
        before, during, after = ({(c, t): word for c, t, word in said} for said in json.loads(lines[0][6:]))
        german = WORDS["de"]
        # what Blender has words for itself stays Blender's; in our context it has none
        assert not [key for key in german if key[0] == CONTEXT and before[key] != key[1]]
        assert during == {key: before[key] if before[key] != key[1] else word for key, word in german.items()}
        assert after == before
