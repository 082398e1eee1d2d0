"""Our words in other languages, and in which context Blender asks for them. Zone: ui; no logic.

Blender looks into its own dictionary first and into ours only if it knows nothing there, so the context decides:

- ``"Operator"``: names and buttons of operators, as everywhere in Blender.
- :data:`CONTEXT`: panels, menus, and plain words that mean something else to Blender, as Key, Fill, Mix, Track or
  Build. A property says so by ``translation_context=CONTEXT`` (for its name and its choices alike), a ``text=`` of a
  label, property or menu by ``text_ctxt=CONTEXT``: neither takes the context of its panel.
- ``"*"``: all the rest: whole sentences, and every tooltip, because Blender looks those up without a context.

Sentences with names or numbers in them, messages and errors stay English: some come from other processes. Text that
is wrapped must be translated before that, by :func:`translated`.

To add a language, copy ``words_de.py``, translate the right-hand sides, and name the table below under Blender's code
of the language. The test of the German words then shows how to ask for every text of ours.
"""

from __future__ import annotations

from typing import Any

import bpy

from . import words_de

# context of the words of ours that Blender's dictionary must not be asked about
CONTEXT = "HouseX"
_NAME = __package__ or "housex"
_TABLES = {"de": words_de.WORDS}
WORDS: dict[str, dict[tuple[str, str], str]] = {
    language: {(context, text): word for context, words in table.items() for text, word in words.items()}
    for language, table in _TABLES.items()
}


def translated(text: str) -> str:
    """A fixed text in the language of the user, for what is wrapped before it is drawn."""
    said: Any = bpy.app.translations
    return str(said.pgettext_iface(text))


def attach() -> None:
    """Give Blender our dictionary."""
    known: Any = bpy.app.translations
    known.register(_NAME, WORDS)


def detach() -> None:
    """Take it back."""
    bpy.app.translations.unregister(_NAME)
