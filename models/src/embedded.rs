//! Files in the program, some of them as what they differ in from others.

use std::sync::OnceLock;

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// An embedded file.
pub(crate) struct File {
    name: &'static str,
    content: Content,
    /// Put together when it is first asked for.
    whole: OnceLock<Vec<u8>>,
}

/// How a file is held.
#[cfg_attr(not(feature = "weights"), expect(dead_code, reason = "made where there are files"))]
enum Content {
    /// As it is.
    Whole(&'static [u8]),
    /// As pieces of another file and what lies between them.
    Like {
        /// Which of [`FILES`], before this one.
        base: usize,
        /// How many literals, then where a piece of the base begins, and its length.
        pieces: &'static [(usize, usize, usize)],
        /// The bytes between pieces and at the end.
        literals: &'static [u8],
    },
}

impl File {
    #[cfg_attr(not(feature = "weights"), expect(dead_code, reason = "made where there are files"))]
    const fn new(name: &'static str, content: Content) -> Self {
        Self { name, content, whole: OnceLock::new() }
    }

    fn bytes(&'static self) -> &'static [u8] {
        match self.content {
            Content::Whole(bytes) => bytes,
            Content::Like { base, pieces, literals } => {
                self.whole.get_or_init(|| put_together(FILES[base].bytes(), pieces, literals))
            }
        }
    }
}

fn put_together(base: &[u8], pieces: &[(usize, usize, usize)], mut literals: &[u8]) -> Vec<u8> {
    let copied: usize = pieces.iter().map(|(_, _, length)| length).sum();
    let mut whole = Vec::with_capacity(literals.len() + copied);
    for &(before, from, length) in pieces {
        let (first, rest) = literals.split_at(before);
        whole.extend_from_slice(first);
        whole.extend_from_slice(&base[from..from + length]);
        literals = rest;
    }
    whole.extend_from_slice(literals);
    whole
}

/// The text of `manifest.toml`; empty where this was built without weights.
pub(crate) fn manifest() -> &'static str {
    MANIFEST
}

/// The bytes of the file of this name.
pub(crate) fn file(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|file| file.name == name).map(File::bytes)
}

#[cfg(all(test, feature = "weights"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_what_lies_in_the_folder() {
        let mut alike = 0;
        for file in &FILES {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name);
            assert!(file.bytes() == std::fs::read(path).unwrap(), "{}", file.name);
            alike += usize::from(matches!(file.content, Content::Like { .. }));
        }
        assert!(alike >= 1, "the quick detector's weights are the default one's");
    }
}
