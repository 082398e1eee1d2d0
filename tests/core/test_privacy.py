"""What may be pasted in public: no folders of anybody, no names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from housex_blender.core.privacy import without_private_paths

HOME = "/home/max"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("There is no file /home/max/Music/set.flac. Choose one.", "There is no file ~/Music/set.flac. Choose one."),
        ("/home/maximilian/x.flac", "…/x.flac"),
        ("in /home/max", "in ~"),
        ("/media/Max Power/My Sets/set one.flac cannot be read", "…/set one.flac cannot be read"),
        ("from /a/b.wav to /c/d.wav", "from …/b.wav to …/d.wav"),
        ("File '/opt/x y/a.py', line 3, in '/srv/z/b.py'", "File '…/a.py', line 3, in '…/b.py'"),
        (r"C:\Users\Eva Braun\Music\set.mp3 is gone", "…/set.mp3 is gone"),
        (r"{'path': 'D:\\Sets\\2024\\set.mp3'}", "{'path': '…/set.mp3'}"),
        (r"\\nas\private\sets\set.mp3", "…/set.mp3"),
        ("//nas/private/sets/set.mp3", "…/set.mp3"),
        ("file:///srv/secret/set.mp3", "file:…/set.mp3"),
        ("blend path //../Secret/set.mp3", "blend path …/set.mp3"),
        ("see https://pypi.org/simple/torch/ for more", "see https://pypi.org/simple/torch/ for more"),
        ("https://eva:geheim@pypi.example/simple", "https://pypi.example/simple"),
        ("/tmp/housex-a81/render.blend", "…/render.blend"),
        ("12 / 40 bars and 3/4 time, 1/2", "12 / 40 bars and 3/4 time, 1/2"),
        ("MAX said max, not maximum", "<user> said <user>, not maximum"),
        ("/srv/O'Brien/set.flac", "…/set.flac"),
        ("", ""),
    ],
)  # fmt: skip
def test_examples(text: str, clean: str) -> None:
    assert without_private_paths(text, HOME, "max") == clean


def test_a_known_path_in_the_home_keeps_its_name_only() -> None:
    mix = "/home/max/Divorce Party/set.flac"
    text = f"{mix} and {mix.replace('set.flac', 'set.housex.json')} in /home/max/Divorce Party: no"
    assert without_private_paths(text, HOME, "max", [mix]) == "…/set.flac and …/set.housex.json in …: no"


def test_a_windows_home_however_it_is_written() -> None:
    home = r"C:\Users\Eva"
    for text in (r"C:\Users\Eva\x.py", "C:/Users/Eva/x.py", r"c:\\users\\eva\\x.py"):
        assert without_private_paths(text, home, "").replace("\\", "/").replace("//", "/") == "~/x.py"


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\n\r:", exclude_categories=["Cc", "Cs", "Zl", "Zp"]),
                min_size=4, max_size=12).map(lambda name: "q" + name.strip(" '\"(=,;<[") + "q")  # fmt: skip
FOLDERS = st.lists(NAMES, min_size=1, max_size=4)


@given(
    FOLDERS, NAMES, st.sampled_from(["/{}", "C:\\{}", "D:/{}", "\\\\nas\\{}", "//nas/{}", "file:///{}"]), st.booleans()
)
def test_no_folder_is_left(folders: list[str], name: str, form: str, doubled: bool) -> None:
    separator = "\\" if "\\" in form else "/"
    path = form.format(separator.join([*folders, "file.flac"]))
    if doubled:
        path = path.replace("\\", "\\\\")
    clean = without_private_paths(f"Reading {path} failed", "/home/" + name, name)
    assert clean.replace("file:…", "…") == "Reading …/file.flac failed"


@given(st.text(), st.text(max_size=20), st.text(max_size=8), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_is_survived_and_once_is_enough(text: str, home: str, user: str, paths: list[str]) -> None:
    without_private_paths(text, home, user, paths)
    clean = without_private_paths(text, HOME, "somebody")
    assert without_private_paths(clean, HOME, "somebody") == clean


@given(st.text(), FOLDERS)
def test_the_home_is_never_left(around: str, folders: list[str]) -> None:
    home = "/home/" + folders[0]
    text = f"{around} {home}/{'/'.join(folders[1:])} {around}"
    assert home + "/" not in without_private_paths(text, home, folders[0])
