//! The program `osprey` as a user runs it.

mod bench;
mod boxes;
mod builtin;
mod detect;
mod drift;
mod eval;
mod exif;
mod faults;
mod films;
mod foreign;
mod info;
mod learn;
mod live;
mod mishaps;
mod models;
mod motion;
mod one_way;
mod paths;
mod quantize;
mod resume;
mod scratch;
mod tensors;
mod tiles;
