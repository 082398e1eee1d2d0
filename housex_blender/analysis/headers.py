"""What the bytes of a file say about it before it is decoded. Zone: analysis (stdlib only; no bpy).

libsndfile trusts a header, or guesses where there is none. These few checks tell a file that was cut off from one
that is no sound at all, and count the frames of an MP3 whose length nobody wrote down.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

# An Ogg page holds at most 65 307 bytes, so the last one starts within this many of the end.
OGG_TAIL = 70_000
OGG_LAST_PAGE = 4
OPEN_LENGTH = 0x7FFF0000
# an MP3 whose length is only a guess is wrong by more than this, or the guess was good
GUESS_S = 0.5

_KBIT_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBIT_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MAGIC = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"0&\xb2u")


def openable(path: Path) -> str | bytes:
    """The path as soundfile takes it: bytes where names are bytes, so that a name need not be UTF-8."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def shown(name: str) -> str:
    """A file name that can be printed and stored: what is not UTF-8 in it becomes a question mark."""
    return name.encode("utf-8", "replace").decode("utf-8")


def is_sound_by_magic(path: Path) -> bool:
    """Whether the first bytes are those of a format that could be read, had the file been whole."""
    with path.open("rb") as stream:
        head = stream.read(12)
    return head.startswith(_MAGIC) or head[4:8] == b"ftyp"


def is_cut_off(path: Path, container: str) -> bool:
    """Whether a WAV or Ogg file stops before its own structure does; False where that cannot be known."""
    try:
        if container in ("WAV", "WAVEX"):
            return _wav_is_cut(path)
        return container == "OGG" and _ogg_is_cut(path)
    except OSError:
        return False


def _wav_is_cut(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF":
            return False
        at = 12
        while at + 8 <= size:
            stream.seek(at)
            head = stream.read(8)
            length = int.from_bytes(head[4:8], "little")
            if head[:4] == b"data":
                # A program that wrote into a pipe left the length open, as all ones or nearly two gigabytes.
                return length < OPEN_LENGTH and at + 8 + length > size
            at += 8 + length + length % 2
    return False


def _ogg_is_cut(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - OGG_TAIL))
        tail = stream.read()
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return True
    head = tail[at : at + 27]
    if len(head) < 27 or not head[5] & OGG_LAST_PAGE:
        return True
    table = tail[at + 27 : at + 27 + head[26]]
    return len(table) < head[26] or at + 27 + head[26] + sum(table) > len(tail)


@dataclass(frozen=True)
class _Frame:
    """One MPEG layer III frame: bytes, samples per channel, Hz, and where its Xing header would stand."""

    size: int
    samples: int
    rate_hz: int
    side: int


def _frame(data: mmap.mmap, at: int) -> _Frame | None:
    """The frame whose header stands at a place, or None."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version, third = data[at + 1] >> 3 & 3, data[at + 2]
    kbit_index, rate_index = third >> 4, third >> 2 & 3
    if version == 1 or rate_index == 3 or kbit_index in (0, 15):
        return None
    rate_hz = _RATES_HZ[version][rate_index]
    kbit = (_KBIT_1 if version == 3 else _KBIT_2)[kbit_index]
    samples = 1152 if version == 3 else 576
    mono = data[at + 3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    return _Frame(samples // 8 * kbit * 1000 // rate_hz + (third >> 1 & 1), samples, rate_hz, side)


def mp3_length_s(path: Path) -> float | None:
    """Seconds of an MP3 without a Xing, Info or VBRI header, by counting its frames; None if it has one.

    Without such a header libsndfile takes the first frame's bit rate for that of the whole file.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _counted_s(data)


def _counted_s(data: mmap.mmap) -> float | None:
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        size = data[at + 6 : at + 10]
        at += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    at = _next_frame(data, at)
    first = _frame(data, at)
    if first is None:
        return None
    # a checksum may push the tag two bytes further
    tags = {data[place : place + 4] for place in (at + 4 + first.side, at + 6 + first.side, at + 36)}
    if tags & {b"Xing", b"Info", b"VBRI"}:
        return None
    seconds = 0.0
    while (frame := _frame(data, at)) is not None:
        seconds += frame.samples / frame.rate_hz
        at += frame.size
        if _frame(data, at) is None:
            at = _next_frame(data, at)
    return seconds


def _next_frame(data: mmap.mmap, at: int) -> int:
    """Where the next frame that is followed by another begins; the end of the file if there is none."""
    while (at := data.find(b"\xff", at)) >= 0:
        frame = _frame(data, at)
        if frame is not None and _frame(data, at + frame.size) is not None:
            return at
        at += 1
    return len(data)
