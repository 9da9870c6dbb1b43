"""Instructions and modelled cycles of one inference on emulated Arm cores, one thread, Osprey beside LiteRT.

Instructions are COUNTED: qemu-user runs both programs with a plugin that counts every block of instructions;
two runs of different length are subtracted, so that loading drops out. Counts are exact and repeatable; they
say nothing of caches.

Cycles are MODELLED: llvm-mca takes every block that ran as a loop by itself and says how many cycles a turn
takes in the steady state; times executions, added up. It knows ports and latencies, not caches, branches or
what lies between blocks. Nothing here was measured on a device.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import tempfile

# What `qemu -cpu` and /proc/cpuinfo say: plain NEON, dot products, matrix products.
COMMON = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
DOTPROD = COMMON + " atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp ssbs"
CPUS = {
    "neon": ("cortex-a72", "0xd08", COMMON),
    "dotprod": ("cortex-a76", "0xd0b", DOTPROD),
    "i8mm": ("max,sve=off,sme=off", "0xd4d", DOTPROD + " i8mm bf16"),
}
# Cores by their model in LLVM 22. It has none of Cortex-A76 by itself; Neoverse N1 is the same design. All
# Apple cores share the tables of an older one (Cyclone).
CORES = {
    "neon": {"Cortex-A72": "cortex-a72"},
    "dotprod": {"Cortex-A55": "cortex-a55", "Cortex-A76": "neoverse-n1", "Apple": "apple-m1"},
    "i8mm": {"Neoverse V1": "neoverse-v1", "Apple": "apple-m5"},
}
# Blocks that together ran this share of all instructions are modelled; the rest at their average.
SHARE = 0.95


def classify(text):
    """The class of a disassembled instruction."""
    name, _, operands = text.partition("\t")
    vector = re.search(r"\b[vqds]\d+\b", operands) is not None
    if re.fullmatch(r"[su]{1,2}dot", name):
        return "dot"
    if name.endswith("mmla"):
        return "mmla"
    if name.startswith(("ld", "prfm")):
        return "vector load" if vector else "load"
    if name.startswith("st"):
        return "vector store" if vector else "store"
    if name.startswith(("b.", "cb", "tb", "br", "bl", "ret")) or name == "b":
        return "branch"
    if not vector:
        return "other"
    return "vector multiply" if re.search("mul|mla|mls|mlal", name) else "other vector"


CLASSES = ["dot", "mmla", "vector multiply", "vector load", "vector store", "other vector", "load", "store", "branch", "other"]


class Blocks(collections.Counter):
    """Executions by (symbol, code)."""

    @classmethod
    def read(cls, path):
        blocks = cls()
        for line in pathlib.Path(path).read_text().splitlines():
            executions, _, symbol, code = line.split(" ")
            blocks[symbol, code] += int(executions)
        return blocks

    def instructions(self):
        return sum(count * len(code) // 8 for (_, code), count in self.items())


def disassemble(codes, scratch):
    """Lines of assembler of each code."""
    binary = scratch / "code.bin"
    binary.write_bytes(b"".join(bytes.fromhex(code[at : at + 8])[::-1] for code in codes for at in range(0, len(code), 8)))
    command = ["aarch64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "aarch64", "--no-show-raw-insn", "-z", binary]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split(":\t", 1)[1] for line in output.splitlines() if re.match(r"\s+[0-9a-f]+:\t", line)]
    lines = [re.sub(r"\s*(//|<).*", "", line).strip() for line in lines]
    for code in codes:
        yield lines[: len(code) // 8]
        del lines[: len(code) // 8]


def cycles(lines, core):
    """Cycles of a turn, by llvm-mca; None where it knows an instruction not."""
    # Branches go back to the block's beginning; addresses relative to the program counter have no meaning here.
    text = "\n".join(re.sub(r"0x[0-9a-f]+$", "0x0", line) if re.match(r"b|cb|tb|adr", line) else line for line in lines)
    command = ["llvm-mca-22", "-mtriple=aarch64", f"-mcpu={core}", "-mattr=+dotprod,+i8mm,+lse,+fullfp16,+rcpc", "-iterations=100"]
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    found = re.search(r"Total Cycles:\s+(\d+)", result.stdout)
    return int(found[1]) / 100 if found and result.returncode == 0 else None


class Contender:
    def __init__(self, cpu, tools):
        self.cpu, self.tools = cpu, tools

    def count(self, arguments, prefix, scratch):
        out = scratch / "blocks"
        plugin = f"{self.tools / 'blocks.so'},out={out}"
        command = ["qemu-aarch64", "-cpu", CPUS[self.cpu][0], "-plugin", plugin, "-L", prefix, *arguments]
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{arguments[0]}: {result.stderr[-500:]}")
        return Blocks.read(out)

    def inference(self, command, few, many, prefix, scratch):
        """Blocks of one inference, from runs of `few` and of `many`."""
        blocks = self.count(command(many), prefix, scratch)
        blocks.subtract(self.count(command(few), prefix, scratch))
        return {block: count / (many - few) for block, count in blocks.items() if count > 0}


def use_cpu(contender):
    """Has rivals find the emulated CPU where they look for it."""
    _, part, features = CPUS[contender.cpu]
    (contender.tools / "root/proc/cpuinfo").write_text(
        f"processor\t: 0\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        f"CPU variant\t: 0x4\nCPU part\t: {part}\nCPU revision\t: 1\n"
    )


def litert(contender, model, scratch):
    tools = contender.tools
    use_cpu(contender)
    rival = pathlib.Path(__file__).with_name("rival.py")
    command = lambda runs: [tools / "root/usr/bin/python3.11", rival, tools / "site", model, runs]
    return contender.inference(command, 2, 4, tools / "root", scratch)


def osprey(contender, program, model, scratch):
    # The program makes every run twice: plain, and operator by operator.
    command = lambda runs: [program, model, 1, runs // 2]
    return contender.inference(command, 2, 4, "/usr/aarch64-linux-gnu", scratch)


def summarize(blocks, cores, scratch, profile):
    """Instructions, by class, and cycles by core, all in millions."""
    order = sorted(blocks, key=lambda block: -blocks[block] * len(block[1]))
    texts = dict(zip(order, disassemble([code for _, code in order], scratch)))
    classes, symbols = collections.Counter(), collections.Counter()
    for block, lines in texts.items():
        symbols[block[0]] += blocks[block] * len(lines) / 1e6
        for line in lines:
            classes[classify(line)] += blocks[block] / 1e6
    total = sum(classes.values())
    modelled = {}
    for name, core in cores.items():
        spent, known = 0.0, 0.0
        for block in order:
            if known > SHARE * total:
                break
            turn = cycles(texts[block], core)
            if turn is not None:
                spent += blocks[block] * turn / 1e6
                known += blocks[block] * len(texts[block]) / 1e6
        modelled[name] = spent * total / known
    for symbol, count in symbols.most_common(profile):
        print(f"    {count:8.2f}  {symbol}")
    return total, classes, modelled


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--program", required=True, help="the example `profile`, built for aarch64")
    parser.add_argument("--tools", required=True, type=pathlib.Path, help="what benches/arm/setup made")
    parser.add_argument("--cpu", choices=CPUS, action="append", help="default: all")
    parser.add_argument("--cycles", action="store_true", help="model cycles too (llvm-mca, a minute a model)")
    parser.add_argument("--classes", action="store_true", help="a column for each class of instructions")
    parser.add_argument("--profile", type=int, default=0, metavar="N", help="the N functions with the most instructions")
    parser.add_argument("--ours", action="store_true", help="without LiteRT")
    arguments = parser.parse_args()
    tools = arguments.tools.resolve()
    columns = ["model", "CPU", "", "counted, M instructions", *(CLASSES if arguments.classes else [])]
    columns += ["modelled, M cycles"] if arguments.cycles else []
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for cpu in arguments.cpu or CPUS:
            cores = CORES[cpu] if arguments.cycles else {}
            for model in arguments.models:
                contender = Contender(cpu, tools)
                rows = {"Osprey": osprey(contender, arguments.program, model, scratch)}
                if not arguments.ours:
                    rows["LiteRT"] = litert(contender, model, scratch)
                sums = {}
                for name, blocks in rows.items():
                    total, classes, modelled = sums[name] = summarize(blocks, cores, scratch, arguments.profile)
                    cells = [f"{total:.1f}", *(f"{classes[c]:.1f}" for c in (CLASSES if arguments.classes else []))]
                    cells += [", ".join(f"{core} {value:.1f}" for core, value in modelled.items())] if cores else []
                    print(f"| {model.stem} | {cpu} | {name} | " + " | ".join(cells) + " |", flush=True)
                if len(sums) == 2:
                    (ours, _, fast), (theirs, _, slow) = sums["Osprey"], sums["LiteRT"]
                    cells = [f"**{ours / theirs:.2f}**", *("" for _ in (CLASSES if arguments.classes else []))]
                    cells += [", ".join(f"{core} **{fast[core] / slow[core]:.2f}**" for core in cores)] if cores else []
                    print(f"| {model.stem} | {cpu} | Osprey ÷ LiteRT | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
