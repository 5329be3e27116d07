"""Stand-ins for the person, and whole runs without a screen.

reader -> shelf -> habits -> annotators -> answering -> stopwatch -> outcome -> run -> display: a network learns to
read pictures and is kept on a shelf; habits say how to answer; an annotator looks at what a screen would show and has
an opinion; a round of answers is made of opinions within a budget; the time of every part is taken; all that is
measured becomes one outcome; a run drives the very same Session that the screens drive, and may be watched.
"""
