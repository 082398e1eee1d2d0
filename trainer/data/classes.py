"""Classes of the published data sets, in the order of their labels. Zone: trainer."""

from __future__ import annotations

# arXiv 2207.11690
HOUSEX: tuple[str, ...] = ("Future House", "Bass House", "Progressive House", "Melodic House")

# arXiv 2409.06690; its lists write Tech House as "Techno"
MAINSTAGE: tuple[str, ...] = (
    "Progressive House",
    "Future House",
    "Bass House",
    "Tech House",
    "Deep House",
    "Bigroom",
    "Future Rave",
    "Slap House",
)

# Tzanetakis and Cook 2002
GTZAN: tuple[str, ...] = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)

# Homburg et al. 2005
HOMBURG: tuple[str, ...] = (
    "alternative",
    "blues",
    "electronic",
    "folkcountry",
    "funksoulrnb",
    "jazz",
    "pop",
    "raphiphop",
    "rock",
)
