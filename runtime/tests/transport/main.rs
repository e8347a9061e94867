//! The listeners of the real binary, over real sockets: what they refuse, their limits, and how they close.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows a test by its attribute: these are the functions that tests share, and they fail as tests do"
)]
#![allow(clippy::type_complexity, reason = "the types of tables are read in their rows")]

mod world;

mod age;
mod drain;
mod encodings;
mod grpc;
mod guards;
mod oip;
mod operations;
mod overload;
mod refusals;
mod tls;
mod traces;
