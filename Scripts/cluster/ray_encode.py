#!/usr/bin/env python3
"""Encode WebDataset shards with Ray Data: each worker keeps one `lvae` running for all its shards.

    Scripts/cluster/ray_encode.py -o OUTPUT SHARD.tar… [--workers 4] [--model NAME] [--storage int8]

A worker feeds the members of its shards to `lvae encode -`, which reads a tar from its standard input as
long as it comes and writes one to its standard output. So the model is loaded once a worker, and pictures
of the next shard are read while those of the last are computed. An output appears under its name when it
is whole; shards whose output is there are skipped. A shard with pictures that can't be encoded is done
without their samples, and says which. Needs `pip install "ray[data]"`.
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import threading

MARK = "lvae-end-of-shard"


class Worker:
    """One `lvae encode -`, for shards one behind the other."""

    def __init__(self, program, options, output):
        self.output = output
        self.number = 0
        self.errors = []
        self.process = subprocess.Popen(
            [program, "encode", "-", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        threading.Thread(target=self.listen, daemon=True).start()
        self.results = None

    def listen(self):
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace").rstrip())

    def put(self, name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        # Not by tarfile.open(mode="w|"), which keeps the last block back.
        self.process.stdin.write(info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512))

    def feed(self, path, prefix):
        """Sends a shard, each name behind a prefix that no other shard has, and marks its end."""
        with tarfile.open(path, "r|*") as shard:
            for member in shard:
                if member.isfile():
                    self.put(f"{prefix}/{member.name}", shard.extractfile(member).read())
        # A sample is written when the next one begins: the second mark lets the first one through.
        self.put(f"{MARK}/{self.number}.a", b"")
        self.put(f"{MARK}/{self.number}.b/x", b"")
        self.process.stdin.flush()

    def __call__(self, row):
        path = row["path"]
        target = os.path.join(self.output, os.path.basename(path))
        if os.path.exists(target):
            return {"path": path, "members": 0, "failed": [], "skipped": True}
        self.number += 1
        prefix, first_error = f"{self.number}", len(self.errors)
        feeder = threading.Thread(target=self.feed, args=(path, prefix))
        feeder.start()
        if self.results is None:
            self.results = tarfile.open(fileobj=self.process.stdout, mode="r|", bufsize=512)
        temporary, count = f"{target}.{os.getpid()}.part", 0
        with tarfile.open(temporary, "w") as shard:
            while member := self.results.next():
                self.results.members.clear()  # else all members ever read are kept
                if member.name == f"{MARK}/{self.number}.a":
                    break
                if member.name.startswith(MARK):
                    continue
                data = self.results.extractfile(member).read()
                member.name = member.name[len(prefix) + 1 :]
                member.pax_headers = {}
                shard.addfile(member, io.BytesIO(data))
                count += member.name.endswith(".latent")
            else:
                raise RuntimeError(f"lvae ended early: {self.errors[-3:]}")
        feeder.join()
        os.rename(temporary, target)
        failed = [line for line in self.errors[first_error:] if f": {prefix}/" in line]
        return {"path": path, "members": count, "failed": failed, "skipped": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shards", nargs="+")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 1)))
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument("--lvae", default=os.environ.get("LVAE", "lvae"))
    options, others = parser.parse_known_args()

    import ray

    os.makedirs(options.output, exist_ok=True)
    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items(
        [{"path": os.path.abspath(path)} for path in options.shards],
        override_num_blocks=len(options.shards))
    workers = ray.data.ActorPoolStrategy(
        min_size=1, max_size=min(options.workers, len(options.shards)),
        max_tasks_in_flight_per_actor=2)
    results = rows.map(
        Worker, compute=workers, num_cpus=options.threads,
        fn_constructor_args=(
            options.lvae, ["--threads", str(options.threads), *others],
            os.path.abspath(options.output)))
    failed = 0
    for row in results.iter_rows():
        failed += len(row["failed"])
        print(f"{row['path']}: " + ("there already" if row["skipped"] else f"{row['members']} latents"))
        for line in row["failed"]:
            print(f"  {line}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
