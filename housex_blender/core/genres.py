"""The nine house sub-genres, their order and their other names. Zone: pure.

The set is the union of two papers: Future, Bass, Progressive and Melodic House (HouseX, 2022) and the eight of
the mainstage benchmark (arXiv 2409.06690), which calls Tech House "Techno" in its code.
"""

from __future__ import annotations

GENRES: tuple[str, ...] = (
    "Future House",
    "Bass House",
    "Progressive House",
    "Melodic House",
    "Tech House",
    "Deep House",
    "Bigroom",
    "Future Rave",
    "Slap House",
)

ALIASES: dict[str, str] = {"techno": "Tech House", "techno house": "Tech House", "big room": "Bigroom"}


def canonical(name: str) -> str:
    """The project's spelling of a genre name; unknown names come back trimmed but otherwise unchanged."""
    wanted = " ".join(name.replace("_", " ").split()).lower()
    if wanted in ALIASES:
        return ALIASES[wanted]
    for genre in GENRES:
        if wanted in (genre.lower(), genre.lower().removesuffix(" house")):
            return genre
    return " ".join(name.split())
