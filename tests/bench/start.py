"""Time from start to ready with a 100 MB artifact on a warm disk, including the checksum. The peer is a Python server that loads the
same weights."""

import subprocess
import sys
import time

import numpy as np

from row import RELEASE, REPOSITORY, Row, alternated
from serving import free_port, wait_until_ready

VIEWERS, TITLES, FACTORS = 380_000, 20_000, 64


def until_ready(command: list[str], url: str, log) -> float:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until_ready(url, process)
        return time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(timeout=20)


def rows(out):
    folder = out / "start"
    folder.mkdir(exist_ok=True)
    made = RELEASE / "examples" / "make_artifact"
    subprocess.run([str(made), str(folder / "artifacts" / "big"), str(VIEWERS), str(TITLES), str(FACTORS)], check=True)
    random = np.random.default_rng(1)
    np.savez(folder / "weights.npz", viewers=random.standard_normal((VIEWERS, FACTORS), dtype=np.float32),
             titles=random.standard_normal((TITLES, FACTORS), dtype=np.float32))  # fmt: skip
    bench = REPOSITORY / "tests" / "bench"
    with open(folder / "log", "wb") as log:

        def mine() -> float:
            port = free_port()
            command = [str(RELEASE / "marquee-runtime"), "serve", "--manifests", str(bench / "manifests-start"),
                       "--volume", f"/artifacts={folder / 'artifacts'}", "--http", f"127.0.0.1:{port}",
                       "--grpc", f"127.0.0.1:{free_port()}"]  # fmt: skip
            return until_ready(command, f"http://127.0.0.1:{port}/readyz", log)

        def theirs() -> float:
            port = free_port()
            command = [sys.executable, str(bench / "kserve_start.py"), str(folder / "weights.npz"), str(port)]
            return until_ready(command, f"http://127.0.0.1:{port}/v2/health/ready", log)

        fast, slow = alternated(3, mine, theirs)
    work = "start to ready, 100 MB artifact, warm disk, checksum included"
    yield Row.of_medians(work, fast, slow, peer="kserve, numpy", unit="s", must=0.1, goal=0.07)
