"""Corruptions and transitions of bar pictures while training: what they claim to do is measured."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from trainer import augment  # noqa: E402
from trainer.augment import CENTRES_HZ, corrupt, exchange_timbre, splice  # noqa: E402


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dice(seed: int = 0) -> augment._Dice:
    return augment._Dice(seeded(seed), torch.device("cpu"))


def sequences(count: int, bars: int, seed: int = 0) -> torch.Tensor:
    """Pictures with a beat, so that time matters."""
    x = 0.6 * torch.rand(count, bars, 128, 64, generator=seeded(seed))
    x[..., ::16] += 0.4
    return x


@pytest.mark.parametrize("shape", [(6, 16), (32, 1), (1, 8), (2, 3)])
def test_corruption_changes_bars_but_not_their_range(shape: tuple[int, int]) -> None:
    x = sequences(*shape)
    before = x.clone()
    bad = corrupt(x, seeded(1))
    assert torch.equal(x, before), "the given pictures stay"
    assert bad.shape == x.shape
    assert torch.isfinite(bad).all()
    assert float(bad.min()) >= 0
    assert float(bad.max()) <= 1
    assert torch.equal(bad, corrupt(x, seeded(1))), "seeded"
    assert not torch.equal(bad, corrupt(x, seeded(2)))


def test_some_sequences_stay_clean_and_silence_gets_noise_at_most() -> None:
    x = sequences(200, 2)
    bad = corrupt(x, seeded())
    same = (bad == x).flatten(1).all(1)
    # a quarter, give or take
    assert 30 <= int(same.sum()) <= 70
    assert float((bad - x)[~same].abs().mean()) > 0.02
    silent = corrupt(torch.zeros(32, 4, 128, 64), seeded())
    assert float(silent.max()) < 0.9
    assert int((silent.flatten(1).amax(1) == 0).sum()) >= 8


def test_power_and_pictures_are_inverse() -> None:
    x = torch.linspace(0, 1, 101)
    assert torch.allclose(augment._pictures(augment._power(x)), x, atol=1e-5)
    assert float(augment._power(torch.zeros(1))) == 0


def test_bars_move_into_their_neighbours() -> None:
    x = torch.arange(5 * 64.0).view(1, 5, 1, 64).expand(40, 5, 2, 64)
    joined = augment._moved(x, dice()).permute(0, 2, 1, 3).reshape(40, 2, -1)
    shifts = (-joined[:, 0, 0]).remainder(5 * 64)
    for row, shift in zip(joined, shifts.tolist(), strict=True):
        assert torch.equal(row[0], torch.arange(5 * 64.0).roll(int(shift)))
    offsets = {int((shift + 160) % 320 - 160) for shift in shifts.tolist()}
    assert any(0 < abs(offset) <= 8 for offset in offsets)
    assert offsets <= {*range(-8, 9), -32, -16, 16, 32}


def test_pitch_moves_above_the_kick_only() -> None:
    x = torch.zeros(24, 1, 128, 64)
    x[:, :, 3], x[:, :, 90] = 1.0, 1.0
    moved = augment._transposed(x, dice())
    assert torch.equal(moved[:, :, :6], x[:, :, :6])
    peaks = moved[:, 0, 40:, 0].argmax(1) + 40 - 90
    assert set(peaks.tolist()) == {-3, -2, -1, 1, 2, 3}


def test_sweep_takes_away_highs_or_lows_for_some_bars() -> None:
    before = augment._power(torch.ones(60, 32, 128, 64))
    gains_db = 10 * torch.log10(augment._swept(before.clone(), dice()) / before)
    assert float(gains_db.max()) < 1e-3
    ends = gains_db.amin(3)
    lows, highs = ends[..., :2].amin((1, 2)) < -6, ends[..., -10:].amin((1, 2)) < -3
    assert bool((lows ^ highs).sum() > 45)
    assert not bool((lows & highs).any())
    touched = (gains_db < -1).any(3).any(2).sum(1)
    assert int(touched.max()) <= 17, "at most 16 bars and a broken one"
    assert float(gains_db[:, :, 127].min()) < -20


def test_reverb_leaves_a_falling_tail_over_the_bar_line() -> None:
    power = torch.zeros(12, 3, 128, 64)
    power[:, 0, 5, 60] = 1e6
    wet = augment._smeared(power, dice())
    assert torch.equal(wet[:, 0, :, :61], power[:, 0, :, :61]), "nothing before its cause"
    tail = torch.cat([wet[:, 0, 5, 61:], wet[:, 1, 5]], 1)
    assert bool((tail > 0).all())
    assert bool((tail[:, 1:] < tail[:, :-1]).all())
    # one law on both sides of the bar line
    steps = (tail[:, 1:40] / tail[:, :39]).log()
    assert torch.allclose(steps, steps[:, :1].expand_as(steps), rtol=0.01)
    wet_db = 10 * torch.log10((wet - power).sum((1, 2, 3)) / 1e6)
    assert bool((wet_db < -2.9).all())
    assert float(wet_db.min()) > -22
    assert float(wet[:, :, torch.arange(128) != 5].abs().max()) == 0


def test_noise_is_steady_and_low() -> None:
    level = augment._pictures(augment._noise(30, torch.zeros(1, 9, 128, 64), dice()))
    means = level.mean((1, 2, 3))
    assert 0.0 < float(means.min()) < 0.2
    assert 0.3 < float(means.max()) < 0.65
    assert float(level.mean((2, 3)).std(1).max()) < 0.02


def halves(count: int, bars: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tracks that each light a row among the lows and one among the highs, with labels of their own."""
    x = torch.zeros(count, bars, 128, 64)
    for which in range(count):
        x[which, :, which] = 0.9
        x[which, :, 100 + which] = 0.9
    probs = torch.eye(9)[:count, None].expand(count, bars, 9).clone()
    attributes = torch.arange(float(count))[:, None, None].expand(count, bars, 7).clone()
    return x, probs, attributes


def test_splice_hands_over_where_the_dominant_track_changes() -> None:
    x, probs, attributes = halves(6, 32)
    before = x.clone()
    seen_swap = seen_plain = seen_cut = 0
    for seed in range(12):
        mixed, labels, scores, handover, weight = splice(x, probs, attributes, seeded(seed), share=1.0)
        assert torch.allclose(labels.sum(2), torch.ones(6, 32), atol=1e-5)
        assert handover.sum(1).tolist() == [1.0] * 6
        for which in range(6):
            change = int(handover[which].argmax())
            assert 4 <= change <= 28
            who = scores[which, :, 0].long()
            new = int(who[-1])
            assert new != which
            assert who.tolist() == [which] * change + [new] * (32 - change)
            assert labels[which, :, :6].argmax(1).tolist() == who.tolist()
            inside = (labels[which].amax(1) < 0.9999).float()
            assert torch.equal(weight[which], 1 - 0.5 * inside)
            highs, lows = mixed[which, :, 100:106, 0], mixed[which, :, :6, 0]
            assert highs.argmax(1)[inside == 0].tolist() == who[inside == 0].tolist()
            if not inside.any():
                seen_cut += 1
            elif float(lows[change - 1, new]) < 0.5:
                # the old lows are as loud as ever up to the hand-over and gone from there on
                assert bool((lows[:change, which] > 0.89).all())
                assert bool((lows[change:, which] < 0.5).all())
                assert bool((lows[change:, new] > 0.8).all())
                seen_swap += 1
            else:
                seen_plain += 1
    assert min(seen_swap, seen_plain, seen_cut) > 5
    assert torch.equal(x, before)


def test_splice_crosses_with_equal_power() -> None:
    x = torch.full((8, 32, 128, 64), 0.5)
    x[0] = 0.2
    probs = torch.full((8, 32, 9), 1 / 9)
    probs[0] = torch.eye(9)[0]
    for seed in range(6):
        mixed, labels, _, _, weight = splice(x, probs, torch.zeros(8, 32, 7), seeded(seed), share=1.0)
        assert torch.allclose(labels.sum(2), torch.ones(8, 32), atol=1e-5)
        # two equal tracks, one up to 3 dB apart, faders perhaps both up: never more than 3 + 3 dB above
        assert float(mixed.max()) < 0.5 + 6.1 / 60
        outside = mixed[(weight == 1) & (labels[..., 0] < 0.5)]
        assert float((outside - 0.5).abs().max()) < 3.1 / 60


def test_splice_keeps_the_unknown_apart() -> None:
    x, probs, attributes = halves(4, 16)
    attributes[1] = float("nan")
    attributes[:, :, 4] = float("nan")
    probs[2] = float("nan")
    for seed in range(8):
        mixed, labels, scores, handover, weight = splice(x, probs, attributes, seeded(seed), share=1.0)
        assert torch.isfinite(mixed).all()
        assert torch.isfinite(weight).all()
        assert scores[..., 4].isnan().all()
        for which in (0, 3):
            change = int(handover[which].argmax())
            assert torch.equal(scores[which, :change, 0], torch.full((change,), float(which)))
            start = int((weight[which] < 1).float().argmax()) if bool((weight[which] < 1).any()) else change
            assert torch.isfinite(labels[which, :start]).all()


def test_splice_leaves_the_rest_alone_and_is_seeded() -> None:
    x, probs, attributes = sequences(8, 16), torch.rand(8, 16, 9), torch.rand(8, 16, 7)
    first, again = (splice(x, probs, attributes, seeded(3), share=0.4) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a, b)
    plain = first[3].sum(1) == 0
    assert 0 < int(plain.sum()) < 8
    assert torch.equal(first[0][plain], x[plain])
    assert torch.equal(first[1][plain], probs[plain])
    assert bool((first[4][plain] == 1).all())
    for alone in (x[:1], x[:, :1]):
        given = (alone, probs[: len(alone), : alone.shape[1]], attributes[: len(alone), : alone.shape[1]])
        out = splice(*given, seeded(), share=1.0)
        assert torch.equal(out[0], alone)
        assert float(out[3].sum()) == 0


@pytest.mark.parametrize("stage", [augment._smeared, augment._swept])
def test_stages_never_make_power_negative(stage: Callable[..., torch.Tensor]) -> None:
    assert float(stage(augment._power(sequences(4, 8)), dice()).min()) >= 0


def test_mel_centres_rise_over_the_band() -> None:
    assert CENTRES_HZ.shape == (128,)
    assert bool((CENTRES_HZ.diff() > 0).all())
    assert 15 < float(CENTRES_HZ[0]) < 45
    assert 10_000 < float(CENTRES_HZ[-1]) < 11_025


def test_borrowed_timbre_moves_the_means_of_bands_towards_another_sequence_and_keeps_the_music() -> None:
    x = 0.3 + 0.05 * torch.rand(64, 4, 128, 64, generator=seeded())
    x[..., ::16] += 0.1
    # the odd ones are bright, the even ones dull
    tilt = torch.linspace(-0.2, 0.2, 128)[:, None]
    x[::2] -= tilt
    x[1::2] += tilt
    lent = exchange_timbre(x, seeded(1), share=1.0)
    slope = (lent.mean((1, 3)) * torch.linspace(-1, 1, 128)).sum(1)
    before = (x.mean((1, 3)) * torch.linspace(-1, 1, 128)).sum(1)
    assert float(slope.abs().max()) <= float(before.abs().max()) + 0.1, "between two that exist"
    moved = (slope - before).abs() > 0.5 * before.abs()
    assert 8 <= int(moved.sum()) <= 48, "about half borrow from the other kind, some of them little"
    beat, rest = lent[..., ::16].mean(-1), lent[..., 8::16].mean(-1)
    assert float((beat - rest).mean()) == pytest.approx(0.1, abs=0.02), "the beat stays"
    assert torch.equal(exchange_timbre(x, seeded(1), share=0.0), x)
    assert torch.equal(exchange_timbre(x[:1], seeded(1), share=1.0), x[:1]), "nobody to borrow from"
    silent = torch.zeros(4, 2, 128, 64)
    assert torch.equal(exchange_timbre(silent, seeded(), share=1.0), silent)
