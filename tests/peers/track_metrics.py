"""Computes with py-motmetrics what `osprey_detector::track::metrics` computes.

    pip install motmetrics 'numpy<2' 'pandas<3'
    OSPREY_TRACK_DUMP=DIR cargo test -p osprey-detector scenes_with_truth -- --nocapture
    python tests/peers/track_metrics.py DIR
"""

import csv
import pathlib
import sys
from collections import defaultdict

import motmetrics
import numpy as np


def main():
    host = motmetrics.metrics.create()
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.csv")):
        boxes = {"truth": defaultdict(list), "shown": defaultdict(list)}
        for kind, frame, identity, *box in csv.reader(path.open()):
            boxes[kind][int(frame)].append((int(identity), [float(v) for v in box]))
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for frame in range(max(max(b) for b in boxes.values()) + 1):
            truth, shown = boxes["truth"][frame], boxes["shown"][frame]
            distance = motmetrics.distances.iou_matrix(
                np.array([b for _, b in truth]), np.array([b for _, b in shown]), max_iou=0.5
            )
            accumulator.update([i for i, _ in truth], [i for i, _ in shown], distance)
        names = ["mota", "idf1", "motp", "num_switches", "num_misses", "num_false_positives"]
        row = host.compute(accumulator, metrics=names).iloc[0]
        print(f"{path.stem}: " + ", ".join(f"{name} {row[name]:.4f}" for name in names))


main()
