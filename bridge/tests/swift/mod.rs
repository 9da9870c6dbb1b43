//! The Swift side of the border, for tests without Swift: listeners that count.

#![allow(unsafe_code, reason = "plays the Swift side of the border")]

use osprey_bridge::{BatchFigures, EpochFigures, Findings, ResultListener, TrainingListener};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a listener was told.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    results: AtomicUsize,
    batches: AtomicUsize,
    epochs: AtomicUsize,
    freed: AtomicBool,
}

#[allow(dead_code, reason = "each test uses what it needs")]
impl Heard {
    pub(crate) fn results(&self) -> usize {
        self.results.load(Ordering::SeqCst)
    }

    pub(crate) fn batches(&self) -> usize {
        self.batches.load(Ordering::SeqCst)
    }

    pub(crate) fn epochs(&self) -> usize {
        self.epochs.load(Ordering::SeqCst)
    }

    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(Ordering::SeqCst)
    }
}

/// swift-bridge's handles are one pointer each, which only generated code can make.
fn handle<T>() -> (T, Arc<Heard>) {
    assert_eq!(size_of::<T>(), size_of::<*mut c_void>());
    let heard = Arc::new(Heard::default());
    let pointer = Arc::into_raw(Arc::clone(&heard)).cast_mut().cast::<c_void>();
    // SAFETY: a `#[repr(C)]` struct of one pointer, which the functions below take back.
    (unsafe { std::mem::transmute_copy(&pointer) }, heard)
}

#[allow(dead_code, reason = "each test uses what it needs")]
pub(crate) fn listener() -> (ResultListener, Arc<Heard>) {
    handle()
}

#[allow(dead_code, reason = "each test uses what it needs")]
pub(crate) fn training_listener() -> (TrainingListener, Arc<Heard>) {
    handle()
}

fn heard<'a>(this: *mut c_void) -> &'a Heard {
    // SAFETY: `handle` made the pointer, and the border frees it last.
    unsafe { &*this.cast::<Heard>() }
}

fn free(this: *mut c_void) {
    heard(this).freed.store(true, Ordering::SeqCst);
    // SAFETY: the count that `handle` gave away.
    drop(unsafe { Arc::from_raw(this.cast::<Heard>()) });
}

#[unsafe(export_name = "__swift_bridge__$ResultListener$on_result")]
extern "C" fn on_result(this: *mut c_void, findings: *mut Findings) {
    // SAFETY: the border hands over a boxed value.
    let findings = unsafe { Box::from_raw(findings) };
    assert!(findings.failure().is_none());
    heard(this).results.fetch_add(1, Ordering::SeqCst);
}

#[unsafe(export_name = "__swift_bridge__$ResultListener$_free")]
extern "C" fn free_results(this: *mut c_void) {
    free(this);
}

#[unsafe(export_name = "__swift_bridge__$TrainingListener$on_batch")]
extern "C" fn on_batch(this: *mut c_void, _: RawBatch) {
    heard(this).batches.fetch_add(1, Ordering::SeqCst);
}

#[unsafe(export_name = "__swift_bridge__$TrainingListener$on_epoch")]
extern "C" fn on_epoch(this: *mut c_void, _: RawEpoch) {
    heard(this).epochs.fetch_add(1, Ordering::SeqCst);
}

#[unsafe(export_name = "__swift_bridge__$TrainingListener$_free")]
extern "C" fn free_training(this: *mut c_void) {
    free(this);
}

/// As in Border.h; laid out as the border's own structs.
#[repr(C)]
struct RawBatch(u32, u32, u32, f64);

/// As in Border.h.
#[repr(C)]
struct RawEpoch(u32, f32, f64, f64, bool, f64, f64, bool);

const _: () = assert!(size_of::<RawBatch>() == size_of::<BatchFigures>());
const _: () = assert!(size_of::<RawEpoch>() <= size_of::<EpochFigures>() + 16);
