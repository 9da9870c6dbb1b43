//! Small model files and metadata, written by the low-level builder of flatbuffers: fields are
//! numbered as in the schemas.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, VOffsetT, WIPOffset};
use std::io::{Cursor, Write};
use zip::write::{SimpleFileOptions, ZipWriter};

type Fbb = FlatBufferBuilder<'static>;
type Offset = WIPOffset<TableFinishedWIPOffset>;

/// A field of a table.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    U8(u8),
    I8(i8),
    I32(i32),
    U32(u32),
    F32(f32),
    Ref(Offset),
}

/// A table from its fields, by number in the schema.
pub(crate) fn table(fbb: &mut Fbb, fields: &[(VOffsetT, Field)]) -> Offset {
    let start = fbb.start_table();
    for &(number, field) in fields {
        let slot = 4 + 2 * number;
        match field {
            Field::U8(v) => fbb.push_slot_always(slot, v),
            Field::I8(v) => fbb.push_slot_always(slot, v),
            Field::I32(v) => fbb.push_slot_always(slot, v),
            Field::U32(v) => fbb.push_slot_always(slot, v),
            Field::F32(v) => fbb.push_slot_always(slot, v),
            Field::Ref(v) => fbb.push_slot_always(slot, v),
        }
    }
    fbb.end_table(start)
}

pub(crate) fn text(fbb: &mut Fbb, text: &str) -> Field {
    Field::Ref(WIPOffset::new(fbb.create_string(text).value()))
}

pub(crate) fn tables(fbb: &mut Fbb, tables: &[Offset]) -> Field {
    Field::Ref(WIPOffset::new(fbb.create_vector(tables).value()))
}

pub(crate) fn floats(fbb: &mut Fbb, values: &[f32]) -> Field {
    Field::Ref(WIPOffset::new(fbb.create_vector(values).value()))
}

fn ints(fbb: &mut Fbb, values: &[i32]) -> Field {
    Field::Ref(WIPOffset::new(fbb.create_vector(values).value()))
}

/// Numbers of the schema's `TensorType`.
pub(crate) const FLOAT32: i8 = 0;
pub(crate) const INT32: i8 = 2;

pub(crate) struct Tensor {
    shape: Vec<i32>,
    dtype: i8,
    data: Vec<u8>,
}

pub(crate) struct Operator {
    code: i32,
    inputs: Vec<i32>,
    outputs: Vec<i32>,
    options_type: u8,
    options: Vec<(VOffsetT, Field)>,
}

/// A model file in the making; tensors and operators in the order of their numbers.
#[derive(Default)]
pub(crate) struct ModelFile {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) inputs: Vec<i32>,
    pub(crate) outputs: Vec<i32>,
    pub(crate) metadata: Option<Vec<u8>>,
    /// Packed behind the model.
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
}

impl ModelFile {
    pub(crate) fn tensor(&mut self, dtype: i8, shape: &[i32], data: Vec<u8>) -> i32 {
        self.tensors.push(Tensor { shape: shape.to_vec(), dtype, data });
        self.tensors.len() as i32 - 1
    }

    pub(crate) fn float(&mut self, shape: &[i32]) -> i32 {
        self.tensor(FLOAT32, shape, Vec::new())
    }

    pub(crate) fn weights(&mut self, shape: &[i32], mut value: impl FnMut() -> f32) -> i32 {
        let count = shape.iter().product::<i32>();
        let data = (0..count).flat_map(|_| value().to_le_bytes()).collect();
        self.tensor(FLOAT32, shape, data)
    }

    pub(crate) fn constant(&mut self, values: &[i32]) -> i32 {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(INT32, &[values.len() as i32], data)
    }

    /// An operator by its number in the schema, with the number and fields of its options.
    pub(crate) fn operator(
        &mut self,
        code: i32,
        inputs: &[i32],
        output: i32,
        options_type: u8,
        options: &[(VOffsetT, Field)],
    ) -> i32 {
        let (inputs, outputs, options) = (inputs.to_vec(), vec![output], options.to_vec());
        self.operators.push(Operator { code, inputs, outputs, options_type, options });
        output
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut fbb = Fbb::new();
        let mut buffers = vec![table(&mut fbb, &[])];
        let mut tensors = Vec::new();
        for (i, t) in self.tensors.iter().enumerate() {
            // Buffer 0 is empty by convention, and stands for what is computed.
            let mut buffer = 0;
            if !t.data.is_empty() {
                let data = Field::Ref(WIPOffset::new(fbb.create_vector(&t.data).value()));
                buffers.push(table(&mut fbb, &[(0, data)]));
                buffer = buffers.len() as u32 - 1;
            }
            let (shape, name) = (ints(&mut fbb, &t.shape), text(&mut fbb, &format!("tensor {i}")));
            let (dtype, buffer) = (Field::I8(t.dtype), Field::U32(buffer));
            tensors.push(table(&mut fbb, &[(0, shape), (1, dtype), (2, buffer), (3, name)]));
        }
        let (mut operators, mut codes) = (Vec::new(), Vec::new());
        for (i, o) in self.operators.iter().enumerate() {
            let narrow = Field::I8(o.code.min(127) as i8);
            codes.push(table(&mut fbb, &[(0, narrow), (2, Field::I32(1)), (3, Field::I32(o.code))]));
            let options = Field::Ref(table(&mut fbb, &o.options));
            let (inputs, outputs) = (ints(&mut fbb, &o.inputs), ints(&mut fbb, &o.outputs));
            let mut fields = vec![(0, Field::U32(i as u32)), (1, inputs), (2, outputs)];
            if o.options_type != 0 {
                fields.extend([(3, Field::U8(o.options_type)), (4, options)]);
            }
            operators.push(table(&mut fbb, &fields));
        }
        let (tensors, operators) = (tables(&mut fbb, &tensors), tables(&mut fbb, &operators));
        let (inputs, outputs) = (ints(&mut fbb, &self.inputs), ints(&mut fbb, &self.outputs));
        let graph = table(&mut fbb, &[(0, tensors), (1, inputs), (2, outputs), (3, operators)]);
        let mut fields = vec![(0, Field::U32(3))];
        if let Some(metadata) = &self.metadata {
            let data = Field::Ref(WIPOffset::new(fbb.create_vector(metadata).value()));
            buffers.push(table(&mut fbb, &[(0, data)]));
            let name = text(&mut fbb, "TFLITE_METADATA");
            let entry = table(&mut fbb, &[(0, name), (1, Field::U32(buffers.len() as u32 - 1))]);
            fields.push((6, tables(&mut fbb, &[entry])));
        }
        let (codes, graphs) = (tables(&mut fbb, &codes), tables(&mut fbb, &[graph]));
        let (buffers, description) = (tables(&mut fbb, &buffers), text(&mut fbb, "made by a test"));
        fields.extend([(1, codes), (2, graphs), (3, description), (4, buffers)]);
        let model = table(&mut fbb, &fields);
        fbb.finish(model, Some("TFL3"));
        let mut file = fbb.finished_data().to_vec();
        if !self.files.is_empty() {
            let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
            for (name, content) in &self.files {
                zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                zip.write_all(content).unwrap();
            }
            file.extend(zip.finish().unwrap().into_inner());
        }
        file
    }
}

/// Metadata with one normalized input and one output with labels and calibrated scores.
pub(crate) fn metadata(labels: &str, calibration: Option<&str>) -> Vec<u8> {
    let mut fbb = Fbb::new();
    // A deviation for all channels beside a mean for each.
    let (mean, std) = (floats(&mut fbb, &[10.0, 20.0, 30.0]), floats(&mut fbb, &[2.0]));
    let options = table(&mut fbb, &[(0, mean), (1, std)]);
    let unit = table(&mut fbb, &[(0, Field::U8(1)), (1, Field::Ref(options))]);
    let (units, name) = (tables(&mut fbb, &[unit]), text(&mut fbb, "picture"));
    let input = table(&mut fbb, &[(0, name), (4, units)]);

    let file = text(&mut fbb, labels);
    let mut files = vec![table(&mut fbb, &[(0, file), (2, Field::I8(3))])];
    let options = table(&mut fbb, &[(0, Field::I8(2)), (1, Field::F32(0.25))]);
    let unit = table(&mut fbb, &[(0, Field::U8(2)), (1, Field::Ref(options))]);
    if let Some(calibration) = calibration {
        let file = text(&mut fbb, calibration);
        files.push(table(&mut fbb, &[(0, file), (2, Field::I8(4))]));
    }
    let (files, units, name) =
        (tables(&mut fbb, &files), tables(&mut fbb, &[unit]), text(&mut fbb, "category"));
    let output = table(&mut fbb, &[(0, name), (4, units), (6, files)]);

    let (inputs, outputs) = (tables(&mut fbb, &[input]), tables(&mut fbb, &[output]));
    let graph = table(&mut fbb, &[(2, inputs), (3, outputs)]);
    let graphs = tables(&mut fbb, &[graph]);
    let (name, license) = (text(&mut fbb, "a test's model"), text(&mut fbb, "CC0"));
    let root = table(&mut fbb, &[(0, name), (3, graphs), (5, license)]);
    fbb.finish(root, Some("M001"));
    fbb.finished_data().to_vec()
}

/// How MediaPipe's writers describe a detector of raw outputs.
pub(crate) struct RawDetector {
    /// Centre x, centre y, width, height.
    pub(crate) anchors: Vec<[f32; 4]>,
    /// Divisors of x, y, w, h.
    pub(crate) scale: [f32; 4],
    pub(crate) exponential: bool,
    pub(crate) sigmoid: bool,
}

impl RawDetector {
    /// The flatbuffer DETECTOR_METADATA.
    pub(crate) fn described(&self) -> Vec<u8> {
        let mut fbb = Fbb::new();
        let anchor = |a: &[f32; 4], fbb: &mut Fbb| {
            table(fbb, &[0, 1, 2, 3].map(|i: VOffsetT| (i, Field::F32(a[usize::from(i)]))))
        };
        let anchors: Vec<Offset> = self.anchors.iter().map(|a| anchor(a, &mut fbb)).collect();
        let anchors = tables(&mut fbb, &anchors);
        let fixed = table(&mut fbb, &[(0, anchors)]);
        let ssd = table(&mut fbb, &[(0, Field::Ref(fixed))]);
        let flag = |f: bool| Field::U8(f.into());
        let [x, y, w, h] = self.scale.map(Field::F32);
        let decoding = table(
            &mut fbb,
            &[(6, x), (7, y), (8, w), (9, h), (10, flag(self.exponential)), (11, flag(self.sigmoid))],
        );
        let version = text(&mut fbb, "1.0.0");
        let root = table(&mut fbb, &[(0, version), (1, Field::Ref(ssd)), (2, Field::Ref(decoding))]);
        fbb.finish(root, Some("V001"));
        fbb.finished_data().to_vec()
    }
}

/// Metadata with custom metadata of this name.
pub(crate) fn custom_metadata(name: &str, data: &[u8]) -> Vec<u8> {
    let mut fbb = Fbb::new();
    let data = Field::Ref(WIPOffset::new(fbb.create_vector(data).value()));
    let name = text(&mut fbb, name);
    let custom = table(&mut fbb, &[(0, name), (1, data)]);
    let customs = tables(&mut fbb, &[custom]);
    let graph = table(&mut fbb, &[(9, customs)]);
    let graphs = tables(&mut fbb, &[graph]);
    let root = table(&mut fbb, &[(3, graphs)]);
    fbb.finish(root, Some("M001"));
    fbb.finished_data().to_vec()
}
