"""Measures lvae and its peers side by side; Scripts/compare starts it.

Engines take turns (A B C A B C …), each in a process of its own, at its best settings, with the same
weights and the same input; their outputs are compared. A time is the median over all rounds.
"""
import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

import compare_report

HERE = pathlib.Path(__file__).resolve().parent
# The jobs of one half of an autoencoder, of a denoiser, and steps of training; and how often a process
# repeats each.
JOBS = {
    "sd-decode-512": 1, "sd-encode-512": 1, "taesd-decode-512": 5, "taesd-encode-512": 5,
    "train-kl-64-b16": 3, "unet-32-b1": 40, "unet-32-b8": 8, "train-unet-32-b32": 2}
# Whole commands, process start included: 24 pictures, and one.
COMMANDS = {"kodak-encode", "first-latent-256"}
ENGINES = ["lvae", "pytorch", "onnxruntime", "openvino", "openvino-bf16"]
# Whose fresh large tensors would else be mapped and unmapped each time (15 % of PyTorch's time).
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
# What float32 outputs must agree to, in dB of the reference's range.
LEAST_PSNR = 70


def options():
    parser = argparse.ArgumentParser(
        prog="Scripts/compare", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--jobs", default=",".join(JOBS), help=f"of {', '.join(JOBS)}, {', '.join(COMMANDS)}")
    parser.add_argument("--engines", default=",".join(ENGINES), help="also pytorch-bf16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, help="runs in each round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--isa", choices=["avx2"], help="limit lvae, PyTorch and OpenVINO to it")
    parser.add_argument("--sd-model", help="a diffusers folder; random weights without it")
    parser.add_argument("--taesd-model", help="a diffusers folder; random weights without it")
    parser.add_argument("--images", help="the folder of pictures for kodak-encode")
    parser.add_argument("--json", help="a file for the rows")
    parser.add_argument("--markdown", help="a file for the table, which is always printed too")
    parser.add_argument("--svg", help="a file for the chart")
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    parser.add_argument("--cache", default=f"{cache}/lvae/compare", help="converted models")
    parser.add_argument("--self-test", action="store_true", help="check this script only")
    given = parser.parse_args()
    for model in filter(None, [given.sd_model, given.taesd_model]):
        if not (pathlib.Path(model) / "config.json").is_file():
            parser.error(f"{model}: a diffusers folder is expected, and it has no config.json")
    given.jobs = given.jobs.split(",")
    given.engines = given.engines.split(",")
    for job in given.jobs:
        if job not in JOBS and job not in COMMANDS:
            parser.error(f"--jobs {job}: known are {', '.join([*JOBS, *COMMANDS])}")
    for engine in given.engines:
        if engine not in ENGINES + ["pytorch-bf16"]:
            parser.error(f"--engines {engine}: known are {', '.join(ENGINES)}, pytorch-bf16")
    if "kodak-encode" in given.jobs and not given.images:
        parser.error("kodak-encode needs --images")
    if given.isa and "onnxruntime" in given.engines:
        print("onnxruntime can't be limited to AVX2 and is left out", file=sys.stderr)
        given.engines.remove("onnxruntime")
    return given


class Comparison:
    def __init__(self, given):
        self.given = given
        self.lvae = os.environ.get("LVAE_BINARY") or str(HERE.parent / ".build/release/lvae")
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(given.threads)}
        if given.isa:
            self.environment |= {"LVAE_ISA": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="lvae-compare-"))

    def network_job(self, job):
        """The job whose model a whole command uses, or the job itself."""
        return "taesd-encode-512" if job in COMMANDS else job

    def folder(self, job):
        """Where a job's model, input and conversions are; links to the user's model."""
        job = self.network_job(job)
        models = {"sd": self.given.sd_model, "taesd": self.given.taesd_model}
        given = models.get(job.split("-")[0])
        model = str(pathlib.Path(given).resolve()) if given else "random"
        name = "".join(letter if letter.isalnum() else "_" for letter in model)
        folder = pathlib.Path(self.given.cache) / name / job
        folder.mkdir(parents=True, exist_ok=True)
        if given and not (folder / "model").exists():
            (folder / "model").symlink_to(model)
        return folder

    def run(self, command, environment=None):
        """The output of a process, its time, and its peak of memory; ends the script if it fails."""
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment or self.environment, stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = (time.perf_counter() - start) * 1e3
        if status:
            sys.exit(f"failed: {' '.join(map(str, command))}")
        return output, elapsed, usage

    def engine(self, action, engine, *arguments):
        python = [sys.executable, str(HERE / "compare_engines.py"), action, engine]
        environment = self.environment | (MALLOC if engine.startswith("pytorch") else {})
        return self.run([*python, *map(str, arguments)], environment)

    def prepare(self, job, engine):
        self.engine("prepare", engine, self.network_job(job), self.folder(job))

    def output(self, job, engine):
        return self.scratch / f"{job}.{engine}.safetensors"

    def measure(self, job, engine):
        import json

        if job in COMMANDS:
            return self.measure_command(job, engine)
        folder, threads = self.folder(job), str(self.given.threads)
        repeat = str(self.given.repeat or JOBS[job])
        output = self.output(job, engine)
        if engine == "lvae":
            command = [
                self.lvae, "bench", "--json", "--job", job, "--model", folder / "model",
                "--input", folder / "input.safetensors", "--output", output]
            line, _, _ = self.run(
                [*map(str, command), "--threads", threads, "--repeat", repeat])
        else:
            line, _, _ = self.engine(
                "run", engine, job, folder, "--threads", threads, "--repeat", repeat,
                "--output", output)
        return json.loads(line.strip().splitlines()[-1])

    def measure_command(self, job, engine):
        """A whole process from its start to its end."""
        images = self.pictures(job)
        target = self.scratch / "encoded"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        threads = str(self.given.threads)
        if engine == "lvae":
            command = [self.lvae, "encode", "-q", "--model", self.folder(job) / "model", "-o", target]
            _, elapsed, usage = self.run([*map(str, command), "--threads", threads, *images])
        else:
            _, elapsed, usage = self.engine(
                "encode", engine, self.folder(job), *images, "--threads", threads,
                "--output", target)
        if len(list(target.iterdir())) != len(images):
            sys.exit(f"{engine} wrote {len(list(target.iterdir()))} of {len(images)} files")
        processor = (usage.ru_utime + usage.ru_stime) * 1e3
        return {"runs_ms": [elapsed], "cpu_ms": processor, "peak_mb": usage.ru_maxrss * 1024 / 1e6}

    def pictures(self, job):
        if job == "kodak-encode":
            paths = sorted(pathlib.Path(self.given.images).glob("*.png"))
            return [str(path) for path in paths] or sys.exit(f"no PNG in {self.given.images}")
        import numpy
        from PIL import Image

        path = self.scratch / "first.png"
        if not path.exists():
            slope = numpy.arange(256 * 256 * 3).reshape(256, 256, 3) // 500 % 256
            Image.fromarray(slope.astype(numpy.uint8)).save(path)
        return [str(path)]

    def agreement(self, job, engine, reference):
        """Largest difference from the reference's output, and PSNR in its range."""
        import numpy
        from safetensors.numpy import load_file

        ours, theirs = (
            load_file(self.output(job, name))["output"].astype(numpy.float64)
            for name in (engine, reference))
        if ours.shape != theirs.shape:
            sys.exit(f"{job}: {engine} gives {ours.shape}, {reference} {theirs.shape}")
        difference = numpy.abs(ours - theirs)
        error = numpy.sqrt(numpy.mean(difference**2))
        # Equal outputs count as 200 dB, which JSON can hold.
        psnr = 20 * numpy.log10(numpy.ptp(theirs) / error) if error > 0 else 200.0
        return {"max_abs": float(difference.max()), "psnr_db": float(min(psnr, 200))}

    def engines(self, job):
        """Whole commands are written for lvae and OpenVINO only, training for lvae and PyTorch."""
        able = ENGINES + ["pytorch-bf16"]
        if job in COMMANDS:
            able = ["lvae", "openvino"]
        elif job.startswith("train-"):
            able = ["lvae", "pytorch"]
        return [name for name in self.given.engines if name in able]

    def rows(self):
        results, disagreements = {}, []
        for job in self.given.jobs:
            for engine in self.engines(job):
                self.prepare(job, engine)
        for round in range(self.given.rounds):
            for job in self.given.jobs:
                for engine in self.engines(job):
                    result = self.measure(job, engine)
                    results.setdefault((job, engine), []).append(result)
                    times = ", ".join(f"{time:.0f}" for time in result["runs_ms"])
                    print(
                        f"round {round + 1}: {job} {engine}: {times} ms, "
                        f"{result['peak_mb']:.0f} MB, load {os.getloadavg()[0]:.1f}",
                        file=sys.stderr, flush=True)
        rows = []
        for (job, engine), runs in results.items():
            row = compare_report.row(job, engine, self.given.threads, runs)
            names = self.engines(job)
            reference = "pytorch" if "pytorch" in names else names[-1]
            if job not in COMMANDS and engine != reference:
                row |= self.agreement(job, engine, reference)
                if row["precision"] == "f32" and row["psnr_db"] < LEAST_PSNR:
                    disagreements.append(
                        f"{job}: {engine} and {reference} agree to {row['psnr_db']:.1f} dB only")
            rows.append(row)
        return rows, disagreements

    def notes(self, load):
        model = next(
            (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line),
            platform.machine())
        version = subprocess.run(
            [self.lvae, "--version"], capture_output=True, text=True).stdout.strip()
        commit = subprocess.run(
            ["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True,
            text=True).stdout.strip()
        peers = (HERE / "compare-requirements.txt").read_text().split()
        wanted = ("torch=", "onnxruntime=", "openvino=")
        return [
            f"{model}, {self.given.threads} threads"
            + (f", limited to {self.given.isa}" if self.given.isa else ""),
            f"lvae {version} ({commit}); " + ", ".join(p for p in peers if p.startswith(wanted)),
            f"{self.given.rounds} alternating rounds; medians; load {load:.1f} before and "
            f"{os.getloadavg()[0]:.1f} after; MB are 10⁶ bytes of peak resident memory",
            "processor ms are those of all threads for one run, which other work on the machine "
            "hardly changes; PSNR and differences are from PyTorch's float32 output"]


def main():
    given = options()
    if given.self_test:
        compare_report.self_test()
        print("ok")
        return
    comparison = Comparison(given)
    try:
        load = os.getloadavg()[0]
        rows, disagreements = comparison.rows()
        table = compare_report.markdown(rows, comparison.notes(load))
    finally:
        shutil.rmtree(comparison.scratch, ignore_errors=True)
    print(table)
    if given.markdown:
        pathlib.Path(given.markdown).write_text(table)
    if given.svg:
        chart = compare_report.svg(rows, f"Median time, {given.threads} threads; less is better")
        pathlib.Path(given.svg).write_text(chart)
    if given.json:
        compare_report.write_json(rows, given.json)
    if disagreements:
        sys.exit("outputs differ:\n" + "\n".join(disagreements))


if __name__ == "__main__":
    main()
