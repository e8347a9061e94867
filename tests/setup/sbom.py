#!/usr/bin/env python3
"""Print the components of a binary as SPDX 2.3: sbom.py PACKAGE BINARY LIBRARY...

The crates are those that Cargo.lock pins and that Cargo would compile into the package for this machine, build scripts and
tests left out; the libraries are the shared ones that the image holds, with the Debian package each comes from.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def spdx_id(name: str) -> str:
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", name)


def crates(package: str) -> list[dict]:
    host = re.search(r"^host: (.*)$", output("rustc", "-vV"), re.M).group(1)
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={host}"))
    compiled = output("cargo", "tree", "--locked", "--package", package, "--edges=normal", "--prefix=none",
                      "--format={p}", "--no-dedupe", f"--target={host}")
    wanted = {tuple(line.split(" ")[:2]) for line in compiled.splitlines() if line}
    found = []
    for crate in metadata["packages"]:
        if (crate["name"], "v" + crate["version"]) not in wanted:
            continue
        registered = (crate["source"] or "").startswith("registry+")
        found.append({
            "SPDXID": spdx_id(f"crate-{crate['name']}-{crate['version']}"),
            "name": crate["name"],
            "versionInfo": crate["version"],
            "downloadLocation": crate["repository"] or "NOASSERTION",
            "licenseDeclared": (crate["license"] or "NOASSERTION").replace("/", " OR "),
            "filesAnalyzed": False,
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:cargo/{crate['name']}@{crate['version']}",
            }] if registered else [],
        })
    return sorted(found, key=lambda crate: crate["SPDXID"])


def library(path: str) -> dict:
    owner = version = None
    for candidate in {path, str(pathlib.Path(path).resolve()), "/usr" + path}:
        asked = subprocess.run(["dpkg-query", "--search", candidate], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if asked.returncode == 0:
            owner = asked.stdout.partition(":")[0]
            version = output("dpkg-query", "--show", "--showformat=${Version}", owner + ":amd64")
            break
    return {
        "SPDXID": spdx_id("library-" + pathlib.Path(path).name),
        "name": owner or pathlib.Path(path).name,
        "versionInfo": version or "NOASSERTION",
        "packageFileName": path,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()}],
    }


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    package, binary, *libraries = sys.argv[1:]
    digest = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()
    packages = crates(package) + [library(path) for path in libraries]
    (root,) = [one["SPDXID"] for one in packages if one["name"] == package]
    created = output("git", "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ").strip()
    json.dump({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": package,
        "documentNamespace": f"https://marquee.dev/spdx/{package}-{digest}",
        "creationInfo": {"created": created, "creators": ["Organization: The Marquee authors"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": root},
            *({"spdxElementId": root, "relationshipType": "CONTAINS", "relatedSpdxElement": one["SPDXID"]}
              for one in packages if one["SPDXID"] != root),
        ],
    }, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
