//! The worker's inbox: the newest frame wins, or senders wait for room.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select_biased};

/// What happens to frames that come faster than they are worked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// The newest takes the place of the one that waits: for cameras.
    #[default]
    Newest,
    /// None is dropped and submitting waits while `capacity` are queued: for files.
    Every {
        /// Frames that may wait.
        capacity: usize,
    },
}

/// Closed when its sender goes; nothing is ever sent.
pub(super) type Closing = Receiver<std::convert::Infallible>;

/// A channel where either the newest wins or senders wait.
#[derive(Debug)]
pub(super) struct Mailbox<T> {
    sender: Sender<T>,
    /// For taking out what is replaced.
    oldest: Receiver<T>,
    waits: bool,
}

impl<T> Mailbox<T> {
    pub(super) fn new(delivery: Delivery) -> (Self, Receiver<T>) {
        let (capacity, waits) = match delivery {
            Delivery::Newest => (1, false),
            Delivery::Every { capacity } => (capacity.max(1), true),
        };
        let (sender, receiver) = bounded(capacity);
        (Self { sender, oldest: receiver.clone(), waits }, receiver)
    }

    /// Puts `item` in; gives what it replaced to `replaced`, or `item` back where the worker closed
    /// or the `reader` went while it waited.
    pub(super) fn put(
        &self,
        mut item: T,
        closing: &Closing,
        reader: &Closing,
        mut replaced: impl FnMut(T),
    ) -> Result<(), T> {
        if self.waits {
            let (sender, mut back) = (&self.sender, None);
            select_biased! {
                recv(closing) -> _ => back = Some(item),
                recv(reader) -> _ => back = Some(item),
                send(sender, item) -> sent => if let Err(e) = sent { back = Some(e.into_inner()) },
            }
            return back.map_or(Ok(()), Err);
        }
        loop {
            match self.sender.try_send(item) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(back)) => return Err(back),
                Err(TrySendError::Full(back)) => item = back,
            }
            // Whoever takes out first has it: the worker, or we.
            if let Ok(old) = self.oldest.try_recv() {
                replaced(old);
            }
        }
    }

    /// Takes out all that waits.
    pub(super) fn drain(&self) -> impl Iterator<Item = T> + '_ {
        self.oldest.try_iter()
    }
}
