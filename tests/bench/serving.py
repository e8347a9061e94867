"""Serving over HTTP, with one core for the server and one for the load. The peer is the model server of PyPI `kserve` with numpy, with its request log off.

Both servers run all the time, and rounds of load alternate between them. Latency rows compare p99 in milliseconds.
"""

import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

import numpy as np

from artifact import ROWS, ml_100k, numpy_model, trained
from row import RELEASE, Row

ROUNDS, SECONDS, SERVER_CORE, LOAD_CORE = 3, 3, "0", "1"
OPEN_SHARE = 0.8  # of what the peer manages in a closed loop: the load under which a team would still run it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url: str, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"server ended with {process.returncode} before it was ready")
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        time.sleep(0.005)
    raise SystemExit(f"{url} was not ready within {seconds} s")


@contextlib.contextmanager
def running(command: list[str], url: str, log):
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until_ready(url, process)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def serve_command(out, port: int) -> list[str]:
    return [
        str(RELEASE / "marquee-runtime"), "serve", "--manifests", str(ROWS), "--http", f"127.0.0.1:{port}",
        "--grpc", f"127.0.0.1:{free_port()}", "--volume", f"/artifacts={out / 'artifacts'}",
    ]  # fmt: skip


def load(port: int, path: str, bodies, connections: int, rate: int | None = None) -> dict:
    command = ["taskset", "-c", LOAD_CORE, str(RELEASE / "load"), f"127.0.0.1:{port}", path, str(bodies)]
    command += [str(connections), str(SECONDS)] + ([str(rate)] if rate else [])
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if answer["failed"]:
        raise SystemExit(f"{path}: {answer['failed']} of {answer['requests']} requests failed")
    return answer


def bodies(out, name: str, lines) -> object:
    path = out / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(line, separators=(",", ":")) for line in lines) + "\n")
    return path


def tensor(name: str, values: list[int]) -> dict:
    return {"name": name, "shape": [1, len(values)], "datatype": "INT64", "data": values}


def rows(out):
    if len(os.sched_getaffinity(0)) < 2:
        print("serving rows need two cores: one for the server, one for the load", file=sys.stderr)
        return
    trained(out)
    data = ml_100k()
    numpy_model(out)
    choice = random.Random(3)
    viewers = [choice.randrange(1, 944) for _ in range(512)]
    scores = [
        {"inputs": [tensor("viewer", [v]), tensor("titles", choice.sample(data.titles, 100))]} for v in viewers
    ]
    score_bodies = bodies(out, "score", scores)
    page_ours = bodies(out, "page-ours", [{"viewer": str(v)} for v in viewers])
    page_theirs = bodies(out, "page-theirs", [{"inputs": [tensor("viewer", [v])]} for v in viewers])
    ours_port, theirs_port = free_port(), free_port()
    pin = ["taskset", "-c", SERVER_CORE]
    peer = [sys.executable, str(ROWS.parent / "kserve_server.py"), str(out), str(theirs_port)]
    with open(out / "ours.log", "wb") as log, open(out / "theirs.log", "wb") as peer_log, \
        running(pin + serve_command(out, ours_port), f"http://127.0.0.1:{ours_port}/readyz", log), \
        running(pin + peer, f"http://127.0.0.1:{theirs_port}/v2/health/ready", peer_log):  # fmt: skip
        infer = "/v2/models/rated-for-you/infer"
        agree = same_scores(ours_port, theirs_port, infer, scores[:20])
        page = ("/v1/surfaces/home/page", page_ours), ("/v2/models/page/infer", page_theirs)
        cases = [("score 100 titles", (infer, score_bodies), (infer, score_bodies), agree, {1: 10, 16: 10})]
        cases += [("page of 10 rows x 20", *page, True, {1: 14, 16: 18})]
        for work, mine, theirs, sound, must in cases:
            capacity = 0.0
            for connections, is_open in ((1, False), (16, False), (16, True)):
                rate = int(capacity * OPEN_SHARE) if is_open else None
                rounds = [
                    (load(ours_port, *mine, connections, rate), load(theirs_port, *theirs, connections, rate))
                    for _ in range(ROUNDS)
                ]
                fast, slow = ([round[side] for round in rounds] for side in (0, 1))
                both = lambda key: [[answer[key] for answer in side] for side in (fast, slow)]  # noqa: E731
                capacity = max(capacity, statistics.median(both("per_second")[1]))
                name = f"{work}, HTTP, one core, " + (f"open loop {rate}/s" if rate else f"{connections} conn")
                if rate is None:
                    yield Row.of_medians(name, *both("per_second"), peer="kserve", unit="1/s", must=must[connections],
                                         goal=20, more=True, sound=sound)  # fmt: skip
                yield Row.of_medians(name, *both("p99_ms"), peer="kserve", unit="ms p99", must=0.3, goal=0.15,
                                     sound=sound)  # fmt: skip


def same_scores(ours_port: int, theirs_port: int, path: str, requests: list[dict]) -> bool:
    """Whether both return the same scores. Otherwise the figures are not comparable."""
    for request in requests:
        answers = []
        for port in (ours_port, theirs_port):
            body = json.dumps(request).encode()
            call = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(call, timeout=10) as answer:
                answers.append(np.array(json.load(answer)["outputs"][0]["data"], dtype=np.float64))
        if not np.allclose(*answers, atol=1e-4):
            print(f"scores differ: {np.abs(answers[0] - answers[1]).max()}", file=sys.stderr)
            return False
    return True
