"""`python -m osprey_train COMMAND`: one command per model. See README.md."""

import argparse
import importlib
from dataclasses import fields
from pathlib import Path

from .detector.recipes import Recipe


def recipe_arguments(parser, recipe):
    for f in fields(recipe):
        parser.add_argument(f"--{f.name.replace('_', '-')}", type=f.type, default=f.default)


def main():
    parser = argparse.ArgumentParser(prog="osprey_train")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, text):
        p = commands.add_parser(name, help=text)
        p.add_argument("--data", type=Path, required=True, help="folder with pack/, photos/, models/, mnist/, motion/, eval/")
        p.add_argument("--work", type=Path, required=True, help="folder for caches and checkpoints")
        return p

    p = command("detector-cache", "write the cache of views that the detector is trained on")
    p.add_argument("--worker", type=int, default=0, help="number of this process, if several make views")
    p.add_argument("--shards", type=int, default=10, help="how many of 1,000 views to write in all")
    p.add_argument("--keep", type=int, default=0, help="remove the oldest shards beyond so many; 0 keeps all")
    p.add_argument("--size", type=int, default=300, help="side of the pictures that the detector takes")
    p.add_argument("--seed", type=int, default=1)
    p = command("detector", "train the default detector on the cache; goes on from its checkpoint")
    p.add_argument("--name", default="detector")
    p.add_argument("--ranks", type=int, default=2, help="processes that share each batch, a core each")
    p.add_argument("--start", type=Path, help="a checkpoint to start from where there is none of this name")
    recipe_arguments(p, Recipe)
    p = command("detector-export", "convert a checkpoint to int8 and measure it on --data/eval")
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--name", default="ssdlite_mobilenet_v2_300")
    p.add_argument("--out", type=Path, required=True, help="folder for the .tflite file and its figures")
    p = commands.add_parser("compact", help="keep a detector checkpoint's averaged weights alone, in half precision")
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True, help="the file to write")
    p = commands.add_parser("resize", help="a detector checkpoint for pictures of another side, with no training")
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--size", type=int, required=True)
    p.add_argument("--out", type=Path, required=True, help="the file to write")
    p = commands.add_parser("average", help="the mean of several detector checkpoints, as a compact one")
    p.add_argument("--checkpoints", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True, help="the file to write")
    p = commands.add_parser("manifest", help="write manifest.toml and the cards for a folder of .tflite files")
    p.add_argument("--out", type=Path, required=True)
    p = commands.add_parser("pictures", help="draw the failures that the cards show, from the .tflite files")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True, help="folder with the .tflite files, beside samples/")
    for name, text in (
        ("digits", "train, convert and measure the digits classifier"),
        ("run-or-walk", "the same for run or walk from 12 samples of x"),
        ("activity", "the same for run, walk or stationary from three axes"),
        ("gestures", "the same for gestures, with state carried from window to window"),
    ):
        p = command(name, text)
        p.add_argument("--out", type=Path, required=True, help="folder for the .tflite file and its figures")
    a = parser.parse_args()
    if a.command == "detector-cache":
        from .detector import cache

        cache.run(a.data, a.work / f"cache-{a.size}", a.size, a.worker, a.shards, a.keep, a.seed)
    elif a.command == "detector":
        from .detector import train

        recipe = Recipe(**{f.name: getattr(a, f.name) for f in fields(Recipe)})
        train.run(a.data, a.work, a.name, recipe, a.ranks, a.start)
    elif a.command == "detector-export":
        from .detector import export

        export.run(a.data, a.work, a.checkpoint, a.out, a.name)
    elif a.command == "compact":
        from .detector import checkpoint

        checkpoint.compact(a.checkpoint, a.out)
    elif a.command == "resize":
        from .detector import checkpoint

        checkpoint.resize(a.checkpoint, a.size, a.out)
    elif a.command == "average":
        from .detector import checkpoint

        checkpoint.average(a.checkpoints, a.out)
    elif a.command == "pictures":
        from . import pictures

        pictures.run(a.data, a.out)
    elif a.command == "manifest":
        from . import cards, manifest

        manifest.run(a.out)
        cards.run(a.out)
    else:
        module = importlib.import_module(f".small.{a.command.replace('-', '_')}", __package__)
        module.run(a.data, a.work, a.out)


if __name__ == "__main__":
    main()
