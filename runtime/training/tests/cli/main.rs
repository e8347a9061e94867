//! The three commands end to end, as a person would run them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod world;

mod training;

mod measuring;

mod full_disk;

mod movielens;

mod made_up;
