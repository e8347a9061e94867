"""A separate API server for the rows of the operator. Objects are created over HTTPS; the audit log shows the requests of each operator."""

import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.parse

from row import RELEASE, REPOSITORY

NAMESPACE = "bench"
READS = ("get", "list", "watch")
PATIENCE = 30  # seconds
WRITERS = 4  # connections of the driver: enough to keep the API server busy


def tool(name: str) -> str:
    return str(pathlib.Path(os.environ["MARQUEE_CACHE"]) / "tools" / "cluster" / "bin" / name)


class Call:
    """One answered request, from the audit log."""

    def __init__(self, event: dict):
        target = event.get("objectRef", {})
        self.user = event["user"]["username"]
        self.verb = event["verb"]
        self.resource = target.get("resource", "")
        self.subresource = target.get("subresource", "")
        self.name = target.get("name", "")
        self.code = event.get("responseStatus", {}).get("code", 0)
        self.ended = datetime.datetime.fromisoformat(event["stageTimestamp"]).timestamp()

    def writes(self) -> bool:
        """Whether the request is a write for a model. Renewals of the leader's lease, and their events, do not count."""
        return self.verb not in READS and self.resource not in ("leases", "events", "")


class Api:
    """etcd and an API server with our CRDs. Each user has all rights."""

    def __init__(self, *users: str):
        self.process = subprocess.Popen(
            [str(RELEASE / "api_server"), *users], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"api_server ended with {self.process.wait()}")
        told = json.loads(line)
        self.users, self.admin, self.audit = told["users"], told["admin"], told["audit"]
        config = json.loads(pathlib.Path(self.admin).read_text())
        self.headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self.tls = ssl.create_default_context(cafile=config["clusters"][0]["cluster"]["certificate-authority"])
        self.host = urllib.parse.urlsplit(told["url"]).netloc
        self.connections = threading.local()
        self.calls: list[Call] = []
        self.read = 0
        self.kubectl("apply", "--server-side", "-f", str(REPOSITORY / "crds" / "manifests"))
        self.kubectl("wait", "--for=condition=Established", "crd", "--all")
        self.kubectl("create", "namespace", NAMESPACE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def kubectl(self, *args: str) -> None:
        command = [tool("kubectl"), "--kubeconfig", self.admin, *args]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def ask(self, method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict:
        if not hasattr(self.connections, "own"):
            self.connections.own = http.client.HTTPSConnection(self.host, context=self.tls, timeout=30)
        connection = self.connections.own
        headers = {**self.headers, "Content-Type": kind}
        deadline = time.monotonic() + PATIENCE
        while True:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 429 or time.monotonic() > deadline:
                break
            time.sleep(0.1)  # a kind that is new: its storage is not ready yet
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()[:500]}")
        return json.loads(text)

    def create(self, plural: str, objects: list[dict]) -> None:
        path = f"/apis/marquee.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}"
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda thing: self.ask("POST", path, thing), objects))

    def listed(self, path: str) -> list[dict]:
        group, plural = path.rsplit("/", 1)
        return self.ask("GET", f"{group}/namespaces/{NAMESPACE}/{plural}")["items"]

    def heard(self) -> list[Call]:
        """All calls so far, in the order of their answers."""
        with open(self.audit, "rb") as log:
            log.seek(self.read)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        self.calls += [Call(json.loads(line)) for line in whole.splitlines()]
        return self.calls
