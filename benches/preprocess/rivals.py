"""Preprocessing by Osprey, fast_image_resize and OpenCV, a few runs of each in turn."""

import argparse
import statistics
import subprocess
import time

import cv2
import numpy as np

WIDTH, HEIGHT, SIDE = 1920, 1080, (300, 300)


def opencv(fmt, pixels):
    """The quickest of OpenCV's ways: everything is resized before colours are converted."""
    if fmt == "bgra":
        frame = pixels.reshape(HEIGHT, WIDTH, 4)
        return lambda: cv2.cvtColor(cv2.resize(frame, SIDE, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGRA2RGB)
    luma = pixels[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
    chroma = pixels[WIDTH * HEIGHT : WIDTH * HEIGHT * 3 // 2].reshape(HEIGHT // 2, WIDTH // 2, 2)
    half = (SIDE[0] // 2, SIDE[1] // 2)
    return lambda: cv2.cvtColorTwoPlane(
        cv2.resize(luma, SIDE, interpolation=cv2.INTER_LINEAR),
        cv2.resize(chroma, half, interpolation=cv2.INTER_LINEAR),
        cv2.COLOR_YUV2RGB_NV12,
    )


def opencv_as_usual(fmt, pixels):
    """Colours first, as most programs have it."""
    if fmt == "bgra":
        frame, code = pixels.reshape(HEIGHT, WIDTH, 4), cv2.COLOR_BGRA2RGB
        return lambda: cv2.resize(cv2.cvtColor(frame, code), SIDE, interpolation=cv2.INTER_LINEAR)
    frame = pixels[: WIDTH * HEIGHT * 3 // 2].reshape(HEIGHT * 3 // 2, WIDTH)
    return lambda: cv2.resize(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_NV12), SIDE, interpolation=cv2.INTER_LINEAR)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contenders", required=True, help="the program preprocess_contenders")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--runs", type=int, default=10, help="runs of each in a round")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    index = np.arange(WIDTH * HEIGHT * 4, dtype=np.uint32)
    pixels = (index * np.uint32(2654435761) >> np.uint32(24)).astype(np.uint8)
    program = subprocess.Popen(
        [args.contenders], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )

    def told(who, fmt):
        program.stdin.write(f"{who} {fmt} {args.runs}\n")
        program.stdin.flush()
        return [float(ms) for ms in program.stdout.readline().split()]

    def timed(run):
        run()
        times = []
        for _ in range(args.runs):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        return times

    names = ["osprey", "fast_image_resize", "OpenCV", "OpenCV, colours first"]
    print(f"OpenCV {cv2.__version__}; median (minimum) milliseconds of {args.rounds} × {args.runs} runs\n")
    print("| 1920×1080 to 300×300 | " + " | ".join(names) + " | Osprey ÷ best rival |")
    print("| --- |" + " ---: |" * 5)
    for fmt in ["bgra", "nv12"]:
        resized_first, converted_first = opencv(fmt, pixels), opencv_as_usual(fmt, pixels)
        times = {name: [] for name in names}
        for _ in range(args.rounds):
            for name in names[:2]:
                times[name] += told(name, fmt)
            times["OpenCV"] += timed(resized_first)
            times["OpenCV, colours first"] += timed(converted_first)
        middle = {name: statistics.median(t) for name, t in times.items()}
        cells = [f"{middle[name]:.3f} ({min(times[name]):.3f})" for name in names]
        ratio = middle["osprey"] / min(middle[name] for name in names[1:])
        print(f"| {fmt} | " + " | ".join(cells) + f" | {ratio:.2f} |")


if __name__ == "__main__":
    main()
