//! What every entry goes through: panics end here, and addresses are checked.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::error::{Failure, FailureKind};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs `work`; a panic in it becomes a [`Failure`].
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic leaves behind is reached through locks alone, and is whole between their holders.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Failure::new(FailureKind::Panic, format!("a defect in Osprey, please report it: {text}")))
    })
}

/// Runs `work`; a panic in it becomes `fallback`.
pub(crate) fn shielded<T>(fallback: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(fallback)
}

/// A lock that a panic elsewhere does not close.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The `count` values at `address`.
///
/// # Errors
/// [`FailureKind::Pointer`] for null, for an address that is not a multiple of the alignment, and
/// for more bytes than memory has. No values are had from any address.
///
/// # Safety
/// Beyond what is checked, the values must exist and nobody may write to them while `'a` lasts.
pub(crate) unsafe fn slice<'a, T: Copy>(address: usize, count: usize) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    check::<T>(address, count)?;
    // SAFETY: neither null nor misaligned, and no longer than memory; the rest is the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), count) })
}

/// Room for `count` values at `address`, to be filled.
///
/// # Errors
/// As [`slice`].
///
/// # Safety
/// Beyond what is checked, the room must exist and nobody else may use it while `'a` lasts.
pub(crate) unsafe fn room<'a, T: Copy>(
    address: usize,
    count: usize,
) -> Result<&'a mut [MaybeUninit<T>], Failure> {
    if count == 0 {
        return Ok(&mut []);
    }
    check::<T>(address, count)?;
    // SAFETY: as in `slice`; uninitialized room is never read.
    Ok(unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(address), count) })
}

fn check<T>(address: usize, count: usize) -> Result<(), Failure> {
    let refuse = |what: String| Err(Failure::new(FailureKind::Pointer, what));
    if address == 0 {
        return refuse("the address of the data is null".to_owned());
    }
    if !address.is_multiple_of(align_of::<T>()) {
        return refuse(format!("the address {address:#x} is not a multiple of {}", align_of::<T>()));
    }
    let bytes = count.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok());
    if bytes.and_then(|bytes| address.checked_add(bytes)).is_none() {
        return refuse(format!("{count} values at {address:#x} exceed the address space"));
    }
    Ok(())
}

/// Copies as many of `from` as there is room for, and says how many there are.
///
/// # Safety
/// As [`room`].
pub(crate) unsafe fn copy_out<T: Copy>(from: &[T], address: usize, capacity: usize) -> usize {
    // SAFETY: the caller's promise.
    if let Ok(to) = unsafe { room::<T>(address, capacity.min(from.len())) } {
        to.iter_mut().zip(from).for_each(|(to, from)| {
            to.write(*from);
        });
    }
    from.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_failures() {
        let failure = guarded::<()>(|| panic!("at {}", 7)).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Panic as u32);
        assert!(failure.message().contains("at 7"));
        assert_eq!(shielded(3, || panic!("gone")), 3);
    }

    #[test]
    fn impossible_addresses_are_refused() {
        let values = [1.0f32, 2.0];
        let at = values.as_ptr().expose_provenance();
        // SAFETY: the values exist where the address is not refused.
        unsafe {
            assert_eq!(slice::<f32>(at, 2).unwrap(), values);
            assert_eq!(slice::<f32>(0, 0).unwrap(), [0f32; 0]);
            for (address, count) in [(0, 1), (at + 1, 1), (at, usize::MAX / 4), (usize::MAX - 7, 4)] {
                assert_eq!(slice::<f32>(address, count).unwrap_err().kind(), FailureKind::Pointer as u32);
            }
        }
    }

    #[test]
    fn no_more_is_copied_than_there_is_room_for() {
        let mut to = [0u32; 3];
        // SAFETY: room for three values, of which two are lent.
        let count = unsafe { copy_out(&[7u32, 8, 9], to.as_mut_ptr().expose_provenance(), 2) };
        assert_eq!((count, to), (3, [7, 8, 0]));
    }
}
