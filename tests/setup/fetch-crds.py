#!/usr/bin/env python3
"""Fetch the CRDs of other projects into a folder: fetch-crds.py FOLDER

Tests install them to see what the operator does where they are. They lie in the projects' Go modules, pinned by the
sum that the Go checksum database knows.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

MODULES = {
    "gateway-api": (
        "sigs.k8s.io/gateway-api@v1.7.0",
        "h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=",
        "config/crd/standard/gateway.networking.k8s.io_",
    ),
    "prometheus-operator": (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd/monitoring.coreos.com_",
    ),
    "keda": (
        "github.com/kedacore/keda/v2@v2.18.1",
        "h1:h6bRt/IOxxtZpJlHSqhdH/lcInH7Z9obxg/JvWOmGAw=",
        "config/crd/bases/keda.sh_",
    ),
}
# Of what each project defines, what Marquee's resources and chart know.
WANTED = {
    "gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants",
    "servicemonitors", "podmonitors", "prometheusrules", "scaledobjects",
}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for project, (module, expected, prefix) in MODULES.items():
        folder = pathlib.Path(sys.argv[1]) / project
        folder.mkdir(parents=True, exist_ok=True)
        # Away from any module. A module may ask for a newer Go than is here: only its archive is wanted.
        with tempfile.TemporaryDirectory() as scratch:
            download = ["go", "mod", "download", "-json", module]
            answer = subprocess.run(download, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = json.loads(answer.stdout or "{}")
        if said.get("Sum") != expected:
            sys.exit(f"{module}: sum is {said.get('Sum')}, expected {expected}; {said.get('Error')} {answer.stderr}")
        with zipfile.ZipFile(said["Zip"]) as archive:
            for name in archive.namelist():
                kind = name.partition(f"{module}/{prefix}")[2].removesuffix(".yaml")
                if kind in WANTED:
                    (folder / f"{kind}.yaml").write_bytes(archive.read(name))
        print(f"{project}: {', '.join(sorted(file.stem for file in folder.iterdir()))}", file=sys.stderr)


if __name__ == "__main__":
    main()
