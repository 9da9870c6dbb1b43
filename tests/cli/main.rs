//! The program `osprey` as a user runs it.

mod bench;
mod detect;
mod drift;
mod eval;
mod exif;
mod faults;
mod info;
mod live;
mod models;
mod paths;
mod scratch;
mod tensors;
