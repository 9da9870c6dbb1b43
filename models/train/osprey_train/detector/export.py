"""Conversion of a trained detector and its figures on pictures it was never trained on."""

import contextlib
import io
import json
import time

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from .. import coco
from ..pack import Pack
from . import anchors, calibrate, graph, quantize, score, validation
from .checkpoint import load, picture, size

RANGES, RESAMPLES = 64, 100


def samples(pack, size, seed=1):
    """Training pictures [1, 3, size, size] in the network's range: drawn from the pack with no regard to their classes."""
    ids = np.random.default_rng(seed).permutation(pack.training)[:RANGES]
    for i in ids:
        x = torch.tensor(picture(pack.image(i), size)).permute(2, 0, 1)[None].float() / 127.5 - 1
        yield x.contiguous(memory_format=torch.channels_last)


class Runner:
    """A detector file in LiteRT: picture to box codes and scores in 0..1."""

    def __init__(self, data):
        self.net = Interpreter(model_content=data, num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]
        self.size = int(self.input["shape"][1])
        self.outputs = sorted(self.net.get_output_details(), key=lambda d: d["shape"][2])
        self.anchors = anchors.generate(self.size)

    def __call__(self, image):
        x = picture(image, self.size)[None]
        if self.input["dtype"] == np.float32:
            x = x.astype(np.float32) / 127.5 - 1
        self.net.set_tensor(self.input["index"], x)
        self.net.invoke()
        out = []
        for d in self.outputs:
            v = self.net.get_tensor(d["index"])[0].astype(np.float32)
            scale, zero = d["quantization"]
            out.append((v - zero) * scale if scale else v)
        return out[0], 1 / (1 + np.exp(-out[1]))


def detect(data, folder):
    """(ground truth, COCO result list) of every picture under `folder` (gt.json and images/)."""
    gt = score.dataset(**{k: v for k, v in json.loads((folder / "gt.json").read_text()).items() if k in KEYS})
    by_name = {c["name"]: c["id"] for c in gt.dataset["categories"]}
    category = {i: by_name[n] for i, n in enumerate(coco.NAMES) if n in by_name}
    run, results = Runner(data), []
    for image in gt.dataset["images"]:
        code, scores = run(Image.open(folder / "images" / image["file_name"].split("/")[-1]))
        results += score.entries(score.detections(code, scores, run.anchors), image, category)
    return gt, results


KEYS = ("images", "annotations", "categories")


def thresholded(_, x, y, picture, objects, rng, resamples=RESAMPLES):
    """Precision and recall at the shipped threshold, the calibration error above it and of all that say something."""
    p = calibrate.sigmoid(x)
    precision, recall, _ = calibrate.at(p, y, objects, calibrate.THRESHOLD)
    rows = []
    for _ in range(resamples):
        # Recall would want each picture's number of objects; precision and the error do not.
        times = np.bincount(rng.integers(0, picture.max() + 1, picture.max() + 1), minlength=picture.max() + 1)
        again = np.repeat(np.arange(len(p)), times[picture])
        rows.append((calibrate.at(p[again], y[again], objects, calibrate.THRESHOLD)[0], calibrate.error(p[again], y[again])[0]))
    low, high = np.percentile(rows, [2.5, 97.5], axis=0).round(3)
    error, bins = calibrate.error(p, y)
    return dict(
        score=calibrate.THRESHOLD,
        precision=round(float(precision), 3),
        precision_interval=[float(low[0]), float(high[0])],
        recall=round(float(recall), 3),
        error=round(float(error), 4),
        error_interval=[float(low[1]), float(high[1])],
        error_above=round(float(calibrate.error(p, y, calibrate.THRESHOLD)[0]), 4),
        bins=[[round(float(s), 4), round(float(r), 4), n] for s, r, n in bins],
    )


def evaluate(data, folder, resamples=RESAMPLES, seed=1):
    """AP, AP50, AP75, small, medium, large, and 95 % intervals of the first two by resampling pictures.

    Also AP50 by class and what the shipped threshold does.
    """
    gt, results = detect(data, folder)
    e = score.run(gt, results)
    out = dict(zip(("ap", "ap50", "ap75", "small", "medium", "large"), (round(float(v), 4) for v in e.stats[:6])))
    # Precision at IoU 0.5 by recall, class, area and number of detections: -1 where a class has no object.
    half = e.eval["precision"][0, :, :, 0, -1].mean(0)
    out["classes_ap50"] = {e.cocoGt.cats[c]["name"]: round(float(v), 3) for c, v in zip(e.params.catIds, half) if v > -1}
    out["threshold"] = thresholded(*calibrate.judged(gt, results), rng=np.random.default_rng(seed))
    p, n = e.params, len(e.params.imgIds)
    areas = len(p.areaRng)
    table = np.array(e.evalImgs, dtype=object).reshape(len(p.catIds), areas, n)[:, :1]
    rng, rows = np.random.default_rng(seed), []
    p.areaRng, p.areaRngLbl, p.maxDets = p.areaRng[:1], p.areaRngLbl[:1], [score.MOST]
    p.imgIds = list(range(n))
    e._paramsEval = p
    for _ in range(resamples):
        e.evalImgs = list(table[:, :, rng.integers(0, n, n)].reshape(-1))
        with contextlib.redirect_stdout(io.StringIO()):
            e.accumulate()
        precision = e.eval["precision"][..., 0, 0]
        every, half = precision[precision > -1], precision[0][precision[0] > -1]
        rows.append((every.mean(), half.mean()))
    low, high = np.percentile(rows, [2.5, 97.5], axis=0).round(3)
    out["ap_interval"], out["ap50_interval"] = [float(low[0]), float(high[0])], [float(low[1]), float(high[1])]
    return out


def speed(data, rounds=30):
    """Processor milliseconds of LiteRT on one thread: the least of several runs, so that other work counts little."""
    run = Runner(data)
    run.net.set_tensor(run.input["index"], np.zeros(run.input["shape"], run.input["dtype"]))
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        run.net.invoke()
        times.append(time.thread_time() - start)
    return round(min(times) * 1e3, 2)


def _replace(path, data):
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def calibrated(net, pack, folder):
    """Fold calibration into the network's weights. Figures on the held-out pictures: AP and so on by group, and of what was learnt."""
    own = validation.Validation(pack)
    run = validation.cached(net, folder)
    results = own.detect(run, anchors.generate(net.config["size"]))
    held_out = {g: [round(v, 4) for v in f[:6]] for g, f in own.figures(results).items()}
    print("held out", held_out, flush=True)
    complete = set(own.groups["coco"])
    lines, _, figures = calibrate.learn(own.gt["coco"], [r for r in results if r["image_id"] in complete])
    calibrate.fold(net, lines)
    return held_out, figures | dict(
        slope=[round(float(v), 3) for v in np.percentile(lines[:, 0], (0, 50, 100))],
        offset=[round(float(v), 3) for v in np.percentile(lines[:, 1], (0, 50, 100))],
    )


def run(assets, work, checkpoint, out, name):
    """Write NAME.tflite (int8) and cards/NAME.json with the figures of the int8 and the float graph.

    The figures are written as they come, so that a long measurement leaves what it has.
    """
    net, state = load(checkpoint)
    (out / "cards").mkdir(parents=True, exist_ok=True)
    pack, side = Pack(assets), net.config["size"]
    held_out, learnt = calibrated(net, pack, work / f"cache-{side}")
    real = graph.convert(net, graph.whole)
    _replace(work / f"{name}-float.tflite", real)
    quantize.attach(net, quantize.ranges(net, samples(pack, side)))
    int8 = graph.convert(net, graph.whole, quantized=True)
    _replace(out / f"{name}.tflite", int8)
    spent = dict(views=state["seen"], before=state.get("before", 0), minutes=round(state["seconds"] / 60))
    figures = dict(spent, config=net.config, nms_iou=score.NMS_IOU, **size(net), pictures=pack.sources())
    figures |= dict(held_out=held_out, calibration=learnt, int8={}, float={})
    for s in ("coco", "voc5"):
        for kind, data in (("int8", int8), ("float", real)):
            figures[kind][s] = evaluate(data, assets / "eval" / s)
            figures[kind]["litert_ms"] = speed(data)
            print(kind, s, figures[kind][s], flush=True)
            _replace(out / "cards" / f"{name}.json", (json.dumps(figures, indent=1) + "\n").encode())
