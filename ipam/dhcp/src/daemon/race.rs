//! Waiting for the first of several things. (tokio's `select!` would need its procedural macros.)

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// The first of two outcomes.
pub(super) enum Either<A, B> {
    First(A),
    Second(B),
}

/// Waits for either; the other is dropped. If both are ready, the first counts.
pub(super) async fn either<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> Either<A, B> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| {
        if let Poll::Ready(a) = a.as_mut().poll(cx) {
            return Poll::Ready(Either::First(a));
        }
        b.as_mut().poll(cx).map(Either::Second)
    })
    .await
}
