//! The doors of the real binary, over real sockets: what is refused and how, what protects them, how they end.

mod world;

mod drain;
mod grpc;
mod guards;
mod oip;
mod operations;
mod overload;
mod refusals;
mod tls;
mod traces;
