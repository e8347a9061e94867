"""Sends requests to a running server with PyPI's `tritonclient`, over HTTP and gRPC, and prints the answers as JSON.

client.py HTTP_ADDRESS GRPC_ADDRESS MODEL
"""

import json
import sys

import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http


def texts(rows):
    return np.array([[value.encode() for value in row] for row in rows], dtype=np.object_)


def infer(protocol, client, model, tensors, **options):
    """One inference; `tensors` maps a name to (data type, array)."""
    inputs = []
    for name, (datatype, values) in tensors.items():
        tensor = protocol.InferInput(name, list(values.shape), datatype)
        binary = {} if protocol is over_grpc else {"binary_data": options.get("binary_in", True)}
        tensor.set_data_from_numpy(values, **binary)
        inputs.append(tensor)
    wanted = None
    if "binary_out" in options:
        wanted = [protocol.InferRequestedOutput("scores", binary_data=options["binary_out"])]
    elif options.get("named"):
        wanted = [protocol.InferRequestedOutput("scores")]
    encoding = options.get("encoding")
    names = ["compression_algorithm"] if protocol is over_grpc else ["request_compression_algorithm", "response_compression_algorithm"]
    answer = client.infer(model, inputs, outputs=wanted, request_id="a-1", **dict.fromkeys(names, encoding))
    scores = answer.as_numpy("scores")
    assert scores.dtype == np.float32, scores.dtype
    return scores.tolist()


def refused(protocol, client, model, tensors):
    try:
        infer(protocol, client, model, tensors)
    except Exception as error:  # both halves have an exception of their own
        return str(error)
    raise SystemExit("an inference that must be refused was answered")


def ask(protocol, client, model):
    ids = texts([["10", "11", "17"]])
    one = {"viewer": ("BYTES", texts([["1"]])), "titles": ("BYTES", ids)}
    two = {
        "viewer": ("BYTES", texts([["1"], ["stranger"]])),
        "titles": ("BYTES", texts([["10", "11"], ["12", "13"]])),
        "recent": ("BYTES", texts([["", ""], ["14", ""]])),
    }
    numbers = {"viewer": ("INT32", np.array([[1]], dtype=np.int32)), "titles": ("INT64", np.array([[10, 11, 17]]))}
    metadata = client.get_model_metadata(model)
    if protocol is over_grpc:
        metadata = {"name": metadata.name, "inputs": [{"name": each.name} for each in metadata.inputs]}
    answers = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model),
        "other_ready": client.is_model_ready("other") if protocol is over_http else False,
        "metadata": {"name": metadata["name"], "inputs": [each["name"] for each in metadata["inputs"]]},
        "one": infer(protocol, client, model, one),
        "named": infer(protocol, client, model, one, named=True),
        "two": infer(protocol, client, model, two),
        "numbers": infer(protocol, client, model, numbers),
        "gzip": infer(protocol, client, model, one, encoding="gzip"),
        "deflate": infer(protocol, client, model, one, encoding="deflate"),
        "unknown_title": refused(protocol, client, model, {**one, "titles": ("BYTES", texts([["99"]]))}),
        "unknown_model": refused(protocol, client, "other", one),
    }
    if protocol is over_http:
        answers["plain_in"] = infer(protocol, client, model, one, binary_in=False)
        answers["plain_out"] = infer(protocol, client, model, one, binary_out=False)
        answers["plain"] = infer(protocol, client, model, one, binary_in=False, binary_out=False)
    return answers


def main():
    http, grpc, model = sys.argv[1:]
    answers = {
        "http": ask(over_http, over_http.InferenceServerClient(http), model),
        "grpc": ask(over_grpc, over_grpc.InferenceServerClient(grpc), model),
    }
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
