"""The instruments as Csound text: every voice is a function that draws its own parameters. Zone: trainer.

A voice reads kcps (Hz, with glide and vibrato), icps (Hz), ivel (0 to 1), ivar (0 to 1, a choice per note), p3 (s) and
the global gibeat (s), and leaves aL and aR. The envelope and the way to the stem are added by `instrument`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Voice = Callable[[np.random.Generator], str]
VOWELS = (
    ((700, 0), (1150, -4), (2700, -18), (3400, -24)),
    ((450, 0), (1800, -9), (2600, -14), (3300, -20)),
    ((300, 0), (2200, -12), (2900, -16), (3600, -22)),
    ((430, 0), (800, -6), (2600, -20), (3200, -26)),
    ((340, 0), (650, -10), (2500, -26), (3100, -30)),
)
# programs of the General MIDI sound font that are acoustic, by voice
ACOUSTIC_PROGRAMS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2, 3),
    "nylon": (24,),
    "steel": (25, 26, 27),
    "strings": (48, 49, 44),
    "pizz": (45,),
    "violin": (40, 41, 42),
    "brass": (61, 60, 57),
    "trumpet": (56, 59),
    "sax": (64, 65, 66),
    "flute": (73, 74, 75),
    "harp": (46, 15),
    "marimba": (12, 13),
    "vibes": (11, 8, 9),
    "kalimba": (108, 114, 10),
    "koto": (107, 105, 104),
    "accordion": (21, 22, 23),
    "abass": (32,),
    "fbass": (33, 34, 35),
    "sbass": (36, 37),
}
ELECTRIC_PROGRAMS: dict[str, tuple[int, ...]] = {
    "gmorgan": (16, 17, 18),
    "gmep": (4, 5),
    "gmsynth": (80, 81, 84, 87, 90),
    "gmpad": (88, 89, 91, 94, 95),
    "gmbass": (38, 39),
}


def _u(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 5)


def _low_pass(rng: np.random.Generator, name: str, base: str, top: float = 15000.0) -> str:
    """A low-pass of a random make on the a-variable; `base` is a k-expression in Hz."""
    kind = rng.choice(["k35", "zdf", "butter", "rezzy", "lpf18", "svf"])
    q = _u(rng, 0.0, 1.0)
    cut = f"kcut_{name} limit {base}, 60, {top}\n"
    line = {
        "k35": f"af_{name} K35_lpf {name}, kcut_{name}, {1 + 5 * q:.3f}",
        "zdf": f"af_{name} zdf_ladder {name}, kcut_{name}, {0.6 + 5 * q:.3f}",
        "butter": f"ab_{name} butlp {name}, kcut_{name}\naf_{name} butlp ab_{name}, kcut_{name}",
        "rezzy": f"af_{name} rezzy {name}, kcut_{name}, {1 + 8 * q:.3f}",
        "lpf18": f"af_{name} lpf18 {name}, kcut_{name}, {0.6 * q:.3f}, 0",
        "svf": f"af_{name}, ahp_{name}, abp_{name} svfilter {name}, kcut_{name}, {1 + 6 * q:.3f}",
    }[str(kind)]
    return f"{cut}{line}\n{name} = af_{name}\n"


def _decay(rng: np.random.Generator, low: float, high: float) -> str:
    """A k-envelope kfe that falls from `high` to `low` (multiples of the pitch, or Hz), with a random time."""
    attack = _u(rng, 0.002, 0.02) if rng.random() < 0.75 else _u(rng, 0.03, 0.09)
    first = high if attack < 0.025 else low
    return f"kfe expseg {first}, {attack}, {high}, {_u(rng, 0.08, 0.6)}, {low}, 60, {low}\n"


def _stack(rng: np.random.Generator, n: int, cents: float, mode: int = 0, octave: float = 0.0) -> str:
    """n detuned oscillators per side."""
    text = "aL = 0\naR = 0\n"
    for side in "LR":
        for i in range(n):
            detune = 2 ** ((cents * (2 * i / max(n - 1, 1) - 1) + rng.normal(0, cents / 8 + 0.5)) / 1200)
            pitch = 2.0 if octave and i == n - 1 else 1.0
            level = octave if pitch == 2.0 else 1.0
            width = f"{_u(rng, 0.25, 0.5)}"
            text += f"ax vco2 {level / n:.4f}, kcps*{detune * pitch:.6f}, {mode + 16}, {width}, {_u(rng, 0, 0.99)}\n"
            text += f"a{side} = a{side} + ax\n"
    return text


def _both(rng: np.random.Generator, base: str) -> str:
    state = rng.bit_generator.state
    left = _low_pass(rng, "aL", base)
    rng.bit_generator.state = state
    return left + _low_pass(rng, "aR", base)


def supersaw(rng: np.random.Generator) -> str:
    bright = _u(rng, 2500, 9000)
    text = _stack(rng, int(rng.integers(3, 6)), _u(rng, 8, 32), 0, _u(rng, 0.3, 0.9) if rng.random() < 0.4 else 0)
    return text + _decay(rng, bright * _u(rng, 0.35, 1), bright) + _both(rng, "kfe*(.6+.6*ivel)")


def fatpulse(rng: np.random.Generator) -> str:
    return (
        _stack(rng, int(rng.integers(1, 4)), _u(rng, 3, 16), int(rng.choice([2, 10])))
        + _decay(rng, _u(rng, 3, 8), _u(rng, 8, 25))
        + _both(rng, "kcps*kfe")
    )


def hyper(rng: np.random.Generator) -> str:
    table = int(rng.choice([4, 5, 6]))
    low = _u(rng, 1500, 5000)
    return (
        f"aL hsboscil .6, {_u(rng, -0.03, 0.03)}, {_u(rng, -0.6, 0.6)}, icps, {table}, 3\n"
        f"ax vco2 .4, kcps*{_u(rng, 1.003, 1.012)}\nay vco2 .4, kcps*{_u(rng, 0.988, 0.997)}\n"
        f"aR = aL*.7 + ax\naL = aL + ay\n" + _decay(rng, low, low * _u(rng, 1.2, 2.5)) + _both(rng, "kfe")
    )


def fm(rng: np.random.Generator) -> str:
    modulator = float(rng.choice([0.5, 1, 1, 2, 3, 1.41, 3.5, 7]))
    peak = _u(rng, 1.5, 7)
    return (
        f"kix expseg {peak}, {_u(rng, 0.05, 0.5)}, {_u(rng, 0.3, 1.2)}, 30, .2\n"
        f"aL foscil .7, kcps*{_u(rng, 0.997, 1)}, 1, {modulator}, kix*(.5+.7*ivel), 1\n"
        f"aR foscil .7, kcps*{_u(rng, 1, 1.003)}, 1, {modulator}, kix*(.5+.7*ivel), 1\n"
    )


def sync(rng: np.random.Generator) -> str:
    start, end = _u(rng, 1.5, 5.5), _u(rng, 1.2, 3)
    return (
        f"ksl expseg {start}, {_u(rng, 0.1, 0.8)}, {end}, 30, {end}\n"
        "aph, asy syncphasor kcps, a(0)\naq, as2 syncphasor kcps*ksl, asy\n"
        "ax = 2*aq-1\nax2 tone ax, 9000\n"
        f"asub vco2 {_u(rng, 0.1, 0.5)}, kcps*.5, 10\naL = ax2*.6+asub\n"
        f"aR delay aL, {_u(rng, 0.0005, 0.012)}\n"
    )


def vosim(rng: np.random.Generator) -> str:
    form = _u(rng, 700, 2400)
    return (
        f"kform expseg {form * _u(rng, 0.6, 1.6)}, {_u(rng, 0.04, 0.4)}, {form}, 60, {form}\n"
        f"aL vosim .7, kcps, kform, {_u(rng, 0.7, 0.96)}, {int(rng.integers(3, 8))}, 1, 7\n"
        f"ar2 vosim .5, kcps*{_u(rng, 1.002, 1.01)}, kform*{_u(rng, 1, 1.6)}, .85, 4, 1, 7\n"
        "aR = aL*.6+ar2*.7\n"
    )


def reed(rng: np.random.Generator) -> str:
    f1, f2 = _u(rng, 900, 1500), _u(rng, 1700, 3100)
    return (
        f"kn limit 12000/kcps, 4, 60\nax gbuzz .6, kcps, kn, 1, {_u(rng, 0.8, 0.95)}, 2\n"
        f"ay gbuzz .4, kcps*{_u(rng, 1.003, 1.014)}, kn, 1, .88, 2\naz = ax+ay\n"
        f"a1 reson az, {f1}, {_u(rng, 120, 400)}, 1\na2 reson az, {f2}, {_u(rng, 200, 600)}, 1\n"
        f"aL = a1+a2*{_u(rng, 0.4, 1)}+ax*{_u(rng, 0.05, 0.3)}\naR = a1*.8+a2+ay*.2\n"
    )


def gendy(rng: np.random.Generator) -> str:
    spread = _u(rng, 1.002, 1.05)
    points = int(rng.integers(6, 14))
    return (
        f"aL gendy .6, {int(rng.integers(1, 6))}, 1, {_u(rng, 0.2, 1)}, {_u(rng, 0.1, 1)}, icps, icps*{spread}, "
        f"{_u(rng, 0.05, 0.3)}, {_u(rng, 0.01, 0.3)}, {points}\n"
        f"ax vco2 .3, kcps, 0\naL = aL+ax\naR delay aL, {_u(rng, 0.001, 0.014)}\n"
        + _decay(rng, _u(rng, 2000, 5000), _u(rng, 5000, 10000))
        + _both(rng, "kfe")
    )


def pd(rng: np.random.Generator) -> str:
    return (
        f"kpd expseg {_u(rng, 0.75, 0.98)}, {_u(rng, 0.05, 0.5)}, {_u(rng, 0.05, 0.4)}, 60, .05\n"
        "aphs phasor kcps\napd pdhalf aphs, -kpd\naL tablei apd, 1, 1, 0, 1\n"
        f"aphs2 phasor kcps*{_u(rng, 1.001, 1.008)}\napd2 pdhalf aphs2, -kpd*.9\naR tablei apd2, 1, 1, 0, 1\n"
    )


def organ(rng: np.random.Generator) -> str:
    table = int(rng.choice([8, 9, 10]))
    return (
        f"aL poscil .6, kcps, {table}\nar2 poscil .5, kcps*{_u(rng, 1.001, 1.006)}, {table}\n"
        f"kclk expseg 1, .03, .01, 60, .01\nac poscil .3*kclk, kcps*{int(rng.integers(3, 8))}, 1\n"
        "aR = aL*.6+ar2+ac\naL = aL+ac\n"
    )


def plucksyn(rng: np.random.Generator) -> str:
    decay = _u(rng, 0.08, 0.45)
    return (
        _stack(rng, int(rng.integers(1, 4)), _u(rng, 4, 14), int(rng.choice([0, 10, 12])))
        + f"kfe expseg {_u(rng, 9, 26)}, {decay}, {_u(rng, 1.2, 3)}, 30, 1\n"
        + _both(rng, "kcps*kfe*(.5+.6*ivel)")
        + f"kpe expseg 1, {decay * 2}, .12, 3, .01\naL = aL*kpe\naR = aR*kpe\n"
    )


def padsynth(rng: np.random.Generator) -> str:
    return (
        f"aphl phasor kcps/220*(sr/262144), {_u(rng, 0, 0.9)}\naphr phasor kcps/220*(sr/262144), {_u(rng, 0, 0.9)}\n"
        "aL tablei aphl, 12, 1, 0, 1\naR tablei aphr, 12, 1, 0, 1\n" + _both(rng, f"{_u(rng, 1800, 8000)}")
    )


def epiano(rng: np.random.Generator) -> str:
    tine, bark = _u(rng, 6, 15), _u(rng, 0.4, 1.8)
    return (
        f"kb expseg {bark}, {_u(rng, 0.2, 0.9)}, .15, 20, .05\nkt expseg .5, {_u(rng, 0.05, 0.25)}, .02, 20, .01\n"
        f"ab foscil .7, kcps, 1, 1, kb*(.3+ivel), 1\nat foscil .25*kt, kcps, 1, {tine}, .9, 1\n"
        f"kd expseg 1, {_u(rng, 0.6, 2)}, .25, 10, .05\nax = (ab+at)*kd\n"
        f"ktr lfo {_u(rng, 0, 0.35)}, {_u(rng, 3, 7)}\naL = ax*(1+ktr)\naR = ax*(1-ktr)\n"
    )


def fmbell(rng: np.random.Generator) -> str:
    ratio = float(rng.choice([1.4, 2.76, 3.5, 5.4]))
    return (
        f"ki expseg {_u(rng, 1, 4)}, {_u(rng, 0.2, 0.9)}, .1, 20, .05\nkd expseg 1, {_u(rng, 0.5, 1.5)}, .15, 10, .01\n"
        f"aL foscil .7*kd, kcps, 1, {ratio}, ki, 1\naR foscil .7*kd, kcps*1.003, 1, {ratio}, ki, 1\n"
    )


def vox(rng: np.random.Generator) -> str:
    size = _u(rng, 0.95, 1.3)
    text = f"iv = int(ivar*{len(VOWELS)})\niv limit iv, 0, {len(VOWELS) - 1}\niv2 = (iv+{int(rng.integers(0, 5))})%5\n"
    text += f"kmo linseg 0, {_u(rng, 0.05, 0.3)}, {_u(rng, 0, 1)}, 60, 1\nasum = 0\n"
    for i in range(4):
        text += (
            # an i-variable keeps only its last value once sound runs, so every formant has its own
            f"ifa{i} table iv, {20 + i}\nifb{i} table iv2, {20 + i}\nifg{i} table iv, {25 + i}\n"
            f"kf = (ifa{i}+(ifb{i}-ifa{i})*kmo)*{size}\n"
            f"af fof ampdb(ifg{i}), kcps, kf, 0, {40 + 25 * i}, .003, .02, .007, 60, 1, 11, 3600\nasum = asum+af\n"
        )
    breath = _u(rng, 0.002, 0.03)
    return text + (
        f"an pinker\nan butbp an, {2800 * size:.0f}, 2500\nasum = asum+an*{breath}\n"
        f"ad vdelay3 asum, a(14)+lfo(3,{_u(rng, 0.3, 1.4)}), 40\naL = asum\naR = asum*.4+ad*.7\n"
    )


def talk(rng: np.random.Generator) -> str:
    rate = float(rng.choice([0.25, 0.5, 0.5, 1, 2]))
    one, two = rng.choice(len(VOWELS), 2, replace=False)
    text = f"ax vco2 .5, kcps, {int(rng.choice([0, 10]))}\nay vco2 .4, kcps*{_u(rng, 1.004, 1.015)}\nax = ax+ay\n"
    text += f"kmo = .5+.5*lfo(1, 1/(gibeat*{rate}), {int(rng.choice([0, 1, 3]))})\nkmo port kmo, .01\naL = 0\naR = 0\n"
    for i in range(3):
        low, high = VOWELS[one][i][0], VOWELS[two][i][0]
        text += f"af reson ax, {low}+({high - low})*kmo, {80 + 60 * i}, 1\naL = aL+af*{1 / (1 + i):.2f}\n"
    return text + f"aR delay aL, {_u(rng, 0.001, 0.01)}\naR = aR+ay*.1\naL = aL+ax*.08\n"


def whistle(rng: np.random.Generator) -> str:
    return (
        f"aw poscil .7, kcps, 1\naw2 poscil {_u(rng, 0.02, 0.3)}, kcps*2, 1\nan rand .5\n"
        f"an reson an, kcps, {_u(rng, 30, 150)}, 1\naL = aw+aw2+an*{_u(rng, 0.02, 0.2)}\naR = aw*.9-aw2+an*.1\n"
    )


def chip(rng: np.random.Generator) -> str:
    width = float(rng.choice([0.125, 0.25, 0.5]))
    up = float(rng.choice([1, 1, 1.5, 2]))
    return (
        f"kar = (lfo(1, {_u(rng, 12, 30)}, 3) > 0 ? 1 : {up})\nax vco2 .6, kcps*kar, 2, {width}\n"
        f"ay vco2 .3, kcps*2, 12\naL = ax+ay\naR delay aL, {_u(rng, 0.0004, 0.009)}\n"
    )


def ring(rng: np.random.Generator) -> str:
    ratio = float(rng.choice([1.5, 2, 2.5, 1.333, 3.02, 0.75]))
    return (
        f"ax vco2 .7, kcps, 0\nay vco2 1, kcps*{ratio}, 10\naz vco2 .5, kcps*1.006, 0\n"
        f"am = ax*ay*{_u(rng, 0.4, 1)}+az*{_u(rng, 0.2, 0.6)}\naL = am\naR = ax*ay*.6-az*.5\n"
        + _decay(rng, _u(rng, 1500, 4000), _u(rng, 4000, 11000))
        + _both(rng, "kfe")
    )


def screech(rng: np.random.Generator) -> str:
    rate = float(rng.choice([0.25, 0.125, 0.5, 1]))
    peak = _u(rng, 2, 9)
    return (
        f"kli = {peak}*(.55+.45*lfo(1, 1/(gibeat*{rate}), 1))\n"
        f"ax foscil .6, kcps, 1, {float(rng.choice([0.5, 1, 2]))}, kli, 1\n"
        f"ay foscil .6, kcps*1.007, 1, 1.5, kli*.7, 1\nan rand {_u(rng, 0, 0.15)}\n"
        f"az = ax+ay+an\naL bqrez az, 900+{_u(rng, 1500, 5000)}*(kli/{peak}), {_u(rng, 2, 14)}\n"
        f"aR bqrez az, 1000+{_u(rng, 1500, 5000)}*(kli/{peak}), {_u(rng, 2, 14)}\n"
    )


def additive(rng: np.random.Generator) -> str:
    text = "aL = 0\naR = 0\n"
    for _ in range(6):
        text += (
            f"kd expseg {_u(rng, 0.1, 0.5)}, {_u(rng, 0.1, 1.2)}, .02, 20, .01\n"
            f"ax poscil kd, kcps*{int(rng.integers(1, 9))}*{_u(rng, 0.998, 1.002)}, 1\naL = aL+ax*{_u(rng, 0.2, 1)}\n"
            f"aR = aR+ax*{_u(rng, 0.2, 1)}\n"
        )
    return text + "ay poscil .4, kcps, 1\naL = aL+ay\naR = aR+ay\n"


def reese(rng: np.random.Generator) -> str:
    move = float(rng.choice([1, 2, 4, 8]))
    base = _u(rng, 220, 900)
    return (
        _stack(rng, int(rng.integers(2, 4)), _u(rng, 9, 26))
        + f"as poscil .35, kcps*.5*{int(rng.choice([1, 2]))}, 1\naL = aL+as\naR = aR+as\n"
        + f"kmo = {base}*(1+{_u(rng, 0.1, 0.7)}*lfo(1, 1/(gibeat*{move})))\n"
        + _both(rng, "kmo")
    )


def donk(rng: np.random.Generator) -> str:
    return (
        f"kix expseg {_u(rng, 2, 7)}, {_u(rng, 0.03, 0.12)}, {_u(rng, 0.2, 0.9)}, 20, .1\n"
        f"ax foscil .8, kcps, 1, {int(rng.choice([1, 2, 3]))}, kix, 1\nkd expseg 1, {_u(rng, 0.12, 0.5)}, .3, 10, .1\n"
        f"as poscil .4, kcps, 1\naL = (ax+as)*kd\naR = aL\n"
    )


def growl(rng: np.random.Generator) -> str:
    rate = float(rng.choice([0.25, 0.5, 0.5, 0.333, 1]))
    low, high = _u(rng, 180, 500), _u(rng, 900, 3500)
    return (
        f"kli = .5+.5*lfo(1, 1/(gibeat*{rate}), {int(rng.choice([0, 1, 5]))})\nkli port kli, .008\n"
        f"ax foscil .6, kcps, 1, {float(rng.choice([1, 2, 0.5]))}, .5+{_u(rng, 2, 7)}*kli, 1\nay vco2 .4, kcps*1.006\n"
        f"af reson ax+ay, {low}+{high}*kli, {_u(rng, 120, 500)}, 1\naL = af+ax*.3+ay*.15\nas poscil .45, kcps, 1\n"
        f"aR delay aL, {_u(rng, 0.0005, 0.004)}\naL = aL+as\naR = aR+as\n"
    )


def squarebass(rng: np.random.Generator) -> str:
    return (
        f"ax vco2 .6, kcps, {int(rng.choice([10, 0, 12]))}\nas poscil .5, kcps, 1\n"
        + _decay(rng, _u(rng, 1.5, 4), _u(rng, 5, 20))
        + _low_pass(rng, "ax", "kcps*kfe")
        + "aL = ax+as\naR = aL\n"
    )


def sub(rng: np.random.Generator) -> str:
    return (
        f"ax poscil .8, kcps, 1\nay poscil {_u(rng, 0.08, 0.4)}, kcps*2, 1\naz vco2 {_u(rng, 0.02, 0.2)}, kcps, 12\n"
        f"az butlp az, {_u(rng, 500, 2500)}\naL = ax+ay+az\naR = aL\n"
    )


def slapfm(rng: np.random.Generator) -> str:
    return (
        f"kix expseg {_u(rng, 3, 9)}, {_u(rng, 0.02, 0.08)}, {_u(rng, 0.6, 1.8)}, {_u(rng, 0.1, 0.2)}, .1, 20, .05\n"
        f"ax foscil .8, kcps, 1, {int(rng.choice([1, 2, 2, 3]))}, kix*(.5+.7*ivel), 1\n"
        f"kd expseg 1, {_u(rng, 0.12, 0.3)}, .2, 5, .05\nay pluck .4, icps*2, icps*2, 0, 1\n"
        f"aL = (ax+ay*{_u(rng, 0.1, 0.8)})*kd\naR = (ax+ay*{_u(rng, 0.1, 0.8)})*kd\n"
    )


def acid(rng: np.random.Generator) -> str:
    return (
        f"ax vco2 .6, kcps, {int(rng.choice([0, 10]))}\nkfe expseg {_u(rng, 900, 4000)}, {_u(rng, 0.06, 0.3)}, "
        f"{_u(rng, 150, 500)}, 20, 120\naL diode_ladder ax, kfe*(.4+ivel), {_u(rng, 3, 14)}, 1, {_u(rng, 1, 4)}\n"
        f"as poscil .4, kcps, 1\naL = aL+as\naR = aL\n"
    )


def pwmbass(rng: np.random.Generator) -> str:
    return (
        f"kpw = .5+.35*lfo(1, {_u(rng, 0.15, 1.2)})\nax vco2 .6, kcps, 2, kpw\nay vco2 .3, kcps*1.004, 0\nax = ax+ay\n"
        + _low_pass(rng, "ax", f"{_u(rng, 250, 1100)}")
        + "as poscil .5, kcps, 1\naL = ax+as\naR = ax*.9+as\n"
    )


def gendybass(rng: np.random.Generator) -> str:
    return gendy(rng) + "as poscil .7, kcps, 1\naL = aL*.7+as\naR = aR*.7+as\n"


def organbass(rng: np.random.Generator) -> str:
    return organ(rng) + f"aL butlp aL, {_u(rng, 500, 1800)}\nas poscil .4, kcps, 1\naL = aL+as\naR = aL\n"


def pdbass(rng: np.random.Generator) -> str:
    return pd(rng) + "as poscil .5, kcps, 1\naL = aL*.7+as\naR = aR*.7+as\n"


def wobble(rng: np.random.Generator) -> str:
    rate = float(rng.choice([0.5, 0.333, 0.25, 1]))
    low = _u(rng, 120, 300)
    return (
        _stack(rng, 2, _u(rng, 5, 18), int(rng.choice([0, 10])))
        + f"kli = .5+.5*lfo(1, 1/(gibeat*{rate}), 1)\n"
        + _both(rng, f"{low}+{_u(rng, 1200, 4500)}*kli")
        + "as poscil .5, kcps, 1\naL = aL+as\naR = aR+as\n"
    )


def wavebass(rng: np.random.Generator) -> str:
    swell = _u(rng, 0.02, 0.06)
    return (
        _stack(rng, 2, _u(rng, 5, 16))
        + f"kfe expseg .3, {swell}, 1, {_u(rng, 0.1, 0.3)}, .4, 20, .3\nas poscil .5, kcps, 1\n"
        + _both(rng, f"{_u(rng, 600, 2600)}*kfe")
        + "aL = (aL+as)*kfe\naR = (aR+as)*kfe\n"
    )


def kstring(rng: np.random.Generator) -> str:
    return (
        f"aL wgpluck2 {_u(rng, 0.1, 0.7)}, .7, icps, {_u(rng, 0.1, 0.5)}, {_u(rng, 0.2, 0.7)}\n"
        f"ar2 wgpluck2 .4, .6, icps*{_u(rng, 1.001, 1.004)}, .2, {_u(rng, 0.3, 0.7)}\naR = ar2+aL*.3\n"
    )


def bow(rng: np.random.Generator) -> str:
    return (
        f"aL wgbow .6, kcps, {_u(rng, 2, 4)}, {_u(rng, 0.08, 0.2)}, {_u(rng, 3.5, 6)}, {_u(rng, 0.002, 0.01)}, 1\n"
        f"aL butlp aL, {_u(rng, 3000, 7000)}\naR delay aL, {_u(rng, 0.004, 0.018)}\n"
    )


def clar(rng: np.random.Generator) -> str:
    return (
        f"aL wgclar .6, kcps, {_u(rng, -0.35, -0.15)}, .05, .1, {_u(rng, 0.05, 0.25)}, 5, {_u(rng, 0.02, 0.12)}, 1\n"
        "aR delay aL, .006\n"
    )


def struck(rng: np.random.Generator) -> str:
    return (
        f"aL pluck .6, icps, icps, 0, 1\nax poscil .5, kcps*{float(rng.choice([3.9, 4, 9.2, 10]))}, 1\n"
        f"kd expseg 1, {_u(rng, 0.1, 0.5)}, .05, 5, .01\nay poscil .7, kcps, 1\naL butlp aL, {_u(rng, 1500, 5000)}\n"
        "aL = (aL*.5+ay+ax*kd*.3)*kd\naR = aL\n"
    )


def _font(programs: tuple[int, ...]) -> Voice:
    def voice(rng: np.random.Generator) -> str:
        program = int(rng.choice(programs))
        tone = f"aL butlp aL, {_u(rng, 4000, 14000)}\n" if rng.random() < 0.3 else ""
        return f"aL, aR sfplay3 60+60*ivel, 60, .00004*(.5+.5*ivel), kcps, {program}, 1\n" + tone

    return voice


ELECTRIC: dict[str, Voice] = {
    f.__name__: f
    for f in (
        supersaw, fatpulse, hyper, fm, sync, vosim, reed, gendy, pd, organ, plucksyn, padsynth, epiano, fmbell, vox,
        talk, whistle, chip, ring, screech, additive,
    )
} | {name: _font(ELECTRIC_PROGRAMS[name]) for name in ("gmorgan", "gmep", "gmsynth", "gmpad")}  # fmt: skip
ACOUSTIC: dict[str, Voice] = {
    name: _font(programs) for name, programs in ACOUSTIC_PROGRAMS.items() if not name.endswith("bass")
} | {f.__name__: f for f in (kstring, bow, clar, struck)}
ELECTRIC_BASS: dict[str, Voice] = {
    f.__name__: f
    for f in (
        reese, donk, growl, squarebass, sub, slapfm, acid, pwmbass, gendybass, organbass, pdbass, wobble, wavebass,
    )
} | {"gmbass": _font(ELECTRIC_PROGRAMS["gmbass"])}  # fmt: skip
ACOUSTIC_BASS: dict[str, Voice] = {name: _font(ACOUSTIC_PROGRAMS[name]) for name in ("abass", "fbass", "sbass")} | {
    "kbass": kstring
}
VOICES: dict[str, Voice] = ELECTRIC | ACOUSTIC | ELECTRIC_BASS | ACOUSTIC_BASS
# voices that hold a note, fit for pads
HELD = ("padsynth", "supersaw", "hyper", "gmpad", "vox", "organ", "strings", "bow", "brass", "accordion", "fatpulse")
# voices whose harsh or breathy noise carries no clear chord
NOT_FOR_CHORDS = ("gendy", "screech", "talk", "chip", "clar", "bow", "violin", "sax", "trumpet", "flute", "whistle")
ORGANIC: frozenset[str] = frozenset(ACOUSTIC) | frozenset(ACOUSTIC_BASS)


def instrument(
    rng: np.random.Generator, number: int, stem: int, voice: str, attack_s: float, release_s: float, glide_s: float
) -> str:
    """One voice as a Csound instrument that adds to the two global variables of its stem.

    Args:
        rng: Draws everything the voice leaves open.
        number: Of the instrument.
        stem: Which stem, from 1.
        voice: A name in VOICES.
        attack_s: Rise of the envelope.
        release_s: Fall of the envelope, inside p3.
        glide_s: Time from p6 Hz to p4 Hz.

    Returns:
        Orchestra text; p4 Hz, p5 velocity, p6 Hz to glide from, p7 variation in 0..1.
    """
    vibrato = _u(rng, 0.002, 0.008) if rng.random() < 0.4 and glide_s > 0 else 0.0
    sustain, decay_s = _u(rng, 0.5, 1), _u(rng, 0.05, 0.4)
    return f"""
instr {number}
icps = p4
ivel = p5
ivar = p7
kgl expseg p6, {max(glide_s, 0.001)}, p4, 600, p4
kvd linseg 0, .25, 0, .3, 1, 600, 1
kcps = kgl*(1+{vibrato}*kvd*lfo(1, {_u(rng, 4.3, 6.2)}))
{VOICES[voice](rng)}
ibody = max(p3-{attack_s}-{release_s}, .002)
idec = min({decay_s}, ibody*.5)
aenv linseg 0, {attack_s}, 1, idec, {sustain}, ibody-idec, {sustain}, {release_s}, 0, 1, 0
gaL{stem} = gaL{stem} + aL*aenv*ivel
gaR{stem} = gaR{stem} + aR*aenv*ivel
endin
"""


def insert(rng: np.random.Generator, number: int, stem: int, organic: bool) -> str:
    """The always-on instrument of one stem: an effect of its own or none, then the way out."""
    kind = rng.choice(["none", "chorus", "phaser", "pan", "filter", "flanger"], p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    if organic and kind in ("filter", "flanger", "phaser"):
        kind = "none"
    effect = {
        "none": "",
        "chorus": f"ad1 vdelay3 aL, a(12+4*lfo(1,{_u(rng, 0.2, 1.2)})), 40\nad2 vdelay3 aR, a(14+5*lfo(1,"
        f"{_u(rng, 0.2, 1.2)})), 40\naL = aL*.7+ad2*.5\naR = aR*.7+ad1*.5\n",
        "phaser": f"kp = 700+500*lfo(1,{_u(rng, 0.05, 0.6)})\nal2 phaser1 aL, kp, 6, .5\n"
        "ar2 phaser1 aR, kp*1.1, 6, .5\n"
        "aL = aL*.6+al2*.6\naR = aR*.6+ar2*.6\n",
        "pan": f"kp = {_u(rng, 0.2, 0.6)}*lfo(1, 1/(gibeat*{float(rng.choice([1, 2, 3, 4]))}))\n"
        "aL = aL*(1-kp)\naR = aR*(1+kp)\n",
        "filter": f"kp = 1500+1200*lfo(1, 1/(gibeat*{float(rng.choice([2, 4, 8, 16]))}))\nal2 butlp aL, kp*3\n"
        "ar2 butlp aR, kp*3\naL = aL*.25+al2*.8\naR = aR*.25+ar2*.8\n",
        "flanger": f"af = a(.003+.002*lfo(1,{_u(rng, 0.05, 0.4)}))\nal2 flanger aL, af, .4\n"
        "ar2 flanger aR, af*1.15, .4\n"
        "aL = aL*.6+al2*.5\naR = aR*.6+ar2*.5\n",
    }[str(kind)]
    return f"""
instr {number}
aL = gaL{stem}
aR = gaR{stem}
gaL{stem} = 0
gaR{stem} = 0
{effect}
outch {2 * stem - 1}, aL, {2 * stem}, aR
endin
"""


def tables(rng: np.random.Generator, font: str) -> str:
    """Function tables and sound-font handles that the voices name by number."""
    partials = " ".join(str(_u(rng, 0, 1) if i else 1.0) for i in range(9))
    drawbars = " ".join(str(float(rng.choice([0, 0.3, 0.6, 1]))) if i else "1" for i in range(8))
    hollow = " ".join(str(_u(rng, 0.2, 1) / (i + 1) if i % 2 == 0 else 0.0) for i in range(13))
    saw = " ".join(f"{1 / (i + 1):.4f}" for i in range(14))
    square = " ".join(f"{1 / (i + 1) if i % 2 == 0 else 0:.4f}" for i in range(14))
    pad = ", ".join(f"{_u(rng, 0.3, 1) / (i + 1) ** _u(rng, 0.6, 1.4):.4f}" for i in range(int(rng.integers(8, 24))))
    lines = [
        "gi1 ftgen 1, 0, 16384, 10, 1",
        "gi2 ftgen 2, 0, 16384, 9, 1, 1, 90",
        "gi3 ftgen 3, 0, 1024, 20, 2",
        f"gi4 ftgen 4, 0, 8192, 10, {saw.replace(' ', ', ')}",
        f"gi5 ftgen 5, 0, 8192, 10, {square.replace(' ', ', ')}",
        f"gi6 ftgen 6, 0, 8192, 10, {hollow.replace(' ', ', ')}",
        "gi7 ftgen 7, 0, 32768, 9, .5, 1, 0",
        f"gi8 ftgen 8, 0, 8192, 10, {partials.replace(' ', ', ')}",
        f"gi9 ftgen 9, 0, 8192, 10, {drawbars.replace(' ', ', ')}",
        "gi10 ftgen 10, 0, 8192, 10, 1, .8, 0, .5, 0, .3, 0, .2",
        "gi11 ftgen 11, 0, 1024, 19, .5, .5, 270, .5",
        f'gi12 ftgen 12, 0, 262144, "padsynth", 220, {_u(rng, 12, 70)}, 1, 1, 1, {pad}',
    ]
    for i in range(4):
        lines.append(f"gif{i} ftgen {20 + i}, 0, 8, -2, " + ", ".join(str(v[i][0]) for v in VOWELS))
        lines.append(f"gig{i} ftgen {25 + i}, 0, 8, -2, " + ", ".join(str(v[i][1]) for v in VOWELS))
    lines.append(f'gifont sfload "{font}"')
    for programs in (*ACOUSTIC_PROGRAMS.values(), *ELECTRIC_PROGRAMS.values()):
        lines += [f"gip{program} sfpreset {program}, 0, gifont, {program}" for program in programs]
    return "\n".join(lines) + "\n"


KICKS: dict[str, dict[str, tuple[float, float]]] = {
    kind: dict(zip(("f0", "f1", "sweep", "len", "click", "drive"), spans, strict=True))
    for kind, spans in {
        # start Hz, end Hz, time of the sweep, length, click, drive
        "round": ((130, 260), (42, 55), (0.04, 0.09), (0.22, 0.34), (0.05, 0.3), (1, 2)),
        "punchy": ((220, 480), (45, 58), (0.03, 0.07), (0.2, 0.32), (0.2, 0.7), (1.5, 4)),
        "short": ((180, 400), (48, 64), (0.02, 0.05), (0.12, 0.2), (0.2, 0.8), (1, 2.5)),
        "soft": ((90, 160), (40, 52), (0.03, 0.07), (0.2, 0.32), (0.0, 0.12), (0.7, 1.3)),
        "hard": ((300, 900), (44, 56), (0.03, 0.08), (0.22, 0.34), (0.4, 1.0), (4, 12)),
        "bigroom": ((250, 700), (43, 62), (0.04, 0.1), (0.34, 0.43), (0.3, 1.0), (6, 20)),
    }.items()
}


def kick(rng: np.random.Generator, number: int, kind: str, tone_hz: float) -> str:
    """A kick; the bigroom one ends on tone_hz, so that it has a pitch."""
    draw = {key: _u(rng, *span) for key, span in KICKS[kind].items()}
    end = tone_hz if kind == "bigroom" else draw["f1"]
    shape = rng.choice(["tanh", "clip", "distort"])
    squash = {
        "tanh": "ax = tanh(ax)",
        "clip": "ax clip ax, 1, 1, .7",
        "distort": "ax distort1 ax, 1, .7, .05, .05",
    }[str(shape)]
    return f"""
instr {number}
kf expseg {draw["f0"]}, {draw["sweep"]}, {end * 1.25:.3f}, .05, {end:.3f}, 5, {end:.3f}
ab poscil 1, kf, 1
ke expseg 1, {draw["len"] * 0.55:.4f}, .6, {draw["len"] * 0.45:.4f}, .01, .05, .0001, 5, .0001
an rand 1
an butbp an, {_u(rng, 1500, 6000)}, 3000
kc expseg 1, {_u(rng, 0.004, 0.02)}, .01, 5, .01
ax = (ab*ke + an*kc*{draw["click"]})*{draw["drive"]}
{squash}
kd linseg 1, {draw["len"]:.4f}, 1, .03, 0, 5, 0
ax = ax*kd
ax butlp ax, {_u(rng, 5000, 12000)}
outch p4, ax
endin
"""


def hits(rng: np.random.Generator, number: int) -> str:
    """Clap, snare, closed and open hat, four blips and four one-word voices as instruments number .. number + 7."""
    clap_hz, snare_hz, hat_hz = _u(rng, 900, 1900), _u(rng, 160, 260), _u(rng, 5500, 9500)
    metal = "".join(f"ax vco2 .2, {_u(rng, 300, 900)}, 10\nas = as+ax\n" for _ in range(5))
    word = VOICES["vox"](rng)
    return f"""
instr {number}
an rand 1
ax reson an, {clap_hz}, {_u(rng, 500, 1500)}, 2
ke expseg 1, .009, .1, .001, 1, .009, .1, .001, 1, {_u(rng, 0.06, 0.22)}, .01, 1, .0001
ax buthp ax, 500
outch p4, ax*ke
endin
instr {number + 1}
an rand 1
an buthp an, {_u(rng, 1200, 3000)}
kf expseg {snare_hz * 1.6:.2f}, .03, {snare_hz}, 5, {snare_hz}
at poscil .8, kf, 1
kt expseg 1, {_u(rng, 0.07, 0.16)}, .01, 5, .001
ke expseg 1, {_u(rng, 0.1, 0.25)}, .01, 5, .0001
outch p4, at*kt + an*ke*{_u(rng, 0.4, 1)}
endin
instr {number + 2}
as = 0
{metal}
an rand {_u(rng, 0.2, 1)}
as = as+an
as buthp as, {hat_hz}
as buthp as, {hat_hz}
ke expseg 1, p5, .01, 5, .0001
outch p4, as*ke
endin
instr {number + 3}
ki expseg {_u(rng, 1, 6)}, .05, .1, 5, .1
ax foscil .7, p5, 1, {_u(rng, 0.7, 5.3)}, ki, 1
ke expseg 1, {_u(rng, 0.04, 0.16)}, .01, 5, .0001
outch p4, ax*ke
endin
instr {number + 4}
icps = p5
ivel = 1
ivar = p6
kcps expseg p5*{_u(rng, 0.8, 1.3)}, .12, p5, 5, p5*.9
{word}
ke linseg 0, .02, 1, p3-.1, .8, .06, 0, 5, 0
outch p4, aL*ke
endin
"""


def effects(rng: np.random.Generator, number: int) -> str:
    """Riser, impact, falling sweep and an impulse through a reverberator as instruments number .. number + 3."""
    low, high = _u(rng, 200, 600), _u(rng, 5000, 12000)
    tone = _u(rng, 0, 0.5)
    colour = str(rng.choice(["reverbsc", "freeverb", "nreverb"]))
    return f"""
instr {number}
kf expseg {low}, p3, {high}
an rand 1
a1 butbp an, kf, kf*{_u(rng, 0.3, 1)}
an2 rand 1, .3
a2 butbp an2, kf*1.1, kf*.6
kp expseg {_u(rng, 80, 200)}, p3, {_u(rng, 600, 1800)}
at vco2 {tone}, kp
at butlp at, kf
ke expseg .05, p3-.02, 1, .02, .001
ktr = 1-{_u(rng, 0, 0.6)}*(.5+.5*lfo(1, 1/(gibeat*.5), 3))
ktr port ktr, .005
outch p4, (a1+at)*ke*ktr, p4+1, (a2+at)*ke*ktr
endin
instr {number + 1}
an rand 1
kf expseg 6000, 1.5, 150, 3, 80
an butlp an, kf
kp expseg {_u(rng, 90, 160)}, .5, 38, 5, 36
ab poscil .9, kp, 1
ke expseg 1, {_u(rng, 0.8, 2.5)}, .01, 5, .001
outch p4, (an*.6+ab)*ke, p4+1, (an*.5+ab)*ke
endin
instr {number + 2}
an rand 1
kf expseg {high}, p3, {low}
a1 butbp an, kf, kf*.7
a2 butbp an, kf*1.08, kf*.7
ke expseg 1, p3, .01
outch p4, a1*ke, p4+1, a2*ke
endin
instr {number + 3}
ai mpulse 1, 0
ai delay ai, p5
{_reverberator(rng, colour)}
kcut linseg 1, p3-.3, 1, .3, 0
outch p4, aL*kcut, p4+1, aR*kcut
endin
"""


def _reverberator(rng: np.random.Generator, colour: str) -> str:
    if colour == "reverbsc":
        return f"aL, aR reverbsc ai, ai*.9, .6+.36*p6, {_u(rng, 4000, 12000)}\n"
    if colour == "freeverb":
        return f"aL, aR freeverb ai, ai*.9, .55+.42*p6, {_u(rng, 0.1, 0.7)}\n"
    left = f"aL nreverb ai, .4+4*p6*p6, {_u(rng, 0.1, 0.7)}\nai2 delay ai, .007\n"
    return f"{left}aR nreverb ai2, .4+4.2*p6*p6, {_u(rng, 0.1, 0.7)}\n"
