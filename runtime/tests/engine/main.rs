//! The engine and the service layer, on small artifacts in a temporary folder.

#![cfg(test)]

mod artifacts;
mod world;

mod commands;
mod pages;
mod reloads;
mod requests;
