//! `osprey train` and `osprey classify`.

mod classify;
mod description;
mod pictures;
mod plot;
mod saved;
mod train;
mod validate;

pub(crate) use classify::{ClassifyArgs, run as classify};
pub(crate) use train::{TrainArgs, run as train};
