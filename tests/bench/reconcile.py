"""The operator with many objects, on etcd and an API server only. The peer is an idiomatic controller-runtime operator for the same
RankingModels.

All resources exist before the operator starts. The time is from its start to its last write; CPU and memory are of its process.
Ours also has PageLayouts and more children for each model, so the rows compare costs for each child.
"""

import collections
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

from api import NAMESPACE, READS, Api
from row import RELEASE, REPOSITORY, Row
from serving import free_port

SMALL, LARGE, MODELS_A_LAYOUT = 100, 1000, 10
REPETITIONS = 3
QUIET, LATEST, IDLE = 2.0, 300.0, 60.0  # seconds: without a write it is done; give up; how long idleness is watched
CHANGES, CHANGES_A_SECOND = 200, 5
CHILDREN = (
    "/apis/apps/v1/deployments", "/api/v1/services", "/api/v1/configmaps", "/api/v1/serviceaccounts",
    "/apis/autoscaling/v2/horizontalpodautoscalers", "/apis/policy/v1/poddisruptionbudgets",
    "/apis/networking.k8s.io/v1/networkpolicies", "/apis/rbac.authorization.k8s.io/v1/rolebindings",
)  # fmt: skip
USERS = ("ours", "peer")
PRIMARIES = ("rankingmodels", "pagelayouts")
TICKS = os.sysconf("SC_CLK_TCK")


class Operator:
    """A running operator and its costs."""

    def __init__(self, api: Api, name: str, log):
        command = ours() if name == "ours" else [peer()]
        environment = {**os.environ, "KUBECONFIG": api.users[name]}
        self.started = time.time()
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def cpu(self) -> float:
        """Seconds of user and system time since it started."""
        if self.process.poll() is not None:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.returncode}")
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self) -> float:
        """Peak resident memory in megabytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise SystemExit("no VmHWM in /proc")

    def until_still(self) -> None:
        """Waits until the operator is almost idle."""
        deadline, used, since = time.time() + LATEST, self.cpu(), time.time()
        while time.time() - since < QUIET:
            time.sleep(0.25)
            now = self.cpu()
            if now - used > 0.03:
                used, since = now, time.time()
            if time.time() > deadline:
                raise SystemExit(f"{self.process.args[0]} never comes to rest")


@dataclasses.dataclass
class Run:
    """Costs of creating the children of the models."""

    models: int
    children: int
    seconds: float
    writing_seconds: float
    cpu: float
    start_cpu: float
    peak: float
    verbs: dict
    most_child_writes: int
    most_status_writes: int

    def cpu_a_model(self) -> float:
        return (self.cpu - self.start_cpu) / self.models

    def told(self) -> str:
        calls = ", ".join(f"{count} {verb}" for verb, count in sorted(self.verbs.items()))
        return (
            f"{self.models} models, {self.children} children: {self.seconds:.2f} s, {self.cpu:.2f} CPU s, "
            f"{self.peak:.1f} MB, {calls}"
        )


@dataclasses.dataclass
class Afterwards:
    """Costs when all children exist."""

    idle_writes: int
    change_seconds: list[float]
    change_writes: float
    peak: float
    restart_writes: int
    restart: dict

    def p99(self) -> float:
        ordered = sorted(self.change_seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]

    def told(self) -> str:
        calls = ", ".join(f"{count} {verb}" for verb, count in sorted(self.restart.items()))
        return (
            f"p50 {statistics.median(self.change_seconds) * 1e3:.1f} ms, p99 {self.p99() * 1e3:.1f} ms, {self.change_writes:.1f} "
            f"writes a change; {self.idle_writes} writes in {IDLE:.0f} idle s; restart: {calls}; {self.peak:.1f} MB at the end"
        )


def ours() -> list[str]:
    return [str(RELEASE / "marquee-operator"), "--http", f"127.0.0.1:{free_port()}", "--lease-namespace", "default"]


def peer() -> str:
    return str(pathlib.Path(os.environ["MARQUEE_CACHE"]) / "tools" / "bench" / "controller-runtime")


def set_up() -> None:
    """Builds what only this row needs: the programs of the API server, and the peer."""
    subprocess.run([str(REPOSITORY / "tests" / "setup" / "cluster.sh")], check=True)
    command = ["go", "build", "-p", "2", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", peer(), "."]
    source = REPOSITORY / "tests" / "bench" / "controller-runtime"
    subprocess.run(command, check=True, cwd=source, env={**os.environ, "CGO_ENABLED": "0"})


def model(number: int) -> dict:
    name = f"model-{number:04}"
    spec = {
        "surface": f"surface-{number // MODELS_A_LAYOUT:03}", "objective": f"objective-{number:04}",
        "artifact": {"uri": f"s3://artifacts/{name}", "sha256": digest(name)},
        "serving": {"replicas": {"min": 1, "max": 3}},
    }  # fmt: skip
    return {"apiVersion": "marquee.dev/v1alpha1", "kind": "RankingModel", "metadata": {"name": name}, "spec": spec}


def layout(number: int) -> dict:
    rows = [
        {"name": f"row-{n}", "heading": f"Row {n}", "source": {"model": {"objective": f"objective-{n:04}"}}}
        for n in range(number * MODELS_A_LAYOUT, (number + 1) * MODELS_A_LAYOUT)
    ]
    spec = {
        "surface": f"surface-{number:03}", "candidateRows": rows, "replicas": {"min": 1, "max": 3},
        "catalogue": {"uri": f"s3://artifacts/catalogue-{number}", "sha256": digest(f"catalogue-{number}")},
    }  # fmt: skip
    name = {"name": f"layout-{number:03}"}
    return {"apiVersion": "marquee.dev/v1alpha1", "kind": "PageLayout", "metadata": name, "spec": spec}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def writes(api: Api, user: str, since: float = 0.0) -> list:
    return [call for call in api.heard() if call.user == user and call.ended >= since and call.writes()]


def verbs(api: Api, user: str, since: float) -> dict:
    calls = [call for call in api.heard() if call.user == user and call.ended >= since and call.resource != "leases"]
    return dict(collections.Counter(call.verb for call in calls))


def until_quiet(api: Api, operator: Operator, user: str, enough) -> None:
    """Waits until `enough` accepts the operator's writes and no write has followed for a while."""
    deadline = time.time() + LATEST
    while True:
        operator.cpu()  # says so if it has ended
        done = writes(api, user, operator.started)
        if enough(done) and time.time() - done[-1].ended > QUIET:
            return
        if time.time() > deadline:
            raise SystemExit(f"{user}: {len(done)} writes in {LATEST} s, and not done")
        time.sleep(0.5)


def children(api: Api) -> int:
    """Objects that a RankingModel or a PageLayout owns."""
    return sum(1 for kind in CHILDREN for thing in api.listed(kind) if thing["metadata"].get("ownerReferences"))


def expect_reported(api: Api) -> None:
    for plural in PRIMARIES:
        for thing in api.listed(f"/apis/marquee.dev/v1alpha1/{plural}"):
            if thing.get("status", {}).get("observedGeneration") != thing["metadata"]["generation"]:
                raise SystemExit(f"{plural} {thing['metadata']['name']} has no status of its generation")


@contextlib.contextmanager
def all_there(user: str, models: int, start_cpu: float, log):
    """A server with this number of models and all their children. The operator keeps running."""
    with Api(user) as api:
        layouts = models // MODELS_A_LAYOUT if user == "ours" else 0
        api.create("rankingmodels", [model(n) for n in range(models)])
        api.create("pagelayouts", [layout(n) for n in range(layouts)])
        with Operator(api, user, log) as operator:

            def enough(done):
                reported = {(call.resource, call.name) for call in done if call.resource in PRIMARIES}
                return len(reported) >= models + layouts

            until_quiet(api, operator, user, enough)
            cpu, peak, done = operator.cpu(), operator.peak(), writes(api, user, operator.started)
            expect_reported(api)
            count = collections.Counter((call.resource, call.name) for call in done)
            most = {
                primary: max((n for (kind, _), n in count.items() if (kind in PRIMARIES) == primary), default=0)
                for primary in (True, False)
            }
            yield api, operator, Run(
                models=models, children=children(api), seconds=done[-1].ended - operator.started, cpu=cpu, peak=peak,
                writing_seconds=done[-1].ended - done[0].ended, start_cpu=start_cpu, most_child_writes=most[False],
                most_status_writes=most[True], verbs=verbs(api, user, operator.started),
            )  # fmt: skip


def start_cost(user: str, log) -> float:
    """CPU seconds until the operator is idle after a start with no work."""
    with Api(user) as api, Operator(api, user, log) as operator:
        operator.until_still()
        return operator.cpu()


def afterwards(api: Api, operator: Operator, user: str, log) -> Afterwards:
    settled = time.time()
    time.sleep(IDLE)  # the idleness is what is measured
    idle = len(writes(api, user, settled))
    changing = time.time()
    asked = {}
    for n in range(CHANGES):
        due = changing + n / CHANGES_A_SECOND
        time.sleep(max(0.0, due - time.time()))
        name = f"model-{n * (LARGE // CHANGES):04}"
        path = f"/apis/marquee.dev/v1alpha1/namespaces/{NAMESPACE}/rankingmodels/{name}"
        change = {"spec": {"artifact": {"sha256": digest(f"{name} changed")}}}
        api.ask("PATCH", path, change, "application/merge-patch+json")

    def enough(done):
        reported = {call.name for call in done if call.ended >= changing and call.resource == "rankingmodels"}
        return len(reported) >= CHANGES

    until_quiet(api, operator, user, enough)
    expect_reported(api)
    told = {}
    for call in api.heard():
        if call.user == "admin" and call.verb == "patch" and call.resource == "rankingmodels":
            asked[call.name] = call.ended
        elif call.user == user and call.writes() and call.resource == "rankingmodels" and call.name in asked:
            told.setdefault(call.name, call.ended - asked[call.name])
    changes = len(writes(api, user, changing))
    peak = operator.peak()
    operator.end()
    restarted = time.time()
    with Operator(api, user, log) as again:
        again.until_still()
        return Afterwards(
            idle_writes=idle, change_seconds=list(told.values()), change_writes=changes / CHANGES, peak=peak,
            restart_writes=len(writes(api, user, restarted)), restart=verbs(api, user, restarted),
        )  # fmt: skip


def rows(out):
    set_up()
    runs, after = collections.defaultdict(list), {}
    with open(out / "operator.log", "wb") as log:
        start = {user: start_cost(user, log) for user in USERS}
        for repetition in range(REPETITIONS):
            for models in (SMALL, LARGE):
                for user in USERS:
                    with all_there(user, models, start[user], log) as (api, operator, run):
                        runs[user, models].append(run)
                        print(f"    {user}: {run.told()}", file=sys.stderr, flush=True)
                        if models == LARGE and repetition == 0:
                            after[user] = afterwards(api, operator, user, log)
                            print(f"    {user}: {after[user].told()}", file=sys.stderr, flush=True)
    yield from table(runs, after)


def table(runs: dict, after: dict):
    def median(user: str, models: int, of) -> float:
        return statistics.median(of(run) for run in runs[user, models])

    def compared(work: str, unit: str, of, must: float, goal: float) -> Row:
        both = ([of(run) for run in runs[user, LARGE]] for user in USERS)
        return Row.of_medians(work, *both, peer="controller-runtime", unit=unit, must=must, goal=goal, note=note)

    def bound(work: str, unit: str, value: float, most: float, goal: float = 1.0, told: str = "") -> Row:
        return Row(work=work, peer=f"{most:g} {unit}", unit=unit, ours=value, theirs=most, must=1.0, goal=goal, note=told)

    ours, note = runs["ours", LARGE], "; ".join(f"{user}: {runs[user, LARGE][0].told()}" for user in USERS)
    own, theirs = after["ours"], after["peer"]
    peak = max([own.peak, *(run.peak for run in ours)])
    their_peak = max([theirs.peak, *(run.peak for run in runs["peer", LARGE])])
    yield compared(f"{LARGE} models and {LARGE // MODELS_A_LAYOUT} layouts: time a child", "ms",
                   lambda run: run.seconds / run.children * 1e3, must=0.9, goal=0.5)  # fmt: skip
    yield compared("the same: CPU a child", "ms", lambda run: run.cpu / run.children * 1e3, must=0.55, goal=0.5)
    yield bound("the same: peak resident memory", "MB", peak, 75, told=f"controller-runtime {their_peak:.1f} MB")
    yield Row(work="the same: peak resident memory", peer="controller-runtime", unit="MB", ours=peak, theirs=their_peak,
              must=1.0, goal=0.5)  # fmt: skip
    yield bound("the same: most writes of one child", "writes", max(run.most_child_writes for run in ours), 1)
    yield bound("the same: most writes of one status", "writes", max(run.most_status_writes for run in ours), 2)
    for name, of in (("CPU", Run.cpu_a_model), ("time", lambda run: run.writing_seconds / run.models)):
        many, few = (median("ours", models, of) * 1e3 for models in (LARGE, SMALL))
        yield Row(work=f"{name} a model, {LARGE} models", peer=f"{SMALL} models", unit="ms", ours=many, theirs=few, must=1.2,
                  goal=1.0)  # fmt: skip
    yield bound(f"one changed model among {LARGE}, p99 until its status says so", "ms", own.p99() * 1e3, 250,
                told=f"ours: {own.told()}; controller-runtime: {theirs.told()}")  # fmt: skip
    for work, count in ((f"writes in {IDLE:.0f} idle seconds", own.idle_writes), ("writes after a restart", own.restart_writes)):
        yield Row(work=work, peer="none", unit="writes", ours=count, theirs=1, must=0.0, goal=0.0, note=own.told())
