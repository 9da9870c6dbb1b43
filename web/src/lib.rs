//! The border between JavaScript and the detector: a dozen functions of the C ABI, no generated code.
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

use detector::Eye;
use error::Failure;
use std::cell::RefCell;

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
    eyes: Vec<Option<Eye>>,
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

    fn eye(&mut self, handle: u32) -> Result<&mut Eye, Failure> {
        let index = (handle as usize).checked_sub(1);
        let eye = index.and_then(|index| self.eyes.get_mut(index)).and_then(Option::as_mut);
        eye.ok_or(Failure::Handle { handle })
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
        let eye = Eye::new(state.bytes(model)?, state.text(options)?)?;
        let index = state.eyes.iter().position(Option::is_none).unwrap_or(state.eyes.len());
        state.answer = eye.describe();
        match state.eyes.get_mut(index) {
            Some(place) => *place = Some(eye),
            None => state.eyes.push(Some(eye)),
        }
        Ok(index as u32 + 1)
    })
}

/// Gives a detector's memory back.
#[unsafe(no_mangle)]
pub extern "C" fn osprey_drop(handle: u32) {
    STATE.with_borrow_mut(|state| {
        if let Some(eye) = (handle as usize).checked_sub(1).and_then(|index| state.eyes.get_mut(index)) {
            *eye = None;
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
        let (layout, bytes) = (state.layout, std::mem::take(&mut state.bytes));
        let found = match bytes.get(..length) {
            Some(pixels) => {
                frame::frame(&layout, pixels).and_then(|frame| state.eye(handle)?.detect(&frame, boxes))
            }
            None => Err(Failure::Length { length, room: bytes.len() }),
        };
        state.bytes = bytes;
        found
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
