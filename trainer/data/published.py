"""How large the sets were that the papers trained and tested with, as these print it. Zone: trainer."""

from __future__ import annotations

from collections.abc import Mapping

# arXiv 2207.11690, Table I: train, val and test
HOUSEX_TRACKS = (128, 20, 12)
HOUSEX_SLICES = (13_932, 2_184, 1_364)
HOUSEX_DROP_SLICES = (2_183, 339, 204)
# of all its tracks; and its workbooks' tempi, 63 and 64 BPM read as 126 and 128
HOUSEX_TOTAL_S = 9 * 3600 + 7 * 60 + 54
HOUSEX_BPM: Mapping[int, int] = {122: 1, 125: 2, 126: 33, 127: 2, 128: 120, 130: 2}

# arXiv 2409.06690, Table 2: clips that train (sums of shares) and that validate (counts of the greatest share)
MAINSTAGE_CLIPS: Mapping[str, tuple[int, int]] = {
    "Progressive House": (1215, 344),
    "Future House": (1192, 348),
    "Bass House": (1102, 120),
    "Tech House": (643, 200),
    "Deep House": (591, 116),
    "Bigroom": (774, 284),
    "Future Rave": (920, 108),
    "Slap House": (667, 232),
}
MAINSTAGE_TRACKS = 1035

# Tzanetakis and Cook 2002
GTZAN_TRACKS = 1000
# Ghaemi 2021: seconds, roughly -> pieces that each track's first 660 000 samples are cut into; then 80/10/10 %
GTZAN_CUTS: Mapping[str, int] = {"30": 1, "10": 3, "3": 10, "1": 30}
GTZAN_SHARES_PERCENT = (80, 10, 10)

# Lachmish 2016: clips of GTZAN that train and that test, tracks of Homburg that test
MLACHMISH_CLIPS = (800, 200)
HOMBURG_TESTED = 189
