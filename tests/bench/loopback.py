"""Importing this module makes uvicorn listen on 127.0.0.1. The model server of kserve has no flag for the address."""

import uvicorn


class Loopback(uvicorn.Config):
    """Listens only on 127.0.0.1."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "host": "127.0.0.1"})


uvicorn.Config = Loopback
