"""A third, small set of house tracks made of sounds no other generator here uses, only for reporting. Zone: trainer.

Nothing is trained or tuned on it, so it imports neither of the other generators: own drums, harmonies, bass lines,
sections, side-chain and mix, and every sound comes from these packages of a Debian system.

Sources and their licences, as /usr/share/doc/PACKAGE/copyright gives them:
    lmms-common: /usr/share/lmms/samples (drums, basses, pads, instruments, effects, single-cycle waves). GPL-2+ for the
        whole package; Debian notes upstream's issue 2752 about parts that may not be.
    csound-soundfont: sf_GMbank.sf2, a General MIDI bank. Public domain by the field in the file.
    avldrums.lv2-soundfont: Red_Zeppelin_4_LV2.sf2, an acoustic kit by Glen MacArthur. CC-BY-SA-3.0.
    freepats: GUS patches, Free Software Foundation 2004. GPL-2+ with an exception: compositions made with them are
        not covered.
    espeak-ng: the program that speaks the vocal samples. GPL-3+; its output is not covered.
    fluidsynth: the program that plays the sound fonts. LGPL-2.1+.

The rendered tracks are not shipped: whoever wants the set renders it again from a genre and a seed.
"""

from trainer.third.render import SEEDS, render_third_track

__all__ = ["SEEDS", "render_third_track"]
