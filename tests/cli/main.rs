//! The program `osprey` as a user runs it.

mod bench;
mod detect;
mod exif;
mod faults;
mod info;
mod paths;
mod scratch;
mod tensors;
