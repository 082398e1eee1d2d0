"""The ribbon: where bars lie, what looks how, what the pointer selects, and that nothing is left behind. Zone: tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

bpy = pytest.importorskip("bpy")

from housex_blender.core.bars import BarGrid, frame_on  # noqa: E402
from housex_blender.core.looks import linear_to_srgb, load_palettes  # noqa: E402
from housex_blender.core.timeline import Timeline  # noqa: E402
from housex_blender.ui import ribbon_layout as layout  # noqa: E402
from housex_blender.ui import ribbon_picture as picture  # noqa: E402
from housex_blender.ui import ribbon_words as words  # noqa: E402
from housex_blender.ui.ribbon_layout import Span, View  # noqa: E402

from .ui_samples import sample_timeline  # noqa: E402

FPS = 24.0


@pytest.fixture
def timeline(mix: Path) -> Timeline:
    return sample_timeline(mix)


def made(timeline: Timeline, locked: object = None, fps: float = FPS) -> layout.Ribbon:
    colours = load_palettes("house").linear_rgb(timeline.model.genres)
    return layout.ribbon_of(timeline, np.zeros(timeline.grid.n_bars, bool) if locked is None else locked, colours, fps)


def whole(ribbon: layout.Ribbon, width_px: int = 1600) -> View:
    return View(float(ribbon.edges[0]), width_px / float(ribbon.edges[-1] - ribbon.edges[0]), width_px)


def band() -> layout.Band:
    found = layout.band_in(0.0, 300.0, 1.0, at_top=True)
    assert found is not None
    return found


def areas_in(quads: picture.Quads, rgba: tuple[float, ...]) -> np.ndarray:
    """(m, 4, 2) corners of the areas of one colour."""
    return quads.corners[np.all(np.abs(quads.rgba - np.asarray(rgba)) < 1e-6, axis=1)]


def long_ribbon(look: np.ndarray, **columns: np.ndarray) -> layout.Ribbon:
    """A ribbon of bars of two seconds in the looks given."""
    bars = len(look)
    edges = frame_on(np.arange(bars + 1) * 2.0, FPS)
    zeros = np.zeros(bars, bool)
    level = layout.Level(edges, look, columns.get("uncertain", zeros), columns.get("locked", zeros),
                          np.zeros(bars, np.int64), np.full(bars, 0.5))  # fmt: skip
    levels = [level, *(layout._grouped(level, 2**power) for power in range(1, 8))]
    colours = linear_to_srgb(np.linspace(0.1, 1.0, 18).reshape(2, 3, 3))
    return layout.Ribbon(edges, look, colours, tuple(levels), (), np.zeros(0))


# -- places ----------------------------------------------------------------------------------------------------


@given(
    left=st.floats(-1e5, 1e6),
    zoom=st.floats(1e-3, 200.0),
    x=st.floats(0.0, 4000.0),
)
def test_pixels_and_frames_are_inverse(left: float, zoom: float, x: float) -> None:
    view = View(left, zoom, 1600)
    assert float(view.x(view.frame(x))) == pytest.approx(x, abs=1e-3)


@given(bpm=st.floats(110.0, 135.0), fps=st.sampled_from([23.976, 24.0, 30.0, 60.0]), data=st.data())
def test_every_frame_of_a_bar_leads_back_to_it(bpm: float, fps: float, data: st.DataObject) -> None:
    grid = BarGrid.fixed(120.0, bpm)
    edges = frame_on(grid.edges_s, fps)
    ribbon = replace(long_ribbon(np.zeros(grid.n_bars, np.int64)), edges=edges)
    bar = data.draw(st.integers(0, grid.n_bars - 1))
    frame = data.draw(st.floats(edges[bar], edges[bar + 1], exclude_max=True))
    assert ribbon.bar_at(frame) == bar
    assert ribbon.nearest_line(edges[bar]) == bar


def test_outside_the_mix_there_is_no_bar(timeline: Timeline) -> None:
    ribbon = made(timeline)
    last = timeline.grid.n_bars - 1
    assert ribbon.edges[0] == 1.0
    assert ribbon.bar_at(0.999) is None
    assert ribbon.bar_at(1.0) == 0
    assert ribbon.bar_at(ribbon.edges[-1]) is None
    assert (ribbon.nearest_bar(-50.0), ribbon.nearest_bar(1e6)) == (0, last)


def test_a_grip_is_four_pixels_wide_and_the_first_track_has_none(timeline: Timeline) -> None:
    ribbon = made(timeline)
    view = whole(ribbon)
    x = float(view.x(ribbon.tracks[1].frame))
    grip = layout.GRIP_PX
    assert [layout.line_at(ribbon, view, x + away, grip) for away in (-4.1, -4.0, 0.0, 4.0, 4.1)] == [
        None,
        1,
        1,
        1,
        None,
    ]
    assert layout.line_at(ribbon, view, float(view.x(ribbon.tracks[0].frame)), grip) is None


@pytest.mark.parametrize("at_top", [True, False])
@pytest.mark.parametrize("scale", [1.0, 1.04, 2.0])
def test_rows_lie_inside_the_band_and_apart(at_top: bool, scale: float) -> None:
    for height, rows in ((300.0, 3), (62.0, 2), (40.0, 2), (26.0, 0)):
        found = layout.band_in(14.0 * scale, (14.0 + height) * scale, scale, at_top)
        if not rows:
            assert found is None
            continue
        assert found is not None
        assert (found.titles is None) == (rows == 2)
        edges = [found.bottom, *found.sections, *found.colours, *(found.titles or ()), found.top]
        assert edges == sorted(edges)
        assert all(high - low >= 4 for low, high in (found.sections, found.colours))
        assert abs((found.top if at_top else found.bottom) - (14.0 + height * at_top) * scale) <= 1
        assert (found.holds(found.bottom), found.holds(found.top)) == (True, False)


# -- looks -----------------------------------------------------------------------------------------------------


def test_stripes_have_the_colours_of_the_palette(timeline: Timeline) -> None:
    ribbon = made(timeline)
    view, half = whole(ribbon), timeline.grid.n_bars // 2
    quads = picture.picture(ribbon, view, band())
    low, high = band().colours
    for genre, first, end in ((0, 0, half), (1, half, timeline.grid.n_bars)):
        palette = load_palettes("house").linear_rgb(timeline.model.genres)[genre]
        stripes = [areas_in(quads, (*linear_to_srgb(rgb), 1.0)) for rgb in palette]
        # black, white and grey are used elsewhere too: look at what fills this row
        rows = [s[(s[:, 0, 1] >= low) & (s[:, 2, 1] <= high)] for s in stripes]
        wanted = np.round(view.x(ribbon.edges[[first, end]]))
        # both palettes have a purple: only what lies over these bars
        own = [area for stripe in rows for area in stripe if [area[0, 0], area[1, 0]] == wanted.tolist()]
        assert len(own) == 3
        assert sum(float(area[2, 1] - area[0, 1]) for area in own) == high - low


def test_bass_house_is_black_white_and_purple_as_drawn(timeline: Timeline) -> None:
    colours = made(timeline).colours_srgb[timeline.model.genres.index("Bass House")]
    assert np.any(np.all(colours < 0.01, axis=1))
    assert np.any(np.all(colours > 0.99, axis=1))
    assert np.allclose(made(timeline).colours_srgb[0][0], [0.0, 0.0, 1.0], atol=1e-6)


def test_an_uncertain_bar_keeps_the_colours_before_it_and_is_hatched(timeline: Timeline) -> None:
    probs = timeline.probs.copy()
    probs[1] = np.roll(probs[0], 5)
    doubtful = replace(timeline, probs=probs)
    assert doubtful.uncertain.tolist().index(True) == 1
    ribbon = made(doubtful)
    assert ribbon.look[1] == ribbon.look[0]
    view = whole(ribbon)
    quads = picture.picture(ribbon, view, band())
    lines = areas_in(quads, picture._HATCH_RGBA)
    left, right = np.round(view.x(ribbon.edges[1:3]))
    assert len(lines) > 5
    assert lines[:, :, 0].min() >= left
    assert lines[:, :, 0].max() <= right
    certain = made(replace(timeline, uncertain=np.zeros(timeline.grid.n_bars, bool)))
    assert len(areas_in(picture.picture(certain, view, band()), picture._HATCH_RGBA)) == 0


def test_hatching_scrolls_with_the_bars(timeline: Timeline) -> None:
    ribbon = made(timeline)
    view = whole(ribbon)
    moved = replace(view, left_frame=view.left_frame - 3.0 / view.px_per_frame)
    lines = [areas_in(picture.picture(ribbon, v, band()), picture._HATCH_RGBA) for v in (view, moved)]
    assert len(lines[0]) == len(lines[1])
    assert np.allclose(lines[1][:, :, 0] - lines[0][:, :, 0], 3.0, atol=0.01)


def test_a_lock_lies_over_the_locked_bars_alone(timeline: Timeline) -> None:
    locked = np.zeros(timeline.grid.n_bars, bool)
    locked[4:6] = True
    ribbon = made(timeline, locked)
    view, one = whole(ribbon), band()
    rim = areas_in(picture.picture(ribbon, view, one), (0.0, 0.0, 0.0, 0.8))
    over = [area for area in rim if area[2, 1] == one.colours[1]]
    assert [(area[0, 0], area[1, 0]) for area in over] == [tuple(np.round(view.x(ribbon.edges[[4, 6]])))]


def test_bars_of_one_look_are_one_area_and_narrow_ones_are_no_noise() -> None:
    calm = long_ribbon(np.repeat([0, 1], 960))
    alternating = long_ribbon(np.where(np.arange(1920) % 8 == 7, 1, 0))
    far = View(0.0, 1000 / (1920 * 48), 1000)  # half a pixel for each bar
    for ribbon, looks in ((calm, [0, 1]), (alternating, [0])):
        level = layout.level_in(ribbon, far)
        assert np.median(np.diff(level.edges)) * far.px_per_frame >= layout._LEAST_BAR_PX
        cuts = layout.runs(level.look)
        assert level.look[cuts[:-1]].tolist() == looks
    assert layout.level_in(alternating, View(0.0, 1.0, 1000)).look.tolist() == alternating.look.tolist()


def test_groups_do_not_depend_on_where_the_view_begins() -> None:
    ribbon = long_ribbon(np.random.default_rng(3).integers(0, 2, 1920))
    zoom = 1000 / (1920 * 48)
    still, moved = (layout.level_in(ribbon, View(left, zoom, 1000)) for left in (0.0, 1234.5))
    assert still is moved


@given(flags=st.lists(st.booleans(), min_size=1, max_size=60))
def test_marked_runs_cover_exactly_the_marked_bars(flags: list[bool]) -> None:
    x = np.arange(len(flags) + 1, dtype=float)
    covered = np.zeros(len(flags), bool)
    for left, right in layout.marked_runs(np.array(flags), x):
        assert not covered[int(left) : int(right)].any()
        covered[int(left) : int(right)] = True
    assert covered.tolist() == flags


@given(left=st.floats(-1e5, 2e5), zoom=st.floats(1e-3, 100.0))
def test_any_view_can_be_drawn(left: float, zoom: float) -> None:
    doubtful = np.arange(400) % 5 == 0
    ribbon = long_ribbon(np.arange(400) // 7 % 2, uncertain=doubtful, locked=doubtful)
    quads = picture.picture(ribbon, View(left, zoom, 900), band())
    assert np.isfinite(quads.corners).all()
    assert len(quads.corners) == len(quads.rgba) < 6000


# -- words -----------------------------------------------------------------------------------------------------


def width_of(text: str) -> float:
    return 6.0 * len(text)


def test_titles_stand_where_records_begin_and_numbers_do_not_cover_them(timeline: Timeline) -> None:
    first, second = timeline.tracks
    ribbon = made(replace(timeline, tracks=(replace(first, title="Sunrise"), second)))
    view = whole(ribbon)
    found = words.labels(ribbon, view, band(), width_of)
    titles = [word for word in found if word.rgba == words.TITLE_RGBA]
    assert [word.text for word in titles] == ["1  Sunrise", f"2  {second.label}"]
    assert titles[1].x == pytest.approx(float(view.x(ribbon.tracks[1].frame)) + 5)
    spans = sorted((word.x, word.x + width_of(word.text)) for word in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    numbers = {word.text: word.x for word in found if word.rgba == words.NUMBER_RGBA}
    assert numbers
    for text, x in numbers.items():
        assert ribbon.bar_at(view.frame(x)) == int(text) - 1


def test_a_record_that_began_earlier_keeps_its_name_at_the_edge(timeline: Timeline) -> None:
    ribbon = made(timeline)
    view = View(float(ribbon.edges[3]), 2.0, 400)
    found = words.labels(ribbon, view, band(), width_of)
    assert found[0] == words.Label(5.0, found[0].y, f"1  {timeline.tracks[0].label}", words.TITLE_RGBA)


@pytest.mark.parametrize(
    ("room", "text"), [(100, "Night Bus"), (54, "Night Bus"), (48, "Night B…"), (36, "Night…"), (23, "")]
)
def test_a_title_is_cut_to_its_room(room: float, text: str) -> None:
    assert words.fitted("Night Bus", room, width_of) == text


def test_the_tip_says_what_is_known(timeline: Timeline) -> None:
    locked = np.arange(timeline.grid.n_bars) == 1
    tip = words.tip_of(timeline, locked, made(timeline), 1)
    assert tip.head == "Bar 2 · intro · 128.0 BPM"
    assert [(share.name, f"{share.part:.0%}") for share in tip.shares] == [
        ("Future House", "84%"), ("Bass House", "2%"), ("Progressive House", "2%")]  # fmt: skip
    assert tip.notes == ("Uncertain, shown as Future House", "Locked", "Track 1: Future House")
    half = timeline.tracks[1].start_bar
    later = words.tip_of(timeline, locked, made(timeline), half)
    assert later.head.startswith(f"Bar {half + 1} · drop")
    assert later.notes == ("Track 2: Bass House",)


# -- the pointer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "bar", "anchor", "after"),
    [
        (None, 5, 5, (5, 6)),
        ((4, 8), 10, 4, (4, 11)),
        ((4, 8), 5, 4, (4, 6)),
        ((4, 8), 2, 7, (2, 8)),
    ],
)
def test_shift_extends(before: Span | None, bar: int, anchor: int, after: Span) -> None:
    assert layout.extended(before, bar) == (anchor, after)


class Hand:
    """A pointer over a region 800 pixels wide, without a window."""

    def __init__(self, scene: object, monkeypatch: pytest.MonkeyPatch) -> None:
        from housex_blender.ui import operators_ribbon, ribbon
        from housex_blender.ui.shown import shown

        what = shown(scene)
        assert what is not None
        ribbon_ = ribbon.ribbon_for(scene, what)
        self.place = ribbon.Place(scene, what, ribbon_, whole(ribbon_, 800), band())
        monkeypatch.setattr(operators_ribbon, "place_of", lambda _context: self.place)
        monkeypatch.setattr(operators_ribbon, "show_tip", lambda *_: None)
        quiet = SimpleNamespace(windows=[], modal_handler_add=lambda _operator: True)
        cursor = SimpleNamespace(cursor_modal_set=lambda _name: None, cursor_modal_restore=lambda: None)
        region = SimpleNamespace(width=800, as_pointer=lambda: 1)
        self.context = SimpleNamespace(window_manager=quiet, window=cursor, region=region, scene=scene)
        # what the operator keeps between two events, without Blender's own half of it
        own = vars(operators_ribbon.HOUSEX_OT_ribbon)
        self.operator = type("Hand", (), {k: v for k, v in own.items() if not k.startswith("__")})()

    def event(self, bar: float, kind: str, value: str, shift: bool, y: float | None = None) -> SimpleNamespace:
        edges = self.place.ribbon.edges
        x = float(self.place.view.x(np.interp(bar, np.arange(len(edges)), edges)))
        y = self.place.band.bottom + 3 if y is None else y
        return SimpleNamespace(
            mouse_region_x=round(x), mouse_region_y=y, type=kind, value=value, shift=shift, ctrl=False
        )

    def press(self, bar: float, shift: bool = False, value: str = "PRESS", y: float | None = None) -> set[str]:
        return self.operator.invoke(self.context, self.event(bar, "LEFTMOUSE", value, shift, y))

    def move(self, bar: float) -> set[str]:
        return self.operator.modal(self.context, self.event(bar, "MOUSEMOVE", "NOTHING", False))

    def release(self, bar: float, shift: bool = False) -> set[str]:
        return self.operator.modal(self.context, self.event(bar, "LEFTMOUSE", "RELEASE", shift))

    def click(self, bar: float, shift: bool = False) -> None:
        self.press(bar, shift)
        self.release(bar, shift)

    @property
    def selected(self) -> Span | None:
        from housex_blender.ui.selection import selected

        return selected(self.place.scene, self.place.what)


@pytest.fixture
def hand(loaded, scene, monkeypatch) -> Hand:
    return Hand(scene, monkeypatch)


@pytest.mark.parametrize(("begin", "end"), [(2.5, 5.5), (5.5, 2.5)])
def test_a_drag_selects_in_both_directions(hand: Hand, begin: float, end: float) -> None:
    assert hand.press(begin) == {"RUNNING_MODAL"}
    hand.move((begin + end) / 2)
    hand.move(end)
    assert hand.release(end) == {"FINISHED"}
    assert hand.selected == (2, 6)


def test_esc_takes_a_drag_back(hand: Hand) -> None:
    hand.click(9.5)
    hand.press(2.5)
    hand.move(5.5)
    assert hand.selected == (2, 6)
    assert hand.operator.modal(hand.context, hand.event(5.5, "ESC", "PRESS", False)) == {"CANCELLED"}
    assert hand.selected == (9, 10)


def test_a_second_click_clears_and_shift_extends(hand: Hand) -> None:
    hand.click(3.5)
    assert hand.selected == (3, 4)
    hand.click(5.5, shift=True)
    assert hand.selected == (3, 6)
    hand.click(3.5)
    assert hand.selected == (3, 4), "one of several is selected alone"
    hand.click(3.5)
    assert hand.selected is None


def test_a_double_click_jumps_to_the_bar(hand: Hand, scene) -> None:
    scene.render.fps = 24
    assert hand.press(4.5, value="DOUBLE_CLICK") == {"FINISHED"}
    assert scene.frame_current == int(frame_on(hand.place.what.timeline.grid.starts_s[4], 24.0))


def test_what_is_not_over_the_ribbon_goes_to_blender(hand: Hand) -> None:
    hand.click(3.5)
    for y in (hand.place.band.bottom - 1, hand.place.band.top):
        assert hand.press(6.5, y=y) == {"PASS_THROUGH"}
    assert hand.selected == (3, 4)


def test_a_track_change_is_dragged_to_a_bar_line(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        type(hand.operator), "_move", lambda _self, _place, track, bar: asked.append((track, bar)) or {"FINISHED"}
    )
    start = hand.place.what.timeline.tracks[1].start_bar
    hand.press(start)
    hand.move(start + 2.2)
    hand.release(start + 2.2)
    hand.press(start)
    hand.move(-3.0)
    hand.release(-3.0)
    assert asked == [(1, start + 2), (1, 1)], "the track before keeps a bar"
    assert hand.selected is None


# -- registering -----------------------------------------------------------------------------------------------


def test_the_layout_is_kept_until_something_changes(loaded, scene) -> None:
    from housex_blender.ui.ribbon import ribbon_for
    from housex_blender.ui.shown import shown

    what = shown(scene)
    first = ribbon_for(scene, what)
    assert ribbon_for(scene, what) is first
    scene.housex.colours[what.timeline.model.genres[0]].colour_a = (0.5, 0.25, 0.125)
    recoloured = ribbon_for(scene, what)
    assert np.allclose(recoloured.colours_srgb[0][0], linear_to_srgb([0.5, 0.25, 0.125]), atol=1e-6)
    scene.render.fps = 60
    assert ribbon_for(scene, what).edges[-1] > 2 * recoloured.edges[-1]


def test_a_failure_while_drawing_turns_the_ribbon_off_once(loaded, scene, monkeypatch) -> None:
    from housex_blender.ui import ribbon

    calls: list[int] = []

    def broken(_context: object) -> None:
        calls.append(1)
        raise ValueError("no")

    monkeypatch.setattr(ribbon, "place_of", broken)
    ribbon.draw()
    ribbon.draw()
    assert len(calls) == 1
    assert "ValueError: no" in ribbon.STATE.problem
    bpy.app.timers.unregister(ribbon._say_problem)
    bpy.context.window_manager.housex_ribbon = True
    assert ribbon.STATE.problem == ""


def test_registering_twice_leaves_nothing(addon) -> None:
    from housex_blender.ui import operators_ribbon, ribbon

    def entries() -> int:
        menus = [getattr(bpy.types, name) for name in ribbon._MENUS]
        return sum(f is ribbon._draw_switch for menu in menus for f in menu._dyn_ui_initialize())

    assert entries() == len(ribbon._MENUS)
    for _ in range(2):
        addon.unregister()
        assert entries() == 0
        assert not hasattr(bpy.types.WindowManager, "housex_ribbon")
        assert not hasattr(bpy.types, "HOUSEX_MT_ribbon")
        assert not operators_ribbon._added
        assert not ribbon.STATE.handles
        addon.register()
    assert entries() == len(ribbon._MENUS)
    assert bpy.context.window_manager.housex_ribbon
