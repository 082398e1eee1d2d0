"""Files of other programs, as those programs and people write them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from housex_blender.exchange import ExchangeError, Imported, grid_from, read
from housex_blender.exchange.reading import parse

# attributes, order and spelling after the published "XML format list" of rekordbox
REKORDBOX = """<?xml version="1.0" encoding="UTF-8"?>

<DJ_PLAYLISTS Version="1.0.0">
  <PRODUCT Name="rekordbox" Version="6.6.3" Company="AlphaTheta"/>
  <COLLECTION Entries="3">
    <TRACK TrackID="1" Name="Opener" Artist="Someone" Composer="" Album="" Grouping="" Genre="House" Kind="MP3 File"
           Size="8340480" TotalTime="208" DiscNumber="0" TrackNumber="1" Year="2020" AverageBpm="124.00"
           DateAdded="2024-01-01" BitRate="320" SampleRate="44100" Comments="" PlayCount="2" Rating="0"
           Location="file://localhost/C:/Music/Opener.mp3" Remixer="" Tonality="Am" Label="" Mix="">
      <TEMPO Inizio="0.025" Bpm="124.00" Metro="4/4" Battito="1"/>
    </TRACK>
    <TRACK TrackID="2" Name="Late &amp; Loud" Artist="DJ" Kind="WAV File" TotalTime="20" AverageBpm="120.00"
           SampleRate="44100" Location="file://localhost/C:/Mixe/L%C3%A4te%20%26%20Loud.wav" Colour="0xFF007F">
      <TEMPO Inizio="8.300" Bpm="125.00" Metro="4/4" Battito="3"/>
      <TEMPO Inizio="0.700" Bpm="120.00" Metro="4/4" Battito="2"/>
      <POSITION_MARK Name="Drop" Type="0" Start="4.700" Num="0" Red="40" Green="226" Blue="20"/>
      <POSITION_MARK Name="" Type="0" Start="0.700" Num="-1"/>
      <POSITION_MARK Name="loop" Type="4" Start="10.000" End="12.000" Num="-1"/>
    </TRACK>
    <TRACK TrackID="3" Name="Empty" Kind="WAV File" Location="file://localhost/C:/Mixe/Empty.wav"/>
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="1">
      <NODE Name="Friday" Type="1" KeyType="0" Entries="1"><TRACK Key="2"/></NODE>
    </NODE>
  </PLAYLISTS>
</DJ_PLAYLISTS>
"""


def of(text: str, name: str = "x.txt", mix: str = "") -> Imported:
    return parse(text.encode("utf-8"), name, mix)


def test_rekordbox() -> None:
    # the file's name is percent-encoded, and macOS would take its accent apart
    for mix in ("Läte & Loud.wav", "La\u0308te & Loud.wav", "/some/where/LÄTE & Loud.flac", "Late & Loud"):
        found = of(REKORDBOX, "rb.xml", mix)
        assert found.kind == "rekordbox"
        assert found.tempos == [(0.7, 120.0, 2), (8.3, 125.0, 3)]
        assert found.cues == [(0.7, ""), (4.7, "Drop"), (10.0, "loop")]
        assert found.beats_s is None


def test_a_rekordbox_grid() -> None:
    grid = grid_from(of(REKORDBOX, "rb.xml", "Late & Loud"), 12.0)
    # beat 2 at 0.7 s puts beat 1 at 0.2 s; the second tempo takes over where its own beat 3 is, at 8.3 s
    assert grid.beats_s[:4] == pytest.approx([0.2, 0.7, 1.2, 1.7])
    assert grid.starts_s[:4] == pytest.approx([0.2, 2.2, 4.2, 6.2])
    # the beat at 8.2 s is less than half a beat before 8.3 s and makes room for it
    assert grid.beats_s[15:18] == pytest.approx([7.7, 8.3, 8.78])
    assert grid.starts_s[4] == pytest.approx(8.3 + 2 * 0.48)
    assert grid.bpm[:3] == pytest.approx([120.0] * 3)
    assert grid.bpm[-1] == pytest.approx(125.0)
    assert 12.0 <= grid.ends_s[-1] < 12.5


def test_a_rekordbox_collection_of_one_needs_no_name() -> None:
    one = REKORDBOX[: REKORDBOX.index('    <TRACK TrackID="2"')] + "  </COLLECTION></DJ_PLAYLISTS>"
    assert of(one, "rb.xml").tempos == [(0.025, 124.0, 1)]
    found = of(one, "rb.xml", "other.wav")
    assert found.tempos == [(0.025, 124.0, 1)]
    assert found.messages == ["The only entry of rb.xml is 'Opener.mp3'."]


def test_rekordbox_entries_that_do_not_fit() -> None:
    with pytest.raises(
        ExchangeError, match=r"does not hold gone\.wav; it has Opener\.mp3, Läte & Loud\.wav, Empty\.wav"
    ):
        of(REKORDBOX, "rb.xml", "gone.wav")
    with pytest.raises(ExchangeError, match="holds 3 tracks"):
        of(REKORDBOX, "rb.xml")
    with pytest.raises(ExchangeError, match=r"'Empty\.wav' has neither a grid nor cues"):
        of(REKORDBOX, "rb.xml", "Empty.wav")
    many = "".join(f'<TRACK Name="t{n}"/>' for n in range(9))
    with pytest.raises(ExchangeError, match=r"t0, t1, t2, t3, t4 and 4 more\."):
        of(f"<DJ_PLAYLISTS><COLLECTION>{many}</COLLECTION></DJ_PLAYLISTS>")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('Battito="2"', 'Battito="5"', "counts beat 5"),
        ('Inizio="0.700"', 'Inizio="soon"', "'soon' where a number"),
        ('Inizio="0.700"', 'Inizio="-3"', "the time -3 s"),
        ('Inizio="0.700"', 'Inizio="1e9"', r"the time 1e\+09 s"),
        ('Inizio="0.700" ', "", "where a number"),
        ('Bpm="120.00" Metro', 'Bpm="0.00" Metro', "20 to 1000"),
        ('Start="4.700"', 'Start="nan"', "'nan'"),
        ("</COLLECTION>", "</COLLECTOR>", "damaged XML"),
        ("DJ_PLAYLISTS", "DJ_PLAYLOST", "not of a rekordbox collection"),
        ('encoding="UTF-8"', 'encoding="klingon"', "encoding"),
    ],
)
def test_rekordbox_files_that_are_wrong(old: str, new: str, said: str) -> None:
    assert old in REKORDBOX
    with pytest.raises(ExchangeError, match=said):
        of(REKORDBOX.replace(old, new), "rb.xml", "Läte & Loud.wav")


def test_another_meter_is_left_out_with_a_word() -> None:
    found = of(REKORDBOX.replace('Bpm="125.00" Metro="4/4"', 'Bpm="125.00" Metro="3/4"'), "rb.xml", "Late & Loud")
    assert found.tempos == [(0.7, 120.0, 2)]
    assert "3/4" in found.messages[0]


def test_a_beat_just_before_the_start() -> None:
    found = of(REKORDBOX.replace('Inizio="0.700"', 'Inizio="-0.020"'), "rb.xml", "Late & Loud")
    assert grid_from(found, 12.0).beats_s[:2] == pytest.approx([-0.02, 0.48])


LAUGHS = (
    '<?xml version="1.0"{enc}?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><DJ_PLAYLISTS>&j;</DJ_PLAYLISTS>"
)
EXTERNAL = (
    '<?xml version="1.0"{enc}?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><DJ_PLAYLISTS>&e;</DJ_PLAYLISTS>'
)
DTD = '<?xml version="1.0"{enc}?><!DOCTYPE x SYSTEM "http://localhost:1/x.dtd"><DJ_PLAYLISTS/>'


@pytest.mark.parametrize("attack", [LAUGHS, EXTERNAL, DTD])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_xml_with_definitions_is_refused(attack: str, encoding: str) -> None:
    declared = {"latin-1": ' encoding="iso-8859-1"', "utf-16-le": "", "utf-16-be": ""}.get(encoding, "")
    data = attack.replace("{enc}", declared).encode(encoding)
    for name in ("rb.xml", "rb.txt", "rb"):
        with pytest.raises(ExchangeError, match="defines types or entities"):
            parse(data, name)


def test_utf_16_is_read() -> None:
    data = REKORDBOX.replace("UTF-8", "UTF-16").encode("utf-16")
    assert len(parse(data, "rb.xml", "Late & Loud").tempos) == 2


def test_deep_and_large_files() -> None:
    deep = b"<DJ_PLAYLISTS>" + b"<a>" * 200_000
    with pytest.raises(ExchangeError, match="damaged XML"):
        parse(deep, "rb.xml")
    with pytest.raises(ExchangeError, match="larger than 50 MB"):
        parse(b"<" + b" " * 50_000_001, "rb.xml")
    with pytest.raises(ExchangeError, match="larger than 10 MB"):
        parse(b"0.5\n" * 2_600_000, "x.beats")
    with pytest.raises(ExchangeError, match="more than 200000"):
        parse(b"".join(b"%d.%03d\n" % divmod(n, 1000) for n in range(200_001)), "x.beats")


CUE = """\ufeffREM GENRE House
PERFORMER "The DJ"
TITLE "Night"
FILE "night.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    PERFORMER "First"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE Two words
    PERFORMER O'Second
    INDEX 00 04:58:00
    INDEX 01 05:00:30
  TRACK 03 AUDIO
    TITLE "A "quoted" one"
    INDEX 01 72:10:74
"""


def test_cue() -> None:
    found = of(CUE, "night.cue")
    assert found.kind == "cue"
    assert found.tracks == [
        (0.0, "One", "First"), (300.4, "Two words", "O'Second"), (pytest.approx(4330 + 74 / 75), 'A "quoted" one', ""),
    ]  # fmt: skip
    # by its content alone, with Windows line ends, and in Latin-1
    assert of(CUE.replace("\n", "\r\n"), "night.txt").tracks == found.tracks
    latin = parse(CUE.replace("\ufeff", "").replace("First", "Fürst").encode("latin-1"), "night.cue")
    assert latin.tracks[0] == (0.0, "One", "Fürst")
    assert latin.messages == ["night.cue is not UTF-8 and was read as Latin-1."]


def test_a_cue_sheet_of_rekordbox_has_hours() -> None:
    found = of(
        'REM RECORDED_BY "rekordbox-dj"\nFILE "01 night.wav" WAVE\n\tTRACK 01 AUDIO\n\t\tTITLE "One"\n'
        '\t\tFILE "/a/One.mp3" WAVE\n\t\tINDEX 01 00:00:00\n\tTRACK 02 AUDIO\n\t\tTITLE "Two"\n'
        '\t\tFILE "/a/Two.mp3" WAVE\n\t\tINDEX 01 01:04:12\n',
        "night.cue",
    )
    assert found.tracks == [(0.0, "One", ""), (3852.0, "Two", "")]
    assert "hours" in found.messages[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("05:00:30", "05:00:75", "impossible time"),
        ("05:00:30", "05:60:00", "impossible time"),
        ("05:00:30", "05:00", "mm:ss:ff"),
        ("72:10:74", "99999:10:74", r"the time 5\.99995e\+06 s"),
        ("INDEX 01", "INDEX 02", "no TRACK with an INDEX 01"),
    ],
)
def test_cue_sheets_that_are_wrong(old: str, new: str, said: str) -> None:
    assert old in CUE
    with pytest.raises(ExchangeError, match=said):
        of(CUE.replace(old, new), "night.cue")


def test_a_cue_sheet_of_several_files() -> None:
    text = "".join(f'FILE "{n}.wav" WAVE\nTRACK {n:02d} AUDIO\nINDEX 01 00:00:00\n' for n in (1, 2))
    with pytest.raises(ExchangeError, match="describes 2 files"):
        of(text, "a.cue")


@pytest.mark.parametrize(
    ("line", "track"),
    [
        ("00:04:30 Artist – Title", (270.0, "Title", "Artist")),
        ("1:04:30 Artist - Title", (3870.0, "Title", "Artist")),
        ("04:30 Artist — Title", (270.0, "Title", "Artist")),
        ("75:10 Artist – Title", (4510.0, "Title", "Artist")),
        ("[04:30] Artist – Title – Remix", (270.0, "Title – Remix", "Artist")),
        ("(04:30) Jay-Z - Title", (270.0, "Title", "Jay-Z")),
        ("01. [04:30] Artist – Title", (270.0, "Title", "Artist")),
        ("01.[04:30] Artist – Title", (270.0, "Title", "Artist")),
        ("1) 04:30 Artist – Title", (270.0, "Title", "Artist")),
        ("12 04:30 Artist – Title", (270.0, "Title", "Artist")),
        ("04:30 - Artist – Title", (270.0, "Title", "Artist")),
        ("04:30 | Artist – Title", (270.0, "Title", "Artist")),
        ("04:30 - 08:10 Artist – Title", (270.0, "Title", "Artist")),
        ("04:30.5 Artist – Title", (270.5, "Title", "Artist")),
        ("04:30 Only a title", (270.0, "Only a title", "")),
        ("04:30 A non- stop title", (270.0, "A non- stop title", "")),
        ("04:30", (270.0, "", "")),
        ("03. Artist – Title [04:30]", (270.0, "Title", "Artist")),
        ("Artist – Title - 00:04:30", (270.0, "Title", "Artist")),
    ],
)
def test_tracklist_lines(line: str, track: tuple[float, str, str]) -> None:
    assert of(line).tracks == [track]


def test_a_tracklist_with_a_headline() -> None:
    found = of("My night\n\n00:00 A – B\nw/ C – D\n05:00 E – F\n02:00 G – H\n")
    assert found.tracks == [(0.0, "B", "A"), (120.0, "H", "G"), (300.0, "F", "E")]
    assert found.messages == [
        "2 of 5 lines have no time and were left out.",
        "The tracks were not in order of time and were sorted.",
    ]


def test_tracklists_that_are_wrong() -> None:
    for text, said in (
        ("A – B\nC – D\n", "no line that begins with a time"),
        ("00:00 A – B\n1:75:00 C – D\n", "Line 2 of x.txt has an impossible time"),
        ("04:61 A – B\n", "impossible time"),
        ("A – B (6:10)\nC – D (5:50)\n", "lengths"),
    ):
        with pytest.raises(ExchangeError, match=said):
            of(text)


def test_audacity_labels() -> None:
    found = of(
        "0.000000\t16.000000\tIntro\n"
        "16.000000\t16.000000\tlights off\n"
        "\\\t100.000000\t2000.000000\n"
        "16.000000\t48.000000\tDROP 2\n"
        "48,5\t60,25\tBreakdown\n"
        "50.000000\t50.000000\tdrop\n"
        "70.000000\t75.000000\t\n"
        "62.000000\t70.000000\tTrack 3: A – B\n"
    )
    assert found.kind == "labels"
    assert found.sections == [(0.0, 16.0, "intro"), (16.0, 48.0, "drop"), (48.5, 60.25, "break")]
    assert found.cues == [(16.0, "lights off"), (50.0, "drop"), (70.0, "")]
    assert found.tracks == [(62.0, "B", "A")]


def test_points_named_after_sections_reach_to_the_next() -> None:
    found = of("8.0\t8.0\tdrop\n0.0\t0.0\tintro\n24.0\t24.0\toutro\n")
    assert found.sections == [(0.0, 8.0, "intro"), (8.0, 24.0, "drop"), (24.0, 24.0, "outro")]


@pytest.mark.parametrize("words", [["1", "2", "3", "4"], ["downbeat", "beat", "beat", "beat"]])
def test_beat_labels(words: list[str]) -> None:
    lines = [f"{n / 2:.6f}\t{n / 2:.6f}\t{words[n % 4]}\n" for n in range(12)] + ["3.0\t5.0\tdrop\n"]
    found = of("".join(lines))
    assert found.beats_s is not None
    assert found.downbeats_s is not None
    assert found.beats_s.tolist() == [n / 2 for n in range(12)]
    assert found.downbeats_s.tolist() == [0.0, 2.0, 4.0]
    assert found.sections == [(3.0, 5.0, "drop")]
    assert grid_from(found, 6.0).starts_s.tolist() == [0.0, 2.0, 4.0]


def test_numbers_far_apart_are_no_beats() -> None:
    found = of("0.0\t0.0\t1\n100.0\t100.0\t2\n200.0\t200.0\t3\n")
    assert found.beats_s is None
    assert len(found.cues) == 3


def test_beats() -> None:
    found = of("# a comment\n0.5 4\n1.0 1\n1.5 2\n2.0 3\n2.5 4\n3.0 1\n3.5 2\n", "a.beats")
    assert found.kind == "beats"
    grid = grid_from(found, 10.0)
    assert grid.beats_s.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert grid.starts_s.tolist() == [1.0, 3.0]
    assert grid.beat_in_bar.tolist() == [4, 1, 2, 3, 4, 1, 2]
    # by content alone; only beats; only downbeats
    assert of("0.5\t1\n1.0\t2\n", "a.txt").kind == "beats"
    bare = of("1.5\n0.5\n1.0\n2.0\n2.5\n", "a.txt")
    assert bare.downbeats_s is None
    assert "first beat" in bare.messages[0]
    assert grid_from(bare, 10.0).starts_s.tolist() == [0.5, 2.5]
    downs = of("0.5\t1\n2.5\t1\n4.5\t1\n", "a.beats")
    assert downs.beats_s is None
    assert grid_from(downs, 10.0).beats_s[:5].tolist() == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_lab() -> None:
    found = of("0.0 8.0 intro\n8.0 16.0 chorus one\n16.0\t32.0\tBuild-Up\n", "a.lab")
    assert found.sections == [(0.0, 8.0, "intro"), (8.0, 16.0, "chorus one"), (16.0, 32.0, "build")]
    assert of("0.0 8.0 intro\n", "a.txt").kind == "lab"


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "a.txt", "empty"),
        ("# nothing\n", "a.beats", "no beats, tracks"),
        ("0.5\t0\n1.0\t1\n", "a.beats", "counts beat 0"),
        ("0.5\t1.5\n", "a.beats", "counts beat 1.5"),
        ("-0.5\t1\n0.5\t2\n", "a.beats", "the time -0.5 s"),
        ("0.5\t1\n1.0\n", "a.beats", "some have none"),
        ("inf\t1\n", "a.beats", "'inf' where a number"),
        ("1_000\t1\n", "a.beats", "where a number"),
        ("200000.5\n", "a.beats", "the time 200000"),
        ("5.0 4.0 x\n", "a.lab", "ends before it begins"),
        ("intro\n", "a.lab", "not a start"),
        ("5.0\t4.0\tx\n", "a.txt", "Line 1 of a.txt ends before"),
        ("x" * 6000, "a.txt", "more than 5000 characters"),
        ("PK\x03\x04", "a.txt", "not a text file"),
    ],
)
def test_text_files_that_are_wrong(text: str, name: str, said: str) -> None:
    with pytest.raises(ExchangeError, match=said):
        of(text, name)


def test_grids_that_cannot_be_made() -> None:
    for found, duration_s, said in (
        (of("00:00 A – B\n"), 60.0, "no beats and no tempos"),
        (of("0.5\t1\n1.0\t2\n", "a.beats"), 0.7, "fewer than two beats"),
        (of("0.5\t1\n1.0\t2\n", "a.beats"), float("nan"), "cannot last"),
        (Imported("beats", np.array([1.0, 2.0]), np.array([1.5])), 60.0, "not on a beat"),
        (Imported("beats", None, np.array([1.0])), 60.0, "fewer than two downbeats"),
        (Imported("rekordbox", tempos=[(0.0, 1000.0, 1)]), 172_800.0, "more than 200000 beats"),
    ):
        with pytest.raises(ExchangeError, match=said):
            grid_from(found, duration_s)


def test_downbeats_late_in_the_file_are_counted_back() -> None:
    beats_s = 0.5 * np.arange(16)
    grid = grid_from(Imported("beats", beats_s, beats_s[[10, 14]]), 60.0)
    assert grid.starts_s.tolist() == [1.0, 3.0, 5.0, 7.0]


def test_tempos_reach_from_the_start_to_the_end() -> None:
    grid = grid_from(Imported("rekordbox", tempos=[(4.0, 120.0, 1)]), 9.9)
    assert grid.beats_s.tolist() == [0.5 * n for n in range(20)]
    assert grid.starts_s.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="There is no file"):
        read(tmp_path / "gone.cue")
    with pytest.raises(ExchangeError, match="is not a file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe.cue")
    with pytest.raises(ExchangeError, match="is not a file"):
        read(tmp_path / "pipe.cue")
    with pytest.raises(ExchangeError, match="cannot be read"):
        read(tmp_path / "a\0b.cue")


@pytest.mark.parametrize("name", ["a.csv", "a.jams", "a.mid", "a.json"])
def test_kinds_that_are_only_written_are_named(name: str) -> None:
    with pytest.raises(ExchangeError, match="does not read them"):
        parse(b"beat,bar\n1,1\n", name)


def test_a_grid_in_threes_alone_is_said() -> None:
    body = b'<TRACK Location="a.wav"><TEMPO Inizio="0" Bpm="126" Metro="3/4" Battito="1"/></TRACK>'
    with pytest.raises(ExchangeError, match=r"is in 3/4.*4/4"):
        parse(b"<DJ_PLAYLISTS><COLLECTION>" + body + b"</COLLECTION></DJ_PLAYLISTS>", "a.xml")


def test_beats_on_top_of_one_another_are_no_grid() -> None:
    text = "".join(f"{number * 0.002:.3f} {number % 4 + 1}\n" for number in range(4000))
    with pytest.raises(ExchangeError, match=r"less than 0\.01 s apart"):
        grid_from(parse(text.encode(), "a.beats"), 8.0)
