"""The voices, and the nine genres as ways of writing: what the papers publish, as numbers. Zone: trainer."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.third.sampler import Shape, Voice
from trainer.third.sources import Patch


def _wave(name: str, ref: str, periods: int = 1, unison: int = 1, cents: float = 0.0) -> Voice:
    return Voice(name, Patch("cycle", ref, periods), unison=unison, cents=cents)


def _shot(name: str, ref: str, root: float, acoustic: bool = False, grit: float = 0.0) -> Voice:
    return Voice(name, Patch("shot", ref, root), acoustic, grit, decays=True)


def _font(name: str, program: int, acoustic: bool = False, decays: bool = False, bank: int = 0) -> Voice:
    return Voice(name, Patch("font", f"{bank}:{program}"), acoustic, decays=decays)


def _pat(name: str, stem: str, acoustic: bool = False, decays: bool = False) -> Voice:
    return Voice(name, Patch("pat", stem), acoustic, decays=decays)


def _word(name: str, text: str) -> Voice:
    return Voice(name, Patch("word", text))


_VOICES = (
    # single cycles, stacked
    _wave("super saw", "waveforms/saw2.flac", 1, 7, 22),
    _wave("super sawsine", "waveforms/w2_sawsine.flac", 1, 5, 16),
    _wave("angry stack", "waveforms/w2_angrysaw.flac", 1, 5, 24),
    _wave("reese", "waveforms/saw2.flac", 1, 3, 12),
    _wave("moog reese", "shapes/moog.wav", 2, 2, 14),
    _wave("square", "waveforms/analogsqr.flac"),
    _wave("mod square", "waveforms/modsqr.flac", 1, 2, 9),
    _wave("hexagon", "waveforms/w2_hexagon.flac", 1, 2, 7),
    _wave("fm donk", "waveforms/fmsine.flac", 1),
    _wave("sub", "shapes/low_sine.wav"),
    _wave("round bass", "shapes/roundbass.wav"),
    _wave("techno bass", "shapes/technobass.wav", 1),
    _wave("sharp", "waveforms/w2_sharp.flac", 1, 2, 8),
    _wave("whistle", "waveforms/halfsine.flac"),
    _wave("nasal horn", "shapes/technosynth1.wav", 1, 3, 14),
    _wave("nasal reed", "shapes/micro.wav", 1, 3, 18),
    _wave("vowel horn", "shapes/vowel_a.wav", 2, 3, 12),
    _wave("buzz", "shapes/technosynth6.wav", 1, 3, 18),
    _wave("rasp", "shapes/bunglist8.wav", 1, 3, 15),
    _wave("growl one", "shapes/bunglist5.wav", 1, 2, 10),
    _wave("growl two", "shapes/bunglist9.wav", 1, 2, 16),
    _wave("growl three", "shapes/technosynth5.wav", 1, 2, 8),
    # one-shots of LMMS
    _shot("hard bass", "basses/bass_hard01.ogg", 32.08, grit=0.4),
    _shot("hard bass two", "basses/bass_hard02.ogg", 36.18, grit=0.4),
    _shot("acid", "basses/bass_acid02.ogg", 36.08, grit=0.25),
    _shot("matrix pluck", "basses/matrix1000_pluck01.ogg", 35.88),
    _shot("poly drone", "stringsnpads/korg_poly6_drone01.ogg", 29.08),
    _shot("organ", "instruments/e_organ01.ogg", 35.88),
    _shot("slap sample", "instruments/bassslap02.ogg", 35.98, acoustic=True),
    _shot("piano", "instruments/piano02.ogg", 47.98, acoustic=True),
    _shot("steel guitar", "instruments/steel_guitar01.ogg", 35.88, acoustic=True),
    _shot("fuzz guitar", "instruments/steel_guitar_heavy_distorted01.ogg", 35.88, acoustic=True, grit=0.7),
    _shot("trumpet", "instruments/trumpet01.ogg", 68.98, acoustic=True),
    _shot("synth strings", "stringsnpads/strings01.ogg", 59.98),
    _shot("space strings", "stringsnpads/space_strings02.ogg", 35.98),
    _shot("heaven strings", "stringsnpads/heaven_strings01.ogg", 35.98),
    _shot("juno pad", "stringsnpads/juno_pad01.ogg", 72.08),
    # sound font and freepats
    _font("bright piano", 1, True, True),
    _font("grand", 0, True, True),
    _font("electric piano", 4, decays=True),
    _pat("rhodes", "004_Electric_Piano_1_Rhodes", decays=True),
    _font("nylon guitar", 24, True, True),
    _pat("steel strum", "025_Steel_Guitar", True, True),
    _font("strings", 48, True),
    _font("slow strings", 49, True),
    _font("violin", 40, True),
    _pat("cello", "042_Cello", True),
    _font("choir", 52, True),
    _font("pizzicato", 45, True, True),
    _font("marimba", 12, True, True),
    _font("kalimba", 108, True, True),
    _font("flute", 73, True),
    _font("alto sax", 65, True),
    _font("shenai", 111, True),
    _font("bagpipe", 109, True),
    _font("oboe two", 42, bank=127),
    _font("fifth saw", 86),
    _font("saw wave", 81),
    _font("charang", 84),
    _font("synth brass", 62),
    _font("warm pad", 89),
    _font("poly synth", 90),
    _font("fantasia", 88),
    _font("synth bass", 38, decays=True),
    _font("rubber bass", 39, decays=True),
    _font("fingered bass", 33, True, True),
    _font("fretless bass", 35, True, True),
    _pat("slap bass", "036_Slap_Bass_1", True, True),
    # voice
    _word("aah chop", "[[a:]]"),
    _word("ooh chop", "[[u:]]"),
    _word("ey chop", "[[eI]]"),
)
VOICES: dict[str, Voice] = {voice.name: voice for voice in _VOICES}

# what any genre may take when it does not take its typical voice
POOLS: dict[str, tuple[str, ...]] = {
    "bass": (
        "reese",
        "moog reese",
        "sub",
        "round bass",
        "techno bass",
        "fm donk",
        "matrix pluck",
        "acid",
        "hard bass",
        "hard bass two",
        "organ",
        "synth bass",
        "rubber bass",
        "fingered bass",
        "fretless bass",
        "slap bass",
        "slap sample",
        "growl one",
        "growl three",
        "poly drone",
    ),
    "lead": (
        "super saw",
        "super sawsine",
        "angry stack",
        "square",
        "mod square",
        "hexagon",
        "sharp",
        "whistle",
        "nasal horn",
        "vowel horn",
        "buzz",
        "rasp",
        "grand",
        "electric piano",
        "violin",
        "flute",
        "trumpet",
        "alto sax",
        "marimba",
        "kalimba",
        "fifth saw",
        "charang",
        "synth brass",
        "poly synth",
        "steel guitar",
        "matrix pluck",
        "aah chop",
        "ooh chop",
    ),
    "chord": (
        "super saw",
        "super sawsine",
        "piano",
        "bright piano",
        "electric piano",
        "rhodes",
        "nylon guitar",
        "steel strum",
        "strings",
        "choir",
        "organ",
        "synth strings",
        "space strings",
        "juno pad",
        "warm pad",
        "poly synth",
        "fantasia",
        "synth brass",
    ),
}


@dataclass(frozen=True)
class Style:
    """A genre's facts and the writing they lead to.

    Attributes:
        bpm: Slowest and fastest tempo.
        minor: Chance of a minor key.
        lead, chord, bass: Chance that the drop has the part.
        groove, distortion, organicity: Published interval, 1..5.
        rhythm: Finest level of notes, lowest and highest.
        voices: Typical voices per part.
        shapes: How each part is played.
        levels: Loudness of bass, lead and chord next to a kick of peak 1 (root mean square).
        gates: Length of a note against the time to the next, per part.
        bass_cells: Names of the bass writing, see trainer.third.writing.
        reverb_s: Time to -60 dB.
        wet: Level of the reverb.
        kick: Lowest pitch of the body in Hz, decay in s and drive 0..1 of the kick.
        drums: Names of the drum layers beside kick and clap.
        swing: Where the second sixteenth falls, 0.5 for straight.
    """

    bpm: tuple[float, float]
    minor: float
    lead: float
    chord: float
    bass: float
    groove: tuple[float, float]
    rhythm: tuple[int, int]
    distortion: tuple[float, float]
    organicity: tuple[float, float]
    voices: dict[str, tuple[str, ...]]
    shapes: dict[str, Shape]
    levels: dict[str, float]
    gates: dict[str, float]
    bass_cells: str
    reverb_s: float
    wet: float
    kick: tuple[float, float, float]
    drums: tuple[str, ...]
    swing: float = 0.5


_PAD = Shape(attack_s=0.05, sustain=1.0, release_s=0.25, bright_hz=7000)

STYLES: dict[str, Style] = {
    "Progressive House": Style(
        bpm=(126, 128),
        minor=0.25,
        lead=1,
        chord=1,
        bass=1,
        groove=(4, 5),
        rhythm=(1, 3),
        distortion=(1, 2),
        organicity=(3, 5),
        voices={
            "lead": ("super saw", "piano", "strings", "violin", "grand"),
            "chord": ("piano", "strings", "steel strum", "super saw", "grand", "nylon guitar"),
            "bass": ("sub", "reese", "fingered bass", "fretless bass"),
        },
        shapes={
            "lead": Shape(attack_s=0.01, sustain=0.9, release_s=0.12),
            "chord": Shape(attack_s=0.01, sustain=0.9, release_s=0.15, bright_hz=11000),
            "bass": Shape(attack_s=0.02, sustain=1.0, release_s=0.05, bright_hz=500),
        },
        levels={"bass": 0.12, "lead": 0.17, "chord": 0.15},
        gates={"bass": 1.0, "lead": 0.95, "chord": 1.0},
        bass_cells="long",
        reverb_s=2.2,
        wet=0.32,
        kick=(52, 0.2, 0.1),
        drums=("offbeat", "shaker", "ride"),
    ),
    "Future House": Style(
        bpm=(125, 129),
        minor=0.75,
        lead=1,
        chord=0.5,
        bass=1,
        groove=(3, 4),
        rhythm=(4, 5),
        distortion=(3, 4),
        organicity=(1, 3),
        voices={
            "lead": ("square", "mod square", "hexagon", "aah chop", "ey chop", "sharp"),
            "chord": ("electric piano", "rhodes", "super sawsine", "poly synth"),
            "bass": ("fm donk", "matrix pluck", "rubber bass", "square"),
        },
        shapes={
            "lead": Shape(decay_s=0.2, sustain=0.6, motion="pluck", dark_hz=2200, motion_s=0.15, bend_st=-2),
            "chord": Shape(decay_s=0.25, sustain=0.5, bright_hz=6500, release_s=0.06),
            "bass": Shape(decay_s=0.16, sustain=0.55, motion="pluck", bright_hz=2600, dark_hz=300, motion_s=0.1),
        },
        levels={"bass": 0.2, "lead": 0.15, "chord": 0.1},
        gates={"bass": 0.8, "lead": 0.55, "chord": 0.5},
        bass_cells="bounce",
        reverb_s=1.1,
        wet=0.16,
        kick=(54, 0.15, 0.3),
        drums=("offbeat", "snare", "hats"),
        swing=0.52,
    ),
    "Bass House": Style(
        bpm=(126, 129),
        minor=0.95,
        lead=1,
        chord=0,
        bass=1,
        groove=(2, 4),
        rhythm=(3, 4),
        distortion=(4, 5),
        organicity=(1, 2),
        voices={
            "lead": ("buzz", "rasp", "nasal reed", "charang", "ey chop"),
            "chord": ("space strings", "choir"),
            "bass": ("growl one", "growl two", "growl three", "hard bass", "hard bass two"),
        },
        shapes={
            "lead": Shape(decay_s=0.1, sustain=0.3, release_s=0.02, bright_hz=9000, bend_st=3),
            "chord": _PAD,
            "bass": Shape(attack_s=0.002, sustain=1.0, release_s=0.015, motion="wobble", bright_hz=5500, dark_hz=260),
        },
        levels={"bass": 0.25, "lead": 0.11, "chord": 0.07},
        gates={"bass": 0.85, "lead": 0.5, "chord": 1.0},
        bass_cells="growl",
        reverb_s=0.7,
        wet=0.09,
        kick=(50, 0.17, 0.5),
        drums=("offbeat", "snare", "hats", "perc"),
    ),
    "Tech House": Style(
        bpm=(121, 128),
        minor=0.9,
        lead=0,
        chord=0,
        bass=1,
        groove=(3, 5),
        rhythm=(3, 4),
        distortion=(2, 4),
        organicity=(1, 3),
        voices={
            "lead": ("organ", "marimba"),
            "chord": ("organ", "rhodes", "space strings"),
            "bass": ("techno bass", "round bass", "acid", "rubber bass", "synth bass"),
        },
        shapes={
            "lead": Shape(decay_s=0.1, sustain=0.2),
            "chord": _PAD,
            "bass": Shape(decay_s=0.12, sustain=0.5, motion="pluck", bright_hz=2600, dark_hz=350, motion_s=0.08),
        },
        levels={"bass": 0.2, "lead": 0.08, "chord": 0.07},
        gates={"bass": 0.65, "lead": 0.5, "chord": 1.0},
        bass_cells="rolling",
        reverb_s=0.6,
        wet=0.08,
        kick=(56, 0.12, 0.15),
        drums=("offbeat", "shaker", "hats", "perc", "rim", "latin"),
        swing=0.54,
    ),
    "Deep House": Style(
        bpm=(116, 124),
        minor=0.8,
        lead=1,
        chord=0.6,
        bass=1,
        groove=(2, 3),
        rhythm=(1, 2),
        distortion=(1, 2),
        organicity=(2, 4),
        voices={
            "lead": ("electric piano", "alto sax", "flute", "ooh chop", "kalimba", "nylon guitar"),
            "chord": ("rhodes", "warm pad", "slow strings", "electric piano", "choir", "juno pad"),
            "bass": ("reese", "moog reese", "fretless bass", "round bass"),
        },
        shapes={
            "lead": Shape(attack_s=0.02, sustain=0.8, release_s=0.2, bright_hz=5000),
            "chord": Shape(attack_s=0.06, sustain=0.9, release_s=0.4, bright_hz=3500),
            "bass": Shape(attack_s=0.015, sustain=1.0, release_s=0.06, bright_hz=380),
        },
        levels={"bass": 0.2, "lead": 0.09, "chord": 0.1},
        gates={"bass": 0.92, "lead": 0.9, "chord": 1.0},
        bass_cells="melodic",
        reverb_s=4.5,
        wet=0.45,
        kick=(48, 0.2, 0.0),
        drums=("offbeat", "shaker", "rim"),
        swing=0.53,
    ),
    "Bigroom": Style(
        bpm=(126, 130),
        minor=0.95,
        lead=1,
        chord=0,
        bass=0,
        groove=(1, 2),
        rhythm=(1, 3),
        distortion=(4, 5),
        organicity=(1, 2),
        voices={
            "lead": ("nasal horn", "nasal reed", "vowel horn", "shenai", "bagpipe", "oboe two"),
            "chord": ("strings", "super saw", "choir"),
            "bass": ("sub",),
        },
        shapes={
            "lead": Shape(attack_s=0.0, sustain=1.0, release_s=0.03, peak_hz=1600),
            "chord": _PAD,
            "bass": Shape(bright_hz=300),
        },
        levels={"bass": 0.1, "lead": 0.27, "chord": 0.1},
        gates={"bass": 1.0, "lead": 0.7, "chord": 1.0},
        bass_cells="long",
        reverb_s=1.6,
        wet=0.18,
        kick=(44, 0.36, 0.8),
        drums=("crashes", "snare"),
    ),
    "Future Rave": Style(
        bpm=(125, 129),
        minor=1.0,
        lead=1,
        chord=0,
        bass=1,
        groove=(4, 5),
        rhythm=(3, 5),
        distortion=(2, 4),
        organicity=(1, 2),
        voices={
            "lead": ("angry stack", "buzz", "rasp", "fifth saw", "super saw"),
            "chord": ("space strings", "heaven strings", "choir"),
            "bass": ("poly drone", "reese", "moog reese", "acid", "saw wave"),
        },
        shapes={
            "lead": Shape(attack_s=0.02, sustain=0.9, release_s=0.06, motion="swell", dark_hz=900, motion_s=0.05),
            "chord": _PAD,
            "bass": Shape(attack_s=0.03, sustain=0.9, release_s=0.02, bright_hz=1100),
        },
        levels={"bass": 0.2, "lead": 0.18, "chord": 0.09},
        gates={"bass": 0.85, "lead": 0.75, "chord": 1.0},
        bass_cells="pulse",
        reverb_s=1.8,
        wet=0.22,
        kick=(50, 0.19, 0.35),
        drums=("offbeat", "ride", "hats", "crashes"),
    ),
    "Slap House": Style(
        bpm=(116, 125),
        minor=0.95,
        lead=1,
        chord=0,
        bass=1,
        groove=(3, 4),
        rhythm=(3, 5),
        distortion=(1, 3),
        organicity=(1, 2),
        voices={
            "lead": ("aah chop", "ooh chop", "whistle", "ey chop"),
            "chord": ("grand", "warm pad", "nylon guitar"),
            "bass": ("fm donk", "rubber bass", "synth bass", "matrix pluck"),
        },
        shapes={
            "lead": Shape(attack_s=0.01, sustain=0.9, release_s=0.06, bright_hz=9000),
            "chord": _PAD,
            "bass": Shape(
                attack_s=0.001, decay_s=0.15, sustain=0.15, motion="pluck", bright_hz=4200, dark_hz=350, motion_s=0.12
            ),
        },
        levels={"bass": 0.24, "lead": 0.11, "chord": 0.08},
        gates={"bass": 0.9, "lead": 0.85, "chord": 1.0},
        bass_cells="slap",
        reverb_s=1.3,
        wet=0.18,
        kick=(50, 0.18, 0.15),
        drums=("offbeat", "shaker", "snaps"),
    ),
    "Melodic House": Style(
        bpm=(126, 130),
        minor=0.1,
        lead=1,
        chord=1,
        bass=1,
        groove=(2.5, 3.5),
        rhythm=(2, 3),
        distortion=(1, 2.5),
        organicity=(2, 4),
        voices={
            "lead": ("marimba", "kalimba", "matrix pluck", "sharp", "aah chop", "pizzicato"),
            "chord": ("nylon guitar", "steel strum", "bright piano", "grand", "super sawsine"),
            "bass": ("round bass", "sub", "synth bass", "fingered bass"),
        },
        shapes={
            "lead": Shape(decay_s=0.18, sustain=0.3, release_s=0.12, motion="pluck", dark_hz=1800, motion_s=0.18),
            "chord": Shape(decay_s=0.5, sustain=0.6, release_s=0.1, bright_hz=9000),
            "bass": Shape(decay_s=0.25, sustain=0.7, release_s=0.03, bright_hz=900),
        },
        levels={"bass": 0.17, "lead": 0.14, "chord": 0.12},
        gates={"bass": 0.8, "lead": 0.8, "chord": 0.7},
        bass_cells="skip",
        reverb_s=1.6,
        wet=0.25,
        kick=(54, 0.17, 0.05),
        drums=("offbeat", "shaker", "snaps", "latin"),
    ),
}
