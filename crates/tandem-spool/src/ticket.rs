//! A place to wait for an answer, blocking or asynchronously.

use crate::AppendError;
use parking_lot::{Condvar, Mutex};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What an append is answered with: the offsets of its records.
pub(crate) type Answer = Result<Range<u64>, AppendError>;

/// Answers exactly once; when it is dropped before that, with [`AppendError::Closed`].
pub(crate) struct Done(Option<Box<dyn FnOnce(Answer) + Send>>);

impl Done {
    pub(crate) fn call(on_done: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self(Some(Box::new(on_done)))
    }

    pub(crate) fn answer(mut self, answer: Answer) {
        if let Some(on_done) = self.0.take() {
            on_done(answer);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(on_done) = self.0.take() {
            on_done(Err(AppendError::Closed));
        }
    }
}

/// The pending answer to one append; a future as well. Dropping it does not take the append back.
#[must_use = "the records are durable only when the ticket says so"]
#[derive(Debug)]
pub struct Ticket(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Ticket {
    /// A ticket and what answers it.
    pub(crate) fn new() -> (Self, Done) {
        let slot = Arc::new(Slot::default());
        let answered = slot.clone();
        let done = Done::call(move |answer| {
            let mut state = answered.state.lock();
            state.answer = Some(answer);
            let waker = state.waker.take();
            drop(state);
            answered.answered.notify_all();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        (Self(slot), done)
    }

    /// Blocks until the records are durable, and gives their offsets.
    pub fn wait(self) -> Result<Range<u64>, AppendError> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            self.0.answered.wait(&mut state);
        }
    }
}

impl Future for Ticket {
    type Output = Result<Range<u64>, AppendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
