"""Importing this keeps uvicorn on 127.0.0.1: kserve's model server has no flag for the address."""

import uvicorn


class Loopback(uvicorn.Config):
    """Listens where the benchmark asks, and nowhere else."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "host": "127.0.0.1"})


uvicorn.Config = Loopback
