"""Resident memory of a mapped model, compared with its file, and of a process that serves the homepage."""

import pathlib
import subprocess

from artifact import ROWS, trained
from row import RELEASE, REPOSITORY, Row
from serving import free_port, load, running, serve_command
import start

IDLE = REPOSITORY / "tests" / "bench" / "manifests"


def resident(process: subprocess.Popen) -> float:
    """Megabytes, including shared file pages."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS in /proc")


def rows(out):
    trained(out)
    with open(out / "memory.log", "wb") as log:
        port = free_port()
        with running(serve_command(out, port), f"http://127.0.0.1:{port}/readyz", log) as process:
            small = resident(process)
        folder = out / "start" / "artifacts"
        if not (folder / "big").exists():
            subprocess.run([str(RELEASE / "examples" / "make_artifact"), str(folder / "big"),
                            *map(str, (start.VIEWERS, start.TITLES, start.FACTORS))], check=True)  # fmt: skip
        port = free_port()
        command = [str(RELEASE / "marquee-runtime"), "serve", "--manifests", str(ROWS.parent / "manifests-start"),
                   "--volume", f"/artifacts={folder}", "--http", f"127.0.0.1:{port}",
                   "--grpc", f"127.0.0.1:{free_port()}"]  # fmt: skip
        with running(command, f"http://127.0.0.1:{port}/readyz", log) as process:
            big = resident(process)
        size = sum(file.stat().st_size for file in (folder / "big").iterdir()) / 2**20
    demo = out.parent / "demo"
    yield Row(work=f"resident memory over an idle process, model of {size:.0f} MB", peer="its file", unit="MB",
              ours=big - small, theirs=size, must=1.1, goal=1.0)  # fmt: skip
    yield Row(work="resident memory serving the benchmark's page", peer="150 MB", unit="MB", ours=small, theirs=150,
              must=1.0, goal=0.5, note=f"demo artifacts {'present' if demo.exists() else 'absent'}")  # fmt: skip
