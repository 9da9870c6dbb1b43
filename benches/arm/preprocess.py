"""Instructions of preparing a frame on emulated Arm cores, one thread: Osprey beside OpenCV.

A 1920×1080 frame, BGRA and NV12, becomes 300×300 RGB by two taps on each axis. OpenCV takes the quicker of
its ways: it resizes first and converts the few pixels that are left. COUNTED as count.py does it.
"""

import argparse
import pathlib
import tempfile

from count import CPUS, Contender, use_cpu

FORMATS = ["bgra", "nv12"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the example `preprocess_contenders`, built for aarch64")
    parser.add_argument("--tools", required=True, type=pathlib.Path, help="what benches/arm/setup made")
    parser.add_argument("--cpu", choices=CPUS, action="append", help="default: neon and dotprod")
    arguments = parser.parse_args()
    tools = arguments.tools.resolve()
    rival = pathlib.Path(__file__).with_name("rival_preprocess.py")
    print("| 1920×1080 to 300×300 | CPU | Osprey, M instructions | OpenCV, M instructions | Osprey ÷ OpenCV |")
    print("| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for cpu in arguments.cpu or ["neon", "dotprod"]:
            contender = Contender(cpu, tools)
            use_cpu(contender)
            for form in FORMATS:
                ours = lambda runs: [arguments.program, "osprey", form, runs]
                theirs = lambda runs: [tools / "root/usr/bin/python3.11", rival, tools / "site", form, runs]
                counts = [
                    sum(count * len(code) / 8e6 for (_, code), count in contender.inference(command, 2, 6, prefix, scratch).items())
                    for command, prefix in [(ours, "/usr/aarch64-linux-gnu"), (theirs, tools / "root")]
                ]
                print(f"| {form} | {cpu} | {counts[0]:.2f} | {counts[1]:.2f} | **{counts[0] / counts[1]:.2f}** |", flush=True)


if __name__ == "__main__":
    main()
