"""rekordbox's collection XML: the grid and the cues of one track. Zone: pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import unquote
from xml.parsers import expat

from ..core.bars import BEATS_PER_BAR
from .errors import ExchangeError
from .imported import Imported
from .names import one_line, track_of_mark
from .text import number_in

_LISTED = 5
_ROOT = ["DJ_PLAYLISTS", "COLLECTION", "TRACK"]
Attributes = dict[str, str]


def read_rekordbox(data: bytes, name: str, mix_file: str = "") -> Imported:
    """Tempos (TEMPO) and cues (POSITION_MARK) of the entry whose file is the mix, or of the only entry.

    Args:
        data: The XML; definitions of types or entities are refused, so nothing in it can grow or fetch anything.
        name: File name, for messages.
        mix_file: File name of the mix; "" takes the only entry.

    Raises:
        ExchangeError: It is no such XML, the mix is not in it, or its entry has neither a grid nor cues.
    """
    files: list[str] = []
    titles: list[str] = []

    def see(path: list[str], attributes: Attributes) -> None:
        if path == _ROOT:
            location = unquote(attributes.get("Location", "")).replace("\\", "/")
            files.append(one_line(PurePosixPath(location).name))
            titles.append(one_line(attributes.get("Name", "")))

    root = _walk(data, name, see)
    if root != _ROOT[0]:
        raise ExchangeError(
            f"{name} is XML, but not of a rekordbox collection.", "Export the collection in xml format."
        )
    chosen, messages = _choose(files, titles, mix_file, name)
    tempos: list[tuple[float, float, int]] = []
    tracks: list[tuple[float, str, str]] = []
    cues: list[tuple[float, str]] = []
    count = -1
    meters: set[str] = set()

    def take(path: list[str], attributes: Attributes) -> None:
        nonlocal count
        if path == _ROOT:
            count += 1
        if count != chosen or path[:-1] != _ROOT:
            return
        where = f"A {path[-1]} of {name}"
        if path[-1] == "TEMPO":
            meter = attributes.get("Metro", "4/4")
            if meter.split("/")[0] != str(BEATS_PER_BAR):
                meters.add(meter[:10])
                return
            place = number_in(attributes.get("Battito", "1"), where)
            if place not in range(1, BEATS_PER_BAR + 1):
                raise ExchangeError(f"{where} counts beat {place:g} of a bar.", "Correct the grid in rekordbox.")
            start_s = number_in(attributes.get("Inizio", ""), where)
            tempos.append((start_s, number_in(attributes.get("Bpm", ""), where), int(place)))
        elif path[-1] == "POSITION_MARK":
            start_s, text = number_in(attributes.get("Start", ""), where), one_line(attributes.get("Name", ""))
            track = track_of_mark(text)
            if track is not None:
                tracks.append((start_s, track[1], track[0]))
            else:
                cues.append((start_s, text))

    _walk(data, name, take)
    if meters:
        messages.append(f"Parts of the grid in {', '.join(sorted(meters))} were left out: HouseX counts in 4/4.")
    if meters and not (tempos or tracks or cues):
        raise ExchangeError(
            f"The grid in {name} is in {', '.join(sorted(meters))}.", "HouseX counts in 4/4: leave the grid out."
        )
    if not (tempos or tracks or cues):
        raise ExchangeError(
            f"{files[chosen] or titles[chosen]!r} has neither a grid nor cues in {name}.", "Analyze it in rekordbox."
        )
    return Imported("rekordbox", tempos=tempos, tracks=tracks, cues=cues, messages=messages)


def _walk(data: bytes, name: str, see: Callable[[list[str], Attributes], None]) -> str:
    """Call ``see`` with the path and attributes of every element; returns the root's name."""
    path: list[str] = []
    root = ""

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal root
        root = root or tag
        path.append(tag)
        # nothing of interest lies deeper, and comparing long paths would make deep files slow
        if len(path) <= len(_ROOT) + 1:
            see(path, attributes)

    def end(_tag: str) -> None:
        path.pop()

    def refuse(*_arguments: object) -> int:
        raise ExchangeError(f"{name} defines types or entities of its own.", "Export the collection from rekordbox.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    # the doctype comes before any entity, so nothing is ever expanded; the others stand behind it as a second wall
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ExchangeError(f"{name} is damaged XML: {error}.", "Export it again.") from error
    except (ValueError, LookupError) as error:
        raise ExchangeError(f"{name} has an encoding that cannot be read.", "Save it as UTF-8.") from error
    return root


def _key(text: str) -> str:
    # macOS takes accents apart, rekordbox and Windows do not
    return unicodedata.normalize("NFC", text).casefold()


def _choose(files: list[str], titles: list[str], mix_file: str, name: str) -> tuple[int, list[str]]:
    """(index of the mix's entry, messages)."""
    if not files:
        raise ExchangeError(f"{name} holds no tracks.", "Export the collection with the mix in it.")
    wanted = _key(one_line(PurePosixPath(mix_file.replace("\\", "/")).name))
    stem = PurePosixPath(wanted).stem
    if wanted:
        for keys in (
            [_key(file) for file in files],
            [PurePosixPath(_key(file)).stem for file in files],
            [_key(title) for title in titles],
        ):
            hits = [index for index, key in enumerate(keys) if key and key in (wanted, stem)]
            if hits:
                more = [f"{len(hits)} entries of {name} fit the mix; the first was taken."] if len(hits) > 1 else []
                return hits[0], more
    if len(files) == 1:
        known = files[0] or titles[0]
        return 0, [f"The only entry of {name} is {known!r}."] if wanted else []
    listed = ", ".join(file or title for file, title in zip(files[:_LISTED], titles, strict=False))
    rest = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
    said = f"does not hold {wanted}" if wanted else f"holds {len(files)} tracks"
    raise ExchangeError(f"{name} {said}; it has {listed}{rest}.", "Name the file of the mix as it is in rekordbox.")
