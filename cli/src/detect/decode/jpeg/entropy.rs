//! Huffman codes: one coefficient at a time, or several stepped over by one look.

use memchr::memchr;

/// Bits that one look at a table takes in.
const LOOK: u32 = 12;
/// Marks a code that is longer than a look.
const LONG: u16 = u16::MAX;
/// Positions of a step that there is not.
const NO_STEP: u32 = 127;
/// Zeros behind the data, so that eight bytes can always be read at once.
const PADDING: [u8; 8] = [0; 8];

/// A Huffman table, made ready for decoding and for stepping over.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// By the next [`LOOK`] bits: length of the code << 8 | symbol, or [`LONG`].
    codes: Box<[u16; 1 << LOOK]>,
    /// By the next bits: as many coefficients as their codes tell of.
    steps: Box<[Step; 1 << LOOK]>,
    /// For each length: the first code beyond it, aligned to 16 bits, and the offset of its symbols.
    limits: [u32; 17],
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// Several coefficients of a block, not looked at: their bits | the block ends behind them << 5 |
/// positions that they fill << 6. What is no step fills more positions than a block has.
#[derive(Debug, Clone, Copy)]
struct Step(u16);

impl Huffman {
    /// From the number of codes of each length, 1 to 16, and their symbols. `None` where there are more
    /// codes than such lengths can tell apart.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut codes = Box::new([LONG; 1 << LOOK]);
        let (mut limits, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=16u32 {
            offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                if code >= 1 << length {
                    return None;
                }
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(*symbols.get(index)?);
                    codes[first..first + (1 << (LOOK - length))].fill(entry);
                }
                code += 1;
                index += 1;
            }
            limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        let mut steps = Box::new([Step(0); 1 << LOOK]);
        for (bits, step) in steps.iter_mut().enumerate() {
            *step = Step::from_bits(bits, &codes);
        }
        Some(Self { codes, steps, limits, offsets, symbols: symbols.to_vec() })
    }

    /// The next symbol, such as the size of a difference, or a run and a size.
    #[inline(always)]
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let entry = self.codes[bits.peek(LOOK) as usize];
        if entry != LONG {
            bits.drop(u32::from(entry >> 8));
            return Some(entry as u8);
        }
        self.long_symbol(bits)
    }

    #[cold]
    fn long_symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let next = bits.peek(16);
        let length = (LOOK + 1..=16).find(|&l| next < self.limits[l as usize])?;
        bits.drop(length);
        let index = (next >> (16 - length)) as i32 + self.offsets[length as usize];
        self.symbols.get(usize::try_from(index).ok()?).copied()
    }

    /// The difference of a block's first coefficient to the one before.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        bits.refill();
        let size = self.symbol(bits)?;
        (size <= 15).then(|| bits.value(u32::from(size)))
    }

    /// Decodes the coefficients 1 to `last` (zigzag) of a block and steps over the others.
    pub(super) fn coefficients(&self, bits: &mut Bits<'_>, last: usize, block: &mut [i16; 64]) -> Option<()> {
        let mut k = 1;
        while k <= last {
            bits.refill();
            let symbol = self.symbol(bits)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run != 15 {
                    return Some(());
                }
                k += 16;
                continue;
            }
            k += run;
            *block.get_mut(k)? = bits.value(size) as i16;
            k += 1;
        }
        self.step_over(bits, k)
    }

    /// Steps over a block's coefficients from `k` on.
    #[inline(always)]
    pub(super) fn step_over(&self, bits: &mut Bits<'_>, mut k: usize) -> Option<()> {
        while k < 64 {
            // Two steps take no more bits than are made ready at once.
            bits.refill();
            for _ in 0..2 {
                let step = self.steps[bits.peek(LOOK) as usize];
                // Where the block is full before the step ends, the rest of the step belongs to the next one.
                if k + step.positions() + usize::from(step.ends()) <= 64 {
                    bits.drop(step.bits());
                    k += step.positions();
                    if step.ends() {
                        return Some(());
                    }
                    continue;
                }
                if k >= 64 {
                    break;
                }
                bits.refill();
                let symbol = self.symbol(bits)?;
                let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                if size == 0 && run != 15 {
                    return Some(());
                }
                bits.drop(size);
                k += run + 1;
                break;
            }
        }
        // More coefficients than a block has: damaged.
        (k == 64).then_some(())
    }
}

impl Step {
    /// Follows codes while they lie within the bits of a look.
    fn from_bits(look: usize, codes: &[u16; 1 << LOOK]) -> Self {
        let (mut bits, mut positions, mut ends) = (0u32, 0u32, false);
        while bits < LOOK && positions < 64 && !ends {
            // What lies behind the look is unknown: only codes that end within it count.
            let entry = codes[(look << bits) & ((1 << LOOK) - 1)];
            let length = u32::from(entry >> 8);
            if entry == LONG || bits + length > LOOK {
                break;
            }
            let (run, size) = (u32::from(entry >> 4) & 15, u32::from(entry) & 15);
            bits += length + size;
            ends = size == 0 && run != 15;
            positions += if ends { 0 } else { run + 1 };
        }
        let positions = if bits == 0 { NO_STEP } else { positions };
        Self((bits | u32::from(ends) << 5 | positions << 6) as u16)
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        u32::from(self.0 & 31)
    }

    #[inline(always)]
    fn ends(self) -> bool {
        self.0 & 32 != 0
    }

    #[inline(always)]
    fn positions(self) -> usize {
        usize::from(self.0 >> 6)
    }
}

/// Entropy-coded data without stuffing, from its most significant bit on.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Where this part of the data ends.
    end: usize,
    /// The next byte of which not all bits are counted in `buffer`.
    at: usize,
    /// The next bits, from the top.
    buffer: u64,
    /// How many bits of `buffer` count; those below are the right ones all the same.
    count: u32,
}

impl<'a> Bits<'a> {
    /// `data[start..end]`, where at least [`PADDING`] bytes follow the last part of `data`.
    pub(super) fn new(data: &'a [u8], start: usize, end: usize) -> Self {
        Self { data, end, at: start, buffer: 0, count: 0 }
    }

    /// Makes 56 bits or more ready. Damaged data may ask for more than there are; then zeros come.
    #[inline(always)]
    fn refill(&mut self) {
        let next = self.data.get(self.at..).and_then(|d| d.first_chunk::<8>()).unwrap_or(&[0; 8]);
        self.buffer |= u64::from_be_bytes(*next) >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    fn peek(&self, n: u32) -> u32 {
        (self.buffer >> (64 - n)) as u32
    }

    /// At most 32 at a time, of the bits that [`Bits::refill`] made ready.
    #[inline(always)]
    fn drop(&mut self, n: u32) {
        self.buffer <<= n;
        self.count -= n;
    }

    /// A number of `size` bits, 0..=15: ITU-T T.81, F.2.2.1, EXTEND.
    #[inline(always)]
    fn value(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let value = self.peek(size) as i32;
        self.drop(size);
        if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
    }

    /// One bit.
    pub(super) fn bit(&mut self) -> bool {
        self.refill();
        let bit = self.peek(1) == 1;
        self.drop(1);
        bit
    }

    /// Whether more bits were taken than there were.
    pub(super) fn ran_out(&self) -> bool {
        self.at * 8 > self.end * 8 + self.count as usize
    }
}

/// Takes the stuffing out of a scan's data and splits it at restart markers. Returns the rest of the
/// file, which begins with the marker behind the scan.
pub(super) fn unstuff<'a>(mut file: &'a [u8], plain: &mut Vec<u8>, ends: &mut Vec<usize>) -> &'a [u8] {
    plain.clear();
    ends.clear();
    loop {
        let Some(at) = memchr(0xff, file) else {
            plain.extend_from_slice(file);
            ends.push(plain.len());
            plain.extend(PADDING);
            return &[];
        };
        match file.get(at + 1) {
            Some(0) => {
                plain.extend_from_slice(&file[..=at]);
                file = &file[at + 2..];
            }
            Some(0xd0..=0xd7) => {
                plain.extend_from_slice(&file[..at]);
                ends.push(plain.len());
                file = &file[at + 2..];
            }
            // A fill byte.
            Some(0xff) => {
                plain.extend_from_slice(&file[..at]);
                file = &file[at + 1..];
            }
            _ => {
                plain.extend_from_slice(&file[..at]);
                ends.push(plain.len());
                plain.extend(PADDING);
                return &file[at..];
            }
        }
    }
}

/// The file behind a scan that is not wanted.
pub(super) fn behind(mut file: &[u8]) -> &[u8] {
    while let Some(at) = memchr(0xff, file) {
        match file.get(at + 1) {
            Some(0 | 0xd0..=0xd7) => file = &file[at + 2..],
            Some(0xff) => file = &file[at + 1..],
            _ => return &file[at..],
        }
    }
    &[]
}

pub(super) fn be16(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|b| u16::from_be_bytes(*b))
}
