"""Stand-ins for the person, and whole runs without a screen.

reader -> shelf -> habits -> annotators -> stopwatch -> answering -> outcome -> run -> display: a network learns to
read pictures and is kept on a shelf; habits say how to answer; an annotator looks at what a screen would show and has
an opinion; the time of every part is taken; a round of answers is made of opinions within a budget; all that is
measured becomes one outcome; a run drives the very same Session that the screens drive, and may be watched.
"""
