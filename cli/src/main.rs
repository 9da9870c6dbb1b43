//! The program `osprey`.
fn main() {}
