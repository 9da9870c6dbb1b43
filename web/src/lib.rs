//! The border between JavaScript and the detector: functions of the C ABI, no generated code.
//!
//! JavaScript writes into buffers that this module owns ([`osprey_bytes`], [`osprey_text`],
//! [`osprey_layout`]) and then calls a function that takes lengths alone, so that no address ever comes
//! from outside. A function that can fail returns −1 (or 0 for a handle); what it says lies at
//! [`osprey_answer`]. A panic ends the instance, as it must in WebAssembly; its message can still be read
//! at [`osprey_panic`], and the caller starts another instance.

#![allow(unsafe_code, reason = "exported names are attributes that Rust counts as unsafe")]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod detector;
mod error;
mod frame;
mod options;
mod panic;
mod senses;
mod teach;

use detector::Eye;
use error::Failure;
use osprey_detector::frame::Frame;
use senses::{Mover, Reader};
use std::cell::RefCell;
use teach::Teacher;

/// Largest buffer for bytes: a picture of 256 megapixels, or a model.
const MAX_BYTES: usize = 1 << 30;
/// Largest buffer for text.
const MAX_TEXT: usize = 16 << 20;

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    text: Vec<u8>,
    layout: [u32; frame::LAYOUT],
    answer: String,
    boxes: Vec<f32>,
    things: Vec<Option<Thing>>,
}

/// What a handle stands for.
enum Thing {
    Eye(Box<Eye>),
    Reader(Box<Reader>),
    Mover(Box<Mover>),
    Teacher(Box<Teacher>),
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

impl State {
    fn text(&self, length: usize) -> Result<&str, Failure> {
        let text = self.text.get(..length).ok_or(Failure::Length { length, room: self.text.len() })?;
        std::str::from_utf8(text).map_err(|_| Failure::Text)
    }

    fn bytes(&self, length: usize) -> Result<&[u8], Failure> {
        self.bytes.get(..length).ok_or(Failure::Length { length, room: self.bytes.len() })
    }

    fn place(&mut self, handle: u32) -> Option<&mut Option<Thing>> {
        self.things.get_mut((handle as usize).checked_sub(1)?)
    }

    fn eye(&mut self, handle: u32) -> Result<&mut Eye, Failure> {
        match self.place(handle) {
            Some(Some(Thing::Eye(eye))) => Ok(eye),
            _ => Err(Failure::Handle { what: "detector", handle }),
        }
    }

    fn reader(&mut self, handle: u32) -> Result<&mut Reader, Failure> {
        match self.place(handle) {
            Some(Some(Thing::Reader(reader))) => Ok(reader),
            _ => Err(Failure::Handle { what: "reader of digits", handle }),
        }
    }

    fn mover(&mut self, handle: u32) -> Result<&mut Mover, Failure> {
        match self.place(handle) {
            Some(Some(Thing::Mover(mover))) => Ok(mover),
            _ => Err(Failure::Handle { what: "classifier of motion", handle }),
        }
    }

    fn teacher(&mut self, handle: u32) -> Result<&mut Teacher, Failure> {
        match self.place(handle) {
            Some(Some(Thing::Teacher(teacher))) => Ok(teacher),
            _ => Err(Failure::Handle { what: "teacher", handle }),
        }
    }

    /// Keeps what `make` makes of a model and options: its handle, with its description as the answer.
    fn open(
        &mut self,
        model: usize,
        options: usize,
        make: impl FnOnce(&[u8], &str) -> Result<(Thing, String), Failure>,
    ) -> Result<u32, Failure> {
        let (thing, description) = make(self.bytes(model)?, self.text(options)?)?;
        let index = self.things.iter().position(Option::is_none).unwrap_or(self.things.len());
        self.answer = description;
        match self.things.get_mut(index) {
            Some(place) => *place = Some(thing),
            None => self.things.push(Some(thing)),
        }
        Ok(index as u32 + 1)
    }
}

/// Runs `work`; its failure becomes `failed`, with the reason as the answer.
fn with<T>(failed: T, work: impl FnOnce(&mut State) -> Result<T, Failure>) -> T {
    STATE.with_borrow_mut(|state| {
        work(state).unwrap_or_else(|failure| {
            state.answer = failure.to_string();
            failed
        })
    })
}

/// As [`with`], for what fills the boxes anew and says how many they are.
fn with_boxes(work: impl FnOnce(&mut State, &mut Vec<f32>) -> Result<i32, Failure>) -> i32 {
    with(-1, |state| {
        let mut boxes = std::mem::take(&mut state.boxes);
        boxes.clear();
        let count = work(state, &mut boxes);
        state.boxes = boxes;
        count
    })
}

/// Lets `work` look at the picture of `length` bytes that the layout describes.
fn with_picture<T>(
    state: &mut State,
    length: usize,
    work: impl FnOnce(&mut State, &Frame<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (layout, bytes) = (state.layout, std::mem::take(&mut state.bytes));
    let done = match bytes.get(..length) {
        Some(pixels) => frame::frame(&layout, pixels).and_then(|frame| work(state, &frame)),
        None => Err(Failure::Length { length, room: bytes.len() }),
    };
    state.bytes = bytes;
    done
}

/// Grows `buffer` to `length`; null where that is more than `most`.
fn room(buffer: &mut Vec<u8>, length: usize, most: usize) -> *mut u8 {
    if length > most {
        return std::ptr::null_mut();
    }
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    buffer.as_mut_ptr()
}

/// Room for `length` bytes of a model or a picture; null for more than a gigabyte.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_bytes(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| room(&mut state.bytes, length, MAX_BYTES))
}

/// Gives the memory for bytes back, since that of a model is needed once.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_release() {
    STATE.with_borrow_mut(|state| state.bytes = Vec::new());
}

/// Room for `length` bytes of UTF-8; null for more than 16 MB.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_text(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| room(&mut state.text, length, MAX_TEXT))
}

/// The numbers that describe a picture, as `frame` reads them.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_layout() -> *mut u32 {
    STATE.with_borrow_mut(|state| state.layout.as_mut_ptr())
}

/// Where the last answer or error lies; its length is [`osprey_answer_length`].
#[unsafe(no_mangle)]
pub extern "C" fn osprey_answer() -> *const u8 {
    STATE.with_borrow(|state| state.answer.as_ptr())
}

/// Bytes of the last answer or error.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_answer_length() -> usize {
    STATE.with_borrow(|state| state.answer.len())
}

/// What the C library wants done once, before anything else, in a module with threads: the first thread is made
/// known, and constructors run.
#[cfg(target_os = "wasi")]
#[unsafe(no_mangle)]
pub extern "C" fn osprey_begin() {
    unsafe extern "C" {
        fn __wasi_init_tp();
        fn __wasm_call_ctors();
    }
    // SAFETY: a program's own start does the same; JavaScript calls this once, on the first thread.
    unsafe {
        __wasi_init_tp();
        __wasm_call_ctors();
    }
}

/// What this module was compiled for and which kernels run on this engine, as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_about() -> i32 {
    panic::note();
    with(-1, |state| {
        state.answer = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "isa": osprey_engine::Isa::best().name(),
        })
        .to_string();
        Ok(0)
    })
}

/// The models of a manifest, whose text has `length` bytes, as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_manifest(length: usize) -> i32 {
    with(-1, |state| {
        state.answer = options::manifest(state.text(length)?)?;
        Ok(0)
    })
}

/// A detector from `model` bytes of a .tflite file, and `options` bytes of JSON; 0 for an error.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_detector(model: usize, options: usize) -> u32 {
    with(0, |state| {
        state.open(model, options, |model, options| {
            let eye = Eye::new(model, options)?;
            let description = eye.describe();
            Ok((Thing::Eye(Box::new(eye)), description))
        })
    })
}

/// Gives the memory of what a handle stands for back.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_drop(handle: u32) {
    STATE.with_borrow_mut(|state| {
        if let Some(place) = state.place(handle) {
            *place = None;
        }
    });
}

/// Thresholds, classes and suppression from `options` bytes of JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_configure(handle: u32, options: usize) -> i32 {
    with(-1, |state| {
        let text = state.text(options)?.to_owned();
        state.eye(handle)?.configure(&text)?;
        Ok(0)
    })
}

/// Finds what is in the picture of `length` bytes that [`osprey_layout`] describes: how many boxes lie at
/// [`osprey_boxes`], each as eight numbers: class, score, left, top, right and bottom edge in pixels of
/// the upright picture, 0 and 0.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_detect(handle: u32, length: usize) -> i32 {
    with_boxes(|state, boxes| {
        with_picture(state, length, |state, frame| state.eye(handle)?.detect(frame, boxes))
    })
}

/// Takes the boxes of the last detection as seen at `seconds`, and gives the tracked ones in their
/// place: class, score, edges, number, and seconds since the object was last detected.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_track(handle: u32, seconds: f64) -> i32 {
    with_boxes(|state, boxes| Ok(state.eye(handle)?.track(seconds, boxes)))
}

/// Where the tracked objects are at `seconds`, without a new detection.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_predict(handle: u32, seconds: f64) -> i32 {
    with_boxes(|state, boxes| Ok(state.eye(handle)?.predict(seconds, boxes)))
}

/// The boxes of the last call.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_boxes() -> *const f32 {
    STATE.with_borrow(|state| state.boxes.as_ptr())
}

/// A reader of digits; otherwise as [`osprey_detector()`].
#[unsafe(no_mangle)]
pub extern "C" fn osprey_reader(model: usize, options: usize) -> u32 {
    let make = |model: &[u8], options: &str| {
        Ok((Thing::Reader(Box::new(Reader::new(model, options)?)), "{}".into()))
    };
    with(0, |state| state.open(model, options, make))
}

/// Reads the strokes in `length` bytes of JSON; the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_read(handle: u32, length: usize) -> i32 {
    with(-1, |state| {
        let strokes = state.text(length)?.to_owned();
        state.answer = state.reader(handle)?.read(&strokes)?;
        Ok(0)
    })
}

/// A classifier of motion; otherwise as [`osprey_detector()`].
#[unsafe(no_mangle)]
pub extern "C" fn osprey_mover(model: usize, options: usize) -> u32 {
    with(0, |state| {
        state.open(model, options, |model, options| {
            let mover = Mover::new(model, options)?;
            let description = mover.describe();
            Ok((Thing::Mover(Box::new(mover)), description))
        })
    })
}

/// Takes the sample in `length` bytes of JSON, measured at `seconds`; the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_push(handle: u32, seconds: f64, length: usize) -> i32 {
    with(-1, |state| {
        let values = state.text(length)?.to_owned();
        state.answer = state.mover(handle)?.push(seconds, &values)?;
        Ok(0)
    })
}

/// A teacher of classes, on the features of a model of pictures; otherwise as [`osprey_detector()`].
#[unsafe(no_mangle)]
pub extern "C" fn osprey_teacher(model: usize, options: usize) -> u32 {
    with(0, |state| {
        state.open(model, options, |model, options| {
            let teacher = Teacher::new(model, options)?;
            let description = teacher.describe();
            Ok((Thing::Teacher(Box::new(teacher)), description))
        })
    })
}

/// What a teacher knows: the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_known(handle: u32) -> i32 {
    with(-1, |state| {
        state.answer = state.teacher(handle)?.describe();
        Ok(0)
    })
}

/// Adds a class, whose name has `length` bytes, and gives its number.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_add_class(handle: u32, length: usize) -> i32 {
    with(-1, |state| {
        let name = state.text(length)?.to_owned();
        state.teacher(handle)?.add_class(&name)
    })
}

/// Removes a class with its pictures; the numbers of later classes move down by one.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_remove_class(handle: u32, class: usize) -> i32 {
    with(-1, |state| state.teacher(handle)?.remove_class(class).map(|()| 0))
}

/// Learns the picture of `length` bytes as one of `class`.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_learn(handle: u32, class: usize, length: usize) -> i32 {
    with(-1, |state| {
        with_picture(state, length, |state, frame| state.teacher(handle)?.learn(class, frame).map(|()| 0))
    })
}

/// Which class the picture of `length` bytes is of; the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_classify(handle: u32, length: usize) -> i32 {
    with(-1, |state| {
        state.answer = with_picture(state, length, |state, frame| state.teacher(handle)?.classify(frame))?;
        Ok(0)
    })
}

/// Trains a last layer in so many epochs; the answer is JSON.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_train(handle: u32, epochs: usize) -> i32 {
    with(-1, |state| {
        state.answer = state.teacher(handle)?.train(epochs)?;
        Ok(0)
    })
}

/// Puts all that was learned where [`osprey_bytes`] lies, and gives its length.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_save(handle: u32) -> i32 {
    with(-1, |state| {
        let saved = state.teacher(handle)?.save()?;
        let length = i32::try_from(saved.len())
            .map_err(|_| Failure::Length { length: saved.len(), room: i32::MAX as usize })?;
        state.bytes = saved;
        Ok(length)
    })
}

/// Takes what [`osprey_save`] gave, `length` bytes, in place of what is known.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_restore(handle: u32, length: usize) -> i32 {
    with(-1, |state| {
        let bytes = std::mem::take(&mut state.bytes);
        let kept = bytes.get(..length).ok_or(Failure::Length { length, room: bytes.len() })?;
        state.teacher(handle)?.restore(kept).map(|()| 0)
    })
}

/// The message of the panic that ended this instance; its length is [`osprey_panic_length`].
#[unsafe(no_mangle)]
pub extern "C" fn osprey_panic() -> *const u8 {
    panic::message().as_ptr()
}

/// Bytes of [`osprey_panic`]'s message; 0 where nothing panicked.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_panic_length() -> usize {
    panic::message().len()
}
