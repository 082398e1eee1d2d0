"""Texts that people may paste in public: without the folders they keep things in, without their names. Zone: pure."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterable

HIDDEN = "…/"
HIDDEN_USER = "<user>"
# a name this short is part of other words
_SHORTEST_USER = 3
_PASSWORD = re.compile(r"(?<=://)[^/\s@]+@")
# Folders of an absolute path: "/a/b c/", "C:\a\", "\\server\share\", also with backslashes doubled as in JSON. A
# folder's name may hold spaces, but does not end in what stands before the next path in a sentence.
_FOLDERS = re.compile(
    r"""(?:(?<![\w./~…\\])(?<!https:)(?<!http:)/+(?=\S) | (?<![A-Za-z])[A-Za-z]:[\\/]+ | (?<![\\/~…\w]) \\{2,})
        (?:[^\\/\n]*[^\\/\s'"(=,:;<\[][\\/]+)*""",
    re.VERBOSE,
)


def without_private_paths(text: str, home: str = "", user: str = "", paths: Iterable[str] = ()) -> str:
    """The text with file names where paths were.

    Args:
        text: Any text: a message, a log, a traceback.
        home: The home folder, which becomes ``~``; what lies in it and is not in ``paths`` stays readable.
        user: The user's name, hidden wherever it stands as a word.
        paths: Paths known to be private, such as the mix: only their file names are left, inside the home too.
    """
    text = _PASSWORD.sub("", text)
    for path in sorted(filter(_is_long, paths), key=len, reverse=True):
        folder, name = ntpath.split(path.rstrip("\\/"))
        text = _spelled(path).sub((HIDDEN + name).replace("\\", r"\\"), text)
        if _is_long(folder):
            text = _spelled(folder).sub(HIDDEN.rstrip("/"), text)
    if _is_long(home):
        text = _spelled(home).sub("~", text)
    text = _FOLDERS.sub(lambda found: HIDDEN if len(found.group()) > 1 else "/", text)
    if len(user) >= _SHORTEST_USER:
        text = re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", HIDDEN_USER, text, flags=re.IGNORECASE)
    return text


def _is_long(path: str) -> bool:
    """Whether a path names something: ``/`` and ``C:`` are part of every path."""
    return bool(re.search(r"[\\/][^\\/]", path)) and len(path) > 3


def _spelled(path: str) -> re.Pattern[str]:
    """A path however its separators and letters are written, up to the end of its last name."""
    names = re.split(r"[\\/]+", path.rstrip("\\/"))
    return re.compile(r"[\\/]+".join(map(re.escape, names)) + r"(?![\w-])", re.IGNORECASE)
