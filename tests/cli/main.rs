//! The program `osprey` as a user runs it.

mod bench;
mod detect;
mod drift;
mod eval;
mod exif;
mod faults;
mod info;
<<<<<<< HEAD
mod models;
=======
mod live;
>>>>>>> f5bbc79 (osprey live and replay: cameras, folders and video as streams; record, annotate, serve, summarize)
mod paths;
mod scratch;
mod tensors;
