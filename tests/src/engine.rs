//! Running models on the engine.

use crate::arrays::numbers;
use osprey_engine::{Graph, Options, Program, Result, Session};

/// A session of the model in `file`.
///
/// # Errors
/// What the engine says against the file.
pub fn session(file: &[u8], options: &Options) -> Result<Session> {
    Session::new(Program::compile(&Graph::read(file)?, options)?.into())
}

/// Runs `session` on the given inputs; inputs that are not given are zero.
///
/// # Errors
/// An input of a wrong length.
pub fn run<B: AsRef<[u8]>>(session: &mut Session, inputs: &[B]) -> Result<()> {
    for index in 0..session.program().inputs().len() {
        match inputs.get(index) {
            Some(bytes) => session.set_input(index, bytes.as_ref())?,
            None => session.input_mut(index)?.fill(0),
        }
    }
    session.run();
    Ok(())
}

/// All outputs as stored numbers.
pub fn outputs(session: &Session) -> Vec<Vec<f64>> {
    let ports = session.program().outputs().iter().enumerate();
    ports.map(|(i, port)| numbers(port.dtype, session.output(i).unwrap_or_default())).collect()
}
