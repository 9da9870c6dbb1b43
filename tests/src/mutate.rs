//! Damaged model files: random bytes, and fields found by walking the file's own structure.

/// A small generator of pseudo-random numbers (splitmix64), the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A number in a file that means something: where it lies and how many bytes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    at: usize,
    size: usize,
}

/// Integers that overflow, index past the end, or ask for more than there is.
const INTEGERS: [i64; 20] = [
    0,
    1,
    2,
    3,
    5,
    -1,
    -2,
    4,
    7,
    127,
    -128,
    255,
    256,
    1 << 15,
    1 << 20,
    1 << 24,
    1 << 30,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
];

/// Scales and factors that overflow, vanish or are no number.
const FLOATS: [f32; 10] =
    [0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-45, 1e-38, f32::MAX, 1e20, 1e-20];

/// A file like `original` with something wrong in it.
pub fn mutate(original: &[u8], fields: &[Field], random: &mut Random) -> Vec<u8> {
    let mut file = original.to_vec();
    match random.below(10) {
        0 => file.truncate(random.below(file.len())),
        1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(file.len());
                file[at] = random.bits() as u8;
            }
        }
        2 => {
            let at = random.below(file.len() / 4) * 4;
            put(&mut file, at, &(random.pick(&INTEGERS) as i32).to_le_bytes());
        }
        3 => {
            let len = random.below(64);
            let (from, to) = (random.below(file.len()), random.below(file.len()));
            let chunk = original[from..(from + len).min(original.len())].to_vec();
            put(&mut file, to, &chunk);
        }
        _ => {
            for _ in 0..=random.below(3) {
                let Field { at, size } = random.pick(fields);
                let bytes = if size == 4 && random.below(4) == 0 {
                    random.pick(&FLOATS).to_le_bytes().to_vec()
                } else {
                    random.pick(&INTEGERS).to_le_bytes()[..size].to_vec()
                };
                put(&mut file, at, &bytes);
            }
        }
    }
    file
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, &from) in file.iter_mut().skip(at).zip(bytes) {
        *to = from;
    }
}

/// The meaningful numbers of a sound model file: shapes, types, quantization, tensor indices,
/// options, and the content of small constants.
pub fn fields(file: &[u8]) -> Vec<Field> {
    let f = File(file);
    let mut fields = Vec::new();
    let model = f.follow(0);
    for subgraph in f.tables(model, 2) {
        for tensor in f.tables(subgraph, 0) {
            f.vector(tensor, 0, 4, &mut fields);
            f.scalars(tensor, &[(1, 1), (2, 4), (5, 1)], &mut fields);
            if let Some(quantization) = f.table(tensor, 4) {
                f.vector(quantization, 2, 4, &mut fields);
                f.vector(quantization, 3, 8, &mut fields);
                f.scalars(quantization, &[(6, 4)], &mut fields);
            }
        }
        f.vector(subgraph, 1, 4, &mut fields);
        f.vector(subgraph, 2, 4, &mut fields);
        for operator in f.tables(subgraph, 3) {
            f.scalars(operator, &[(0, 4)], &mut fields);
            f.vector(operator, 1, 4, &mut fields);
            f.vector(operator, 2, 4, &mut fields);
            if let Some(options) = f.table(operator, 4) {
                f.scalars(options, &[0, 1, 2, 3, 4, 5, 6].map(|i| (i, 1)), &mut fields);
                f.scalars(options, &[0, 1, 2, 3, 4, 5, 6].map(|i| (i, 4)), &mut fields);
            }
        }
    }
    for code in f.tables(model, 1) {
        f.scalars(code, &[(0, 1), (3, 4)], &mut fields);
    }
    for buffer in f.tables(model, 4) {
        if let Some(data) = f.field(buffer, 0).map(|at| f.follow(at)).filter(|&at| f.u32(at) <= 64) {
            let words = f.u32(data) as usize / 4;
            fields.extend((0..words).map(|i| Field { at: data + 4 + 4 * i, size: 4 }));
        }
    }
    fields
}

/// A flatbuffer that is known to be sound.
struct File<'a>(&'a [u8]);

impl File<'_> {
    fn u16(&self, at: usize) -> usize {
        u16::from_le_bytes([self.0[at], self.0[at + 1]]).into()
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|i| self.0[at + i]))
    }

    fn follow(&self, at: usize) -> usize {
        at + self.u32(at) as usize
    }

    fn field(&self, table: usize, index: usize) -> Option<usize> {
        let vtable = (table as i64 - i64::from(self.u32(table) as i32)) as usize;
        let entry = 4 + 2 * index;
        let offset = if entry < self.u16(vtable) { self.u16(vtable + entry) } else { 0 };
        (offset != 0).then_some(table + offset)
    }

    fn table(&self, table: usize, index: usize) -> Option<usize> {
        self.field(table, index).map(|at| self.follow(at))
    }

    fn tables(&self, table: usize, index: usize) -> Vec<usize> {
        let Some(vector) = self.table(table, index) else { return Vec::new() };
        (0..self.u32(vector) as usize).map(|i| self.follow(vector + 4 + 4 * i)).collect()
    }

    fn scalars(&self, table: usize, of: &[(usize, usize)], fields: &mut Vec<Field>) {
        let field = |&(index, size): &(usize, usize)| self.field(table, index).map(|at| Field { at, size });
        fields.extend(of.iter().filter_map(field));
    }

    fn vector(&self, table: usize, index: usize, size: usize, fields: &mut Vec<Field>) {
        let Some(vector) = self.table(table, index) else { return };
        let count = self.u32(vector) as usize;
        // The length itself, and every element.
        fields.push(Field { at: vector, size: 4 });
        fields.extend((0..count).map(|i| Field { at: vector + 4 + size * i, size }));
    }
}
