"""Windows of the held-out recordings that the motion models misread with most certainty."""

import numpy as np

from ..small import activity, common, gestures, run_or_walk
from . import plots

MOST = 4


def surest(truth, probabilities):
    """Numbers of misread windows: of each confusion the surest, then the surest of the rest."""
    guess, sure = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(truth != guess)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    of_each = {}
    for i in wrong:
        of_each.setdefault((truth[i], guess[i]), i)
    return (list(of_each.values()) + [i for i in wrong if i not in of_each.values()])[:MOST]


def answers(model, recordings):
    """Windows, classes and probabilities over `recordings` of (windows, classes), each begun with a clear state."""
    x, y, p = [], [], []
    for own, classes in recordings:
        model.reset()
        x += list(own)
        y += list(classes)
        p += [model(w) for w in own]
    return x, np.array(y), np.array(p)


def drawn(path, recordings, names, channels):
    x, y, p = answers(common.Model(path.read_bytes()), recordings)
    panels = []
    for i in surest(y, p):
        title = f"{names[y[i]]}, read as {names[p[i].argmax()]} ({p[i].max():.2f})"
        panels.append((title, np.reshape(x[i], (len(x[i]), -1))))
    return plots.windows(panels, channels)


def draw(assets, folder, name):
    """The picture's text for the model file NAME.tflite in `folder`."""
    path, data = folder / f"{name}.tflite", assets / "motion"
    if name == "run_or_walk":
        x, y = run_or_walk.data(data)
        held = run_or_walk.last_fifth(y)
        return drawn(path, [(x[held], y[held])], run_or_walk.NAMES, ["acceleration x (g)"])
    if name == "activity":
        every = activity.recordings(data)
        own = [r for r, f in zip(every, activity.folds(every)) if f == activity.FOLDS - 1]
        held = [(w, [c] * len(w)) for _, _, c, s in own if (w := activity.windows(s))]
        return drawn(path, held, activity.NAMES, [f"acceleration {a} (g)" for a in "xyz"])
    channels = [f"rotation {a} (rad/s)" for a in "xyz"] + [f"user acceleration {a} (g)" for a in "xyz"]
    unseen = gestures.sessions((data / "kodeco").glob("test/u_05*.csv.gz"))
    held = [gestures.windows(gestures.channels(v), y) for v, y in unseen]
    return drawn(path, held, gestures.NAMES, channels)
