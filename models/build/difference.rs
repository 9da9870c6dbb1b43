//! What one file has that another has not.

use std::collections::HashMap;

/// Shortest run of bytes that is worth a piece.
const BLOCK: usize = 64;

/// How to make a file from another one.
pub(crate) struct Difference {
    /// For each piece: how many literals come first, then where in the other file it begins, and its length.
    pub(crate) pieces: Vec<(usize, usize, usize)>,
    /// Bytes that the other file lacks, of all pieces; what no piece takes is the end of the file.
    pub(crate) literals: Vec<u8>,
}

impl Difference {
    /// Looks at each place of `file` for a block of `base`, and takes as much as goes on alike.
    pub(crate) fn new(base: &[u8], file: &[u8]) -> Self {
        let blocks = base.chunks_exact(BLOCK).enumerate();
        let blocks: HashMap<&[u8], usize> = blocks.map(|(i, block)| (block, i * BLOCK)).collect();
        let (mut pieces, mut literals, mut before, mut at) = (Vec::new(), Vec::new(), 0, 0);
        while at < file.len() {
            match file.get(at..at + BLOCK).and_then(|block| blocks.get(block)) {
                Some(&from) => {
                    let alike = file[at..].iter().zip(&base[from..]).take_while(|(a, b)| a == b).count();
                    pieces.push((literals.len() - before, from, alike));
                    before = literals.len();
                    at += alike;
                }
                None => {
                    literals.push(file[at]);
                    at += 1;
                }
            }
        }
        Self { pieces, literals }
    }

    /// About as many bytes as it takes in a program.
    pub(crate) fn size(&self) -> usize {
        self.literals.len() + size_of_val(self.pieces.as_slice())
    }
}
