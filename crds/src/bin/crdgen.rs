//! Prints the CustomResourceDefinitions.
fn main() {}
