//! Helpers shared by the tests that cross crates.

pub mod arrays;
pub mod assets;
pub mod engine;
pub mod mutate;
