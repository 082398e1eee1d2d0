"""German words, by the context in which Blender asks for them: see :mod:`.translations`. Zone: ui; data."""

WORDS: dict[str, dict[str, str]] = {
    "HouseX": {
        "Wide": "Breit",
        "Vertical": "Hochkant",
        "Transparent": "Transparent",
        "Titles": "Titel",
        "Square": "Quadratisch",
        "Format": "Format",
        "As Below": "Wie unten",
        "Accent": "Akzent",
        "Acid": "Acid",
        "Attack": "Attack",
        "Bars": "Takte",
        "Bass": "Bass",
        "Beats": "Beats",
        "Break": "Break",
        "Build": "Aufbau",
        "Camera": "Kamera",
        "Channel": "Kanal",
        "Character": "Charakter",
        "Clear": "Klar",
        "Colors": "Farben",
        "Color A": "Farbe A",
        "Color B": "Farbe B",
        "Color C": "Farbe C",
        "Correction": "Korrektur",
        "Displacement": "Verschiebung",
        "Double": "Verdoppeln",
        "Drift": "Drift",
        "Drop": "Drop",
        "Dusk": "Dämmerung",
        "Ember": "Glut",
        "Energy": "Energie",
        "Fill": "Aufhellung",
        "Film": "Film",
        "From": "Von",
        "Genre": "Genre",
        "Grid": "Raster",
        "Halve": "Halbieren",
        "High": "Höhen",
        "Ice": "Eis",
        "Import and Export": "Import und Export",
        "Intro": "Intro",
        "Key": "Führung",
        "Kick": "Kick",
        "Light A": "Licht A",
        "Light B": "Licht B",
        "Light C": "Licht C",
        "Looks": "Looks",
        "Loudness": "Lautheit",
        "Mid": "Mitten",
        "Mix": "Mix",
        "Mono": "Mono",
        "My Colors": "Meine Farben",
        "Narrow": "Enge",
        "Nudge": "Schieben",
        "Open": "Weite",
        "Outro": "Outro",
        "Palette": "Palette",
        "Pulse": "Puls",
        "Pulse At": "Ort des Pulses",
        "Release": "Release",
        "Restless": "Rastlos",
        "Ribs": "Rippen",
        "Ripple": "Kräuselung",
        "Roll": "Rollen",
        "Section": "Abschnitt",
        "Shards": "Splitter",
        "Shock": "Druckwelle",
        "Show": "Show",
        "Slabs": "Platten",
        "Smooth": "Fließend",
        "Speed": "Geschwindigkeit",
        "Steady": "Ruhig",
        "Sub": "Subbass",
        "Swell": "Wogen",
        "To": "Bis",
        "Track": "Track",
        "Tracks": "Tracks",
        "Travel": "Weg",
        "Your Own Scene": "Eigene Szene",
        "Zoom": "Zoom",
        "to": "bis",
    },
    "Operator": {
        "Analyze Mix": "Mix analysieren",
        "Bake": "Backen",
        "Build Show": "Show aufbauen",
        "Cancel": "Abbrechen",
        "Check Engine": "Engine prüfen",
        "Change Drive": "Steuerung ändern",
        "Choose Mix": "Mix wählen",
        "Clear": "Entfernen",
        "Click Track": "Klickspur",
        "Copy Error": "Fehler kopieren",
        "Correct Grid": "Raster korrigieren",
        "Details…": "Details…",
        "Double": "Verdoppeln",
        "Drive by Mix": "Vom Mix steuern",
        "Export Timing": "Timing exportieren",
        "Find Mix": "Mix suchen",
        "From a File…": "Aus Datei…",
        "Halve": "Halbieren",
        "Import Timing": "Timing importieren",
        "Join with Previous": "Mit vorigem verbinden",
        "Leave the Ribbon": "Band verlassen",
        "Let Go": "Loslassen",
        "Load Look": "Look laden",
        "Load Timeline": "Zeitleiste laden",
        "Lock": "Sperren",
        "Look at the Ribbon": "Band ansehen",
        "Mix from Strip": "Mix aus Streifen",
        "Move Track Change": "Trackwechsel verschieben",
        "Move Track Change Here": "Trackwechsel hierher verschieben",
        "New Track Here": "Neuer Track hier",
        "Next Doubtful Bar": "Nächster unsicherer Takt",
        "Place at Every Drop": "An jedem Drop platzieren",
        "Remove": "Entfernen",
        "Remove GPU Engine": "GPU-Engine entfernen",
        "Render": "Rendern",
        "Reset Defaults": "Vorgaben zurücksetzen",
        "Ribbon Menu": "Menü des Bandes",
        "Save Look": "Look speichern",
        "Save…": "Speichern…",
        "Select Bars": "Takte auswählen",
        "Select Bars in the Ribbon": "Takte im Band auswählen",
        "Select None in the Ribbon": "Im Band nichts auswählen",
        "Set Genre": "Genre setzen",
        "Set Section": "Abschnitt setzen",
        "Set Up GPU Engine": "GPU-Engine einrichten",
        "Surprise Me": "Überrasch mich",
        "Take Those of This Scene": "Die dieser Szene übernehmen",
        "Tap": "Tippen",
        "Try the Demo Mix": "Demo-Mix ausprobieren",
        "Undo Last": "Letzte zurücknehmen",
        "Unlock": "Entsperren",
        "Use Taps": "Tippen anwenden",
        "Use for New Scenes": "Für neue Szenen verwenden",
    },
    "*": {
        # names of properties and their choices
        "1 Bar": "1 Takt",
        "16 Bars": "16 Takte",
        "4 Bars": "4 Takte",
        "8 Bars": "8 Takte",
        "Action": "Aktion",
        "All": "Alle",
        "Allow Flashes": "Blitze erlauben",
        "Analysis": "Analyse",
        "Attack (ms)": "Attack (ms)",
        "Automatic": "Automatisch",
        "BPM (0 = by ear)": "BPM (0 = nach Gehör)",
        "Bake at Once": "Sofort backen",
        "Build When Done": "Danach aufbauen",
        "Colors": "Farben",
        "Device": "Gerät",
        "Displacement": "Verschiebung",
        "Draft": "Entwurf",
        "End": "Ende",
        "Engine": "Engine",
        "Engine Python": "Python der Engine",
        "Export Timing": "Timing exportieren",
        "Film": "Film",
        "Final": "Endergebnis",
        "First Bar": "Erster Takt",
        "Format": "Format",
        "Frame Start": "Einzelbild-Start",
        "From Here On": "Ab hier",
        "HouseX Bars": "HouseX-Takte",
        "HouseX Ribbon": "HouseX-Band",
        "Intensity": "Intensität",
        "Keep Frames": "Einzelbilder behalten",
        "Lagoon": "Lagune",
        "Last Bar": "Letzter Takt",
        "Length": "Länge",
        "Model Folder": "Modellordner",
        "My Own Scene": "Meine eigene Szene",
        "Name": "Name",
        "None": "Keine",
        "Nothing": "Nichts",
        "Object": "Objekt",
        "Set Section": "Abschnitt setzen",
        "Preview": "Vorschau",
        "Quality": "Qualität",
        "Release (ms)": "Release (ms)",
        "Render": "Rendern",
        "Resolution X": "Auflösung X",
        "Resume": "Fortsetzen",
        "Scene": "Szene",
        "Scene of Its Own": "In eigener Szene",
        "Seed": "Startwert",
        "Set Genre": "Genre setzen",
        "Speed": "Geschwindigkeit",
        "Stage": "Bühne",
        "This Section": "Dieser Abschnitt",
        "This Track": "Dieser Track",
        "Timeline": "Zeitleiste",
        "To Bar": "Zu Takt",
        "Tunnel": "Tunnel",
        "What": "Was",
        "Whole Drop": "Ganzer Drop",
        # what stands in panels and dialogs
        "A Python environment is made in the extension's folder for user files:":
            "Im Ordner der Erweiterung für Benutzerdateien wird eine Python-Umgebung angelegt:",
        "A recorded mix": "Ein aufgenommener Mix",
        "An action of yours at every drop:": "Eine eigene Aktion an jedem Drop:",
        "From the current frame on:": "Ab dem aktuellen Einzelbild:",
        "New scenes begin as shipped": "Neue Szenen beginnen wie ausgeliefert",
        "New scenes begin with settings of yours": "Neue Szenen beginnen mit eigenen Einstellungen",
        "None selected: the current bar": "Keine Auswahl: der aktuelle Takt",
        "Nothing else is downloaded and nothing is sent. It takes minutes; you can go on working.":
            "Sonst wird nichts geladen und nichts gesendet. Es dauert Minuten; weiterarbeiten ist möglich.",
        "Nudge by beats, from there on:": "Um Beats verschieben, ab dort:",
        "Right-click any property and choose Drive by Mix":
            "Eine Eigenschaft rechts anklicken und Vom Mix steuern wählen",
        "Tempo by hand, while it plays:": "Tempo von Hand, während der Wiedergabe:",
        "They come from the Python package index (pypi.org) or from pytorch.org, as set under Torch.":
            "Sie kommen vom Python-Paketindex (pypi.org) oder von pytorch.org, wie unter Torch eingestellt.",
        "torch and the libraries of the analysis are downloaded into it: 1 to 3 GB, 3 to 6 GB on disk.":
            "torch und die Bibliotheken der Analyse werden hineingeladen: 1 bis 3 GB, auf der Platte 3 bis 6 GB.",
        # tooltips: the mix and its timeline
        "Add a muted sound strip with a click on every beat: unmute it to hear whether the beats are right":
            "Einen stummen Tonstreifen mit einem Klick auf jedem Beat anlegen: eingeschaltet lässt er hören, ob die "
            "Beats stimmen",
        "Build the show as soon as the mix has been analyzed": "Die Show aufbauen, sobald der Mix analysiert ist",
        "Choose the recorded mix": "Den aufgenommenen Mix wählen",
        "Hear beats, bars, structure and sub-genre of the whole mix; asks for the mix if none is chosen":
            "Beats, Takte, Aufbau und Subgenre des ganzen Mixes heraushören; fragt nach dem Mix, wenn keiner gewählt "
            "ist",
        "Load what was heard in a mix before, from a .housex.json file":
            "Laden, was in einem Mix schon gehört wurde, aus einer .housex.json-Datei",
        "Stop what is running; nothing half-finished is kept":
            "Anhalten, was läuft; nichts halb Fertiges bleibt zurück",
        "Take the demo mix that came along with what was heard in it, and build its show":
            "Den mitgelieferten Demo-Mix mit dem darin Gehörten nehmen und seine Show aufbauen",
        "Take the sound of the active strip in the Sequencer as the mix":
            "Den Ton des aktiven Streifens im Sequenzer als Mix nehmen",
        "Tempo of the mix, if you know it and it was heard wrong; analyze again to use it":
            "Tempo des Mixes, wenn es bekannt ist und falsch gehört wurde; gilt ab der nächsten Analyse",
        "The mix was moved: say where it is now": "Der Mix wurde verschoben: angeben, wo er jetzt liegt",
        "The recorded mix: wav, aiff, flac, ogg, opus, mp3, m4a and more":
            "Der aufgenommene Mix: wav, aiff, flac, ogg, opus, mp3, m4a und mehr",
        "What was heard in the mix: the .housex.json file that Analyze Mix wrote or that you loaded":
            "Was im Mix gehört wurde: die .housex.json-Datei, von Mix analysieren geschrieben oder selbst geladen",
        # tooltips: corrections
        "All bars from the current frame on": "Alle Takte ab dem aktuellen Einzelbild",
        "All bars of the mix": "Alle Takte des Mixes",
        "Bar, counted from 1; 0 for the current": "Takt, gezählt ab 1; 0 für den aktuellen",
        "Begin a new track at the current bar": "Beim aktuellen Takt einen neuen Track beginnen",
        "Correct beats and bars from the current frame on; kept in the timeline file":
            "Beats und Takte ab dem aktuellen Einzelbild korrigieren; bleibt in der Zeitleisten-Datei",
        "First of the selected bars, counted from 1; 0 for none":
            "Der erste der ausgewählten Takte, gezählt ab 1; 0 für keinen",
        "Forget what was set for the selected bars; they are again as they were heard. Locked bars stay":
            "Vergessen, was für die ausgewählten Takte gesetzt wurde; sie sind wieder wie gehört. Gesperrte Takte "
            "bleiben",
        "Go to the next bars of which the analysis is not sure, and select them":
            "Zu den nächsten Takten gehen, bei denen die Analyse nicht sicher ist, und sie auswählen",
        "Half as many beats from the current frame on": "Halb so viele Beats ab dem aktuellen Einzelbild",
        "Hide the tooltip when the pointer has left the editor":
            "Den Tooltip ausblenden, wenn der Mauszeiger den Editor verlassen hat",
        "How far to nudge, in halves of a beat": "Wie weit verschoben wird, in halben Beats",
        "Keep the selected bars as they are now, whatever is heard or corrected later":
            "Die ausgewählten Takte so lassen, wie sie jetzt sind, was auch später gehört oder korrigiert wird",
        "Last of the selected bars": "Der letzte der ausgewählten Takte",
        "Lay bars in the tempo of the taps, from the first tap on":
            "Takte im getippten Tempo anlegen, ab dem ersten Tippen",
        "Let corrections and new analyses change the selected bars again":
            "Korrekturen und neue Analysen dürfen die ausgewählten Takte wieder ändern",
        "Make the track at the current bar one with the track before it":
            "Den Track beim aktuellen Takt mit dem Track davor verbinden",
        "Move a track change to another bar: the start of the track at the current frame, or of a given one":
            "Einen Trackwechsel auf einen anderen Takt schieben: den Beginn des Tracks beim aktuellen Einzelbild oder"
            " eines bestimmten",
        "Move the bars from the current frame on": "Die Takte ab dem aktuellen Einzelbild verschieben",
        "No bars": "Keine Takte",
        "Number of the track; 0 for the nearest": "Nummer des Tracks; 0 für den nächstgelegenen",
        "Open the menu of the bar under the pointer": "Das Menü des Taktes unter dem Mauszeiger öffnen",
        "Part of a track": "Teil eines Tracks",
        "Say which part of its track the selected bars are":
            "Angeben, welcher Teil ihres Tracks die ausgewählten Takte sind",
        "Say which sub-genre the selected bars are; kept through every new analysis":
            "Angeben, welches Subgenre die ausgewählten Takte sind; bleibt über jede neue Analyse erhalten",
        "Select bars: drag over them, Shift extends. Drag the start of a track to move it":
            "Takte auswählen: darüber ziehen, Umschalt erweitert. Den Beginn eines Tracks ziehen, um ihn zu "
            "verschieben",
        "Select no bar": "Keinen Takt auswählen",
        "Select the bars of the track or the section at the current frame, from here on, all, or none":
            "Die Takte des Tracks oder des Abschnitts beim aktuellen Einzelbild auswählen, alle ab hier, alle oder "
            "keine",
        "Show the bars of the mix in their colors along the time":
            "Die Takte des Mixes in ihren Farben entlang der Zeit zeigen",
        "Show what is known about the bar under the pointer":
            "Zeigen, was über den Takt unter dem Mauszeiger bekannt ist",
        "Sub-genre of the bars": "Subgenre der Takte",
        "Take all corrections of the grid out of the timeline file":
            "Alle Korrekturen des Rasters aus der Zeitleisten-Datei nehmen",
        "Take the last correction out of the timeline, in whichever session it was made":
            "Die letzte Korrektur aus der Zeitleiste nehmen, in welcher Sitzung sie auch gemacht wurde",
        "Tap on every beat while the animation plays, the first time on the one of a bar":
            "Während der Wiedergabe auf jeden Beat tippen, das erste Mal auf die Eins eines Taktes",
        "The bars belong to the break": "Die Takte gehören zu einem Break",
        "The bars belong to the build": "Die Takte gehören zu einem Aufbau",
        "The bars belong to the drop": "Die Takte gehören zu einem Drop",
        "The bars belong to the intro": "Die Takte gehören zu einem Intro",
        "The bars belong to the outro": "Die Takte gehören zu einem Outro",
        "The bars of the track at the current frame": "Die Takte des Tracks beim aktuellen Einzelbild",
        "The run of bars with the same section": "Die zusammenhängenden Takte mit demselben Abschnitt",
        "Twice as many beats from the current frame on": "Doppelt so viele Beats ab dem aktuellen Einzelbild",
        "What is done to the beats": "Was mit den Beats geschieht",
        "Which bars": "Welche Takte",
        # tooltips: show and look
        "A cut every eight bars": "Ein Schnitt alle acht Takte",
        "A cut every four bars; leans and hurries": "Ein Schnitt alle vier Takte; neigt sich und eilt",
        "A festival stage: LED wall, moving heads, lasers, crowd":
            "Eine Festivalbühne: LED-Wand, Moving Heads, Laser, Publikum",
        "A flight through a sci-fi tunnel": "Ein Flug durch einen Science-Fiction-Tunnel",
        "A grid that falls to pieces": "Ein Raster, das in Stücke fällt",
        "A look that came along; empty for a file": "Ein mitgelieferter Look; leer für eine Datei",
        "Angular shards": "Kantige Splitter",
        "Another number gives another variation of flight and cuts":
            "Eine andere Zahl ergibt eine andere Variante von Flug und Schnitten",
        "Another variation of the look: who plays which color, how fast, how strong. The same seed gives the same "
        "one":
            "Eine andere Variante des Looks: wer welche Farbe spielt, wie schnell, wie stark. Derselbe Startwert "
            "ergibt dieselbe",
        "Black, white and one color for each sub-genre": "Schwarz, Weiß und eine Farbe für jedes Subgenre",
        "Blues and whites": "Blau- und Weißtöne",
        "Build the scene anew and key it; add sound and markers, set the frame range. Things of yours in it stay":
            "Die Szene neu aufbauen und Schlüsselbilder setzen; Ton, Marker und Bildbereich anlegen. Eigenes bleibt",
        "Build the show in a new scene if this one holds objects of yours; it is left as it is":
            "Die Show in einer neuen Szene aufbauen, wenn diese eigene Objekte enthält; sie bleibt, wie sie ist",
        "Colors that stay apart however one sees red, green and blue":
            "Farben, die auch bei Schwächen für Rot, Grün oder Blau zu unterscheiden sind",
        "Heavy, slow slabs": "Schwere, langsame Platten",
        "How far walls and shapes move with the bass": "Wie weit sich Wände und Formen mit dem Bass bewegen",
        "How often the picture is cut, and how much the camera leans and drifts":
            "Wie oft geschnitten wird und wie sehr sich die Kamera neigt und treibt",
        "How quickly the light follows a rising level, in milliseconds":
            "Wie schnell das Licht einem steigenden Pegel folgt, in Millisekunden",
        "How slowly the light follows a falling level, in milliseconds":
            "Wie langsam das Licht einem fallenden Pegel folgt, in Millisekunden",
        "How walls and shapes move with this sub-genre": "Wie sich Wände und Formen bei diesem Subgenre bewegen",
        "Leave flashes in that may harm people with photosensitive epilepsy: more than three in a second":
            "Blitze lassen, die Menschen mit photosensibler Epilepsie schaden können: mehr als drei in einer Sekunde",
        "Let every new scene begin with the look and the render settings of this one":
            "Jede neue Szene mit dem Look und den Rendereinstellungen dieser Szene beginnen",
        "Let new scenes begin as they do without settings of yours":
            "Neue Szenen wieder ohne eigene Einstellungen beginnen",
        "Long shots that hardly lean": "Lange Einstellungen, die sich kaum neigen",
        "Main light, which carries the kick": "Hauptlicht, das die Kick trägt",
        "Monoliths in a black sea under an aurora": "Monolithen in schwarzem Meer unter einem Polarlicht",
        "Neon: lime, magenta, cyan": "Neon: Limette, Magenta, Cyan",
        "Number of the variation; 0 draws one": "Nummer der Variante; bei 0 wird eine gelost",
        "Only the object HX Show with a custom property for every channel: right-click any property and choose Drive "
        "by Mix":
            "Nur das Objekt HX Show mit einer eigenen Eigenschaft für jeden Kanal: eine beliebige Eigenschaft rechts "
            "anklicken und Vom Mix steuern wählen",
        "Reds, oranges and dark wine": "Rot, Orange und dunkles Weinrot",
        "Ribs that pulse": "Rippen, die pulsieren",
        "Save colors and strengths as a look, for other scenes and other people":
            "Farben und Stärken als Look speichern, für andere Szenen und andere Leute",
        "Second light, beside the main one": "Zweites Licht neben dem Hauptlicht",
        "Small lights and the glow far ahead": "Kleine Lichter und der Schein in der Ferne",
        "Smooth swells": "Weiche Wogen",
        "Soft colors of the evening": "Sanfte Farben des Abends",
        "Speed of the camera": "Geschwindigkeit der Kamera",
        "Strength of every light": "Stärke aller Lichter",
        "Take colors and strengths from a look that was saved":
            "Farben und Stärken aus einem gespeicherten Look nehmen",
        "The colors below, as you changed them": "Die Farben unten, wie sie von Hand geändert wurden",
        "The colors of the HouseX paper, and ours for the other sub-genres":
            "Die Farben der HouseX-Veröffentlichung, und unsere für die anderen Subgenres",
        "Three colors for each sub-genre": "Drei Farben für jedes Subgenre",
        "What is built around the music": "Was um die Musik herum aufgebaut wird",
        "Write our keys again with the present look and corrections, and build nothing; your objects and keys stay":
            "Unsere Schlüsselbilder mit dem jetzigen Look neu schreiben, ohne aufzubauen; Eigenes bleibt",
        "Write the keys anew after every correction, every look and every analysis. Colors and strengths that you "
        "change by hand wait for Bake":
            "Die Schlüsselbilder nach jeder Korrektur, jedem Look und jeder Analyse neu schreiben. Farben und Stärken, "
            "die von Hand geändert werden, warten auf Backen",
        # tooltips: the user's own scene and its channels
        "A phrase of eight bars": "Eine Phrase von acht Takten",
        "As Made": "Wie gemacht",
        "As long as the action is": "So lang, wie die Action ist",
        "Let the property follow another channel, or the same one in another range":
            "Die Eigenschaft einem anderen Kanal folgen lassen oder demselben in anderem Bereich",
        "A phrase of sixteen bars": "Eine Phrase von sechzehn Takten",
        "A pulse on every kick drum": "Ein Impuls auf jeder Kickdrum",
        "Accent color": "Akzentfarbe",
        "Bass": "Bass",
        "Fill color": "Aufhellfarbe",
        "Fine movement of the walls": "Feine Bewegung der Wände",
        "Four bars": "Vier Takte",
        "From the first bar of the drop to its last": "Vom ersten Takt des Drops bis zum letzten",
        "From -1 to 1 during every shot": "Von -1 bis 1 während jeder Einstellung",
        "Full on the drop's first beat, fades over two bars":
            "Voll auf dem ersten Beat des Drops, klingt über zwei Takte ab",
        "Hats and air": "Hi-Hats und Luft",
        "How long the action takes at each drop": "Wie lange die Aktion an jedem Drop dauert",
        "How much is going on in the bar": "Wie viel im Takt geschieht",
        "How far that pulse has run, 0 on every beat; faster before a drop":
            "Wie weit dieser Puls gelaufen ist, 0 auf jedem Beat; schneller vor einem Drop",
        "How far the shock wave of a drop has run, 0 on the drop; 1 everywhere else":
            "Wie weit die Druckwelle eines Drops gelaufen ist, 0 auf dem Drop; sonst überall 1",
        "How quickly it follows a rise; 0 at once": "Wie schnell einem Anstieg gefolgt wird; 0 sofort",
        "How slowly it follows a fall; 0 at once": "Wie langsam einem Abfall gefolgt wird; 0 sofort",
        "Key color of the sub-genre": "Führungsfarbe des Subgenres",
        "Lens of the camera": "Objektiv der Kamera",
        "Let the property go: it keeps its present value":
            "Die Eigenschaft loslassen: sie behält ihren jetzigen Wert",
        "Let this property follow the mix: choose a channel, and from where to where":
            "Diese Eigenschaft dem Mix folgen lassen: einen Kanal wählen, und von wo bis wo",
        "Loudness against the minute around it": "Lautheit gegenüber der Minute ringsum",
        "Lowest bass": "Tiefster Bass",
        "Made once by you, played at every drop": "Einmal selbst gemacht, an jedem Drop gespielt",
        "Middle of the spectrum": "Mitte des Spektrums",
        "Movement of the walls": "Bewegung der Wände",
        "Movement in a grid that falls to pieces": "Bewegung in einem Raster, das in Stücke fällt",
        "Movement in angular shards": "Bewegung in kantigen Splittern",
        "Movement in heavy slabs": "Bewegung in schweren Platten",
        "Movement in ribs that pulse": "Bewegung in Rippen, die pulsieren",
        "Movement in smooth swells": "Bewegung in weichen Wogen",
        "One bar": "Ein Takt",
        "Play the action at every drop, as NLA strips as long as its phrase; they move with the drops":
            "Die Aktion an jedem Drop spielen, als NLA-Streifen von der Länge seiner Phrase; sie wandern mit den "
            "Drops",
        "Plays the action at every drop": "Spielt die Aktion an jedem Drop",
        "Rises as a break opens the space": "Steigt, während ein Break den Raum öffnet",
        "Rises as a build-up narrows the space": "Steigt, während ein Aufbau den Raum verengt",
        "Rises through a build-up to the drop": "Steigt über einen Aufbau bis zum Drop an",
        "Speed of the flight, meters per second": "Geschwindigkeit des Fluges, Meter pro Sekunde",
        "Strength of the accents": "Stärke der Akzente",
        "Strength of the fill light": "Stärke der Aufhellung",
        "Strength of the key light, with the kicks": "Stärke des Führungslichts, mit den Kicks",
        "Strength of the pulse of light that the last kick sent off":
            "Stärke des Lichtpulses, den die letzte Kick losgeschickt hat",
        "Sway of the camera": "Neigung der Kamera",
        "Take the strips at the drops away again; the action stays":
            "Die Streifen an den Drops wieder wegnehmen; die Aktion bleibt",
        "Value while the channel is at 0": "Wert, solange der Kanal bei 0 ist",
        "Value while the channel is at 1": "Wert, solange der Kanal bei 1 ist",
        "Way traveled, meters": "Zurückgelegter Weg, Meter",
        "What it follows": "Wem sie folgt",
        # tooltips: files of other programs
        "Beat grid and cues as a collection, for rekordbox": "Beat-Raster und Cues als Sammlung, für rekordbox",
        "Beats with their place in the bar, as in data sets of beat tracking":
            "Beats mit ihrer Stelle im Takt, wie in Datensätzen zum Beat-Tracking",
        "Beats, tempo, sections, tracks and genres, for music research":
            "Beats, Tempo, Abschnitte, Tracks und Genres, für die Musikforschung",
        "Tracklist": "Trackliste",
        "16:9, for screens": "16:9, für Bildschirme",
        "9:16, for telephones": "9:16, für Telefone",
        "Another shape, by the resolution below": "Eine andere Form, nach der Auflösung unten",
        "Shape of the picture; the cameras of the show are reframed for it":
            "Form des Bildes; die Kameras der Show werden darauf eingestellt",
        "Show the title of each track for its first four bars; Build or Bake puts them into the scene":
            "Den Titel jedes Tracks in seinen ersten vier Takten zeigen; Aufbauen oder Backen setzt sie in die Szene",
        "Tracklist, cue sheet or rekordbox XML with the titles; empty: those of the timeline":
            "Trackliste, Cue-Sheet oder rekordbox-XML mit den Titeln; leer: die der Zeitleiste",
        "Leave sky and haze out and write a .mov with transparency, to lay over other pictures":
            "Himmel und Dunst weglassen und eine .mov mit Transparenz schreiben, um sie über andere Bilder zu legen",
        "Chapters for the description of a film on YouTube": "Kapitel für die Beschreibung eines Films auf YouTube",
        "Cue sheet with the tracks, for players and DJ programs":
            "Cue-Sheet mit den Tracks, für Player und DJ-Programme",
        "Label track with sections, drops and tracks, for Audacity":
            "Textspur mit Abschnitten, Drops und Tracks, für Audacity",
        "Sections as segments, for mir_eval and Sonic Visualiser":
            "Abschnitte als Segmente, für mir_eval und Sonic Visualiser",
        "Table of bars with frames, for any spreadsheet or script":
            "Tabelle der Takte mit Einzelbildern, für jede Tabellenkalkulation und jedes Skript",
        "Table of beats with frames": "Tabelle der Beats mit Einzelbildern",
        "Take beats, tracks or sections from a file of another program: rekordbox XML, cue sheet, tracklist, labels":
            "Beats, Tracks oder Abschnitte aus der Datei eines anderen Programms nehmen: rekordbox-XML, Cue-Sheet, "
            "Tracklist, Textmarken",
        "Tempo map, markers, downbeats and drops, for DAWs and lighting desks":
            "Tempokarte, Marker, Einsen und Drops, für DAWs und Lichtpulte",
        "Tracks with their times, to read or to post": "Tracks mit ihren Zeiten, zum Lesen oder Veröffentlichen",
        "Who is to read it": "Wer es lesen soll",
        "Write bars, beats, tracks and drops for another program":
            "Takte, Beats, Tracks und Drops für ein anderes Programm schreiben",
        # tooltips: film
        "A quick preview of movement and color, without light":
            "Eine schnelle Vorschau von Bewegung und Farbe, ohne Licht",
        "Fast on a graphics card": "Schnell auf einer Grafikkarte",
        "Film to write; empty: beside the mix, under its name":
            "Der Film, der geschrieben wird; leer: neben dem Mix, unter seinem Namen",
        "For showing": "Zum Vorführen",
        "How the film is rendered": "Womit der Film gerendert wird",
        "Leave the single pictures (PNG) in a folder beside the film":
            "Die Einzelbilder (PNG) in einem Ordner neben dem Film lassen",
        "Light that bounces off the walls; the best picture, the slowest":
            "Licht, das von den Wänden zurückgeworfen wird; das beste Bild, das langsamste",
        "Render the frame range as a film with sound, in a second Blender without a window: this one stays free":
            "Den Bildbereich als Film mit Ton rendern, in einem zweiten Blender ohne Fenster: dieser bleibt frei",
        "Samples for each frame: time against noise": "Abtastwerte je Einzelbild: Zeit gegen Rauschen",
        "To judge the look": "Um den Look zu beurteilen",
        "To see the timing: few samples": "Um das Timing zu sehen: wenige Abtastwerte",
        "Use the pictures that an interrupted render left; whatever was changed since is noticed":
            "Die Bilder verwenden, die ein unterbrochenes Rendern hinterließ; Änderungen seither werden bemerkt",
        # tooltips: preferences and errors
        "A model of your own, as exported by the trainer; empty: the one that came along":
            "Ein eigenes Modell, wie der Trainer es exportiert; leer: das mitgelieferte",
        "Apple Neural Engine": "Apple Neural Engine",
        "Apple graphics, through an engine Python with torch": "Apple-Grafik, über ein Python der Engine mit torch",
        "CUDA on Linux and Windows, MPS on Apple computers; from pypi.org, on Windows pytorch.org":
            "CUDA auf Linux und Windows, MPS auf Apple-Rechnern; von pypi.org, auf Windows von pytorch.org",
        "Copy the error, versions and the last lines of the log, for a report; folders and your name are left out":
            "Fehler, Versionen und die letzten Zeilen des Protokolls kopieren, für einen Bericht; Ordner und "
            "Benutzername bleiben weg",
        "Download torch into an environment of its own, to analyze on the graphics card":
            "torch in eine eigene Umgebung laden, um auf der Grafikkarte zu analysieren",
        "Graphics card on Windows": "Grafikkarte auf Windows",
        "NVIDIA graphics card; needs an engine Python with the CUDA libraries":
            "NVIDIA-Grafikkarte; braucht ein Python der Engine mit den CUDA-Bibliotheken",
        "NVIDIA graphics cards, also with older drivers; from pytorch.org":
            "NVIDIA-Grafikkarten, auch mit älteren Treibern; von pytorch.org",
        "Python that analyzes the mix; empty: Blender's own with the libraries that came along. Name one with torch "
        "to use its graphics card":
            "Python, das den Mix analysiert; leer: das von Blender mit den mitgelieferten Bibliotheken. Eines mit "
            "torch angeben, um die Grafikkarte zu nutzen",
        "Remove the GPU engine and free its space; analyses run on Blender's own Python again":
            "Die GPU-Engine entfernen und ihren Platz freigeben; Analysen laufen wieder auf Blenders eigenem Python",
        "Say whether mixes can be analyzed on this computer, with what, and how fast":
            "Zeigen, ob auf diesem Rechner Mixe analysiert werden können, womit und wie schnell",
        "Show the error in full": "Den Fehler vollständig zeigen",
        "Stop; what was downloaded is removed": "Anhalten; das Heruntergeladene wird entfernt",
        "The fastest device that works": "Das schnellste Gerät, das funktioniert",
        "The processor: works everywhere": "Der Prozessor: funktioniert überall",
        "Where the network runs": "Wo das Netz läuft",
        "Which build of torch Set Up GPU Engine downloads": "Welche Ausgabe von torch GPU-Engine einrichten lädt",
        "Without a graphics card, a small download; from pytorch.org":
            "Ohne Grafikkarte, ein kleiner Download; von pytorch.org",
    },
}  # fmt: skip
