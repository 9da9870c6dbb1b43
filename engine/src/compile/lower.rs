//! From a file's graph to kernels: loops laid out, then the passes that find shapes and kernels.

use super::Options;
use super::passes::{Lowering, passes};
use super::unroll::{self, Unrolled};
use crate::error::Error;
use crate::graph::Graph;
use crate::isa::Isa;
use crate::lowering::Constants;
use std::borrow::Cow;

/// The graph, its shapes corrected, and its kernels; else every reason against it.
pub(super) fn lower<'g, 'a>(
    graph: &'g Graph<'a>,
    options: &Options,
) -> Result<(Cow<'g, Graph<'a>>, Lowering), Vec<Error>> {
    let (needed, limit) = (graph.nodes.len() as u64, options.limits.nodes);
    if needed > limit {
        return Err(vec![Error::TooLarge { needed, limit, unit: "operators" }]);
    }
    let isa = match options.isa {
        Some(isa) => Isa::strongest_up_to(Some(isa)),
        None => Isa::from_env().map_err(|e| vec![e.into()])?,
    };
    let Unrolled { graph, origin } = unroll::unroll(graph, options, isa).map_err(|e| vec![e])?;
    let constants = Constants::fold(&graph, options.limits.memory).map_err(|e| vec![e])?;
    match passes(graph, constants, options, isa) {
        Ok((graph, lowering)) => Ok((graph, Lowering { origin, ..lowering })),
        Err(mut problems) => {
            if let Some(origin) = &origin {
                problems.iter_mut().for_each(|e| e.renumber(origin));
            }
            Err(problems)
        }
    }
}
