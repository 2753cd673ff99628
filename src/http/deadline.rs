//! No request outlives its deadline.
//!
//! It runs from the head of the request, or from the end of its body when there is one: how fast a body comes is
//! the client's doing, and has a limit of its own. A request that is past it is dropped where it stands: its
//! transaction is rolled back, and the caller learns `dependency_unavailable`, for nothing but a store makes one wait
//! that long.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::HttpRequest;

use crate::clock::Stopwatch;

/// The deadline of one request; the extractors of bodies find it in the request.
#[derive(Clone)]
pub(super) struct Deadline {
    limit: Duration,
    /// None while a body is being read.
    running: Rc<Cell<Option<Stopwatch>>>,
}

impl Deadline {
    pub(super) fn start(limit: Duration) -> Self {
        Self { limit, running: Rc::new(Cell::new(Some(Stopwatch::start()))) }
    }

    /// Reads a body; the deadline starts anew when it is there.
    pub(super) async fn reading<T>(request: Option<Self>, body: impl Future<Output = T>) -> T {
        if let Some(deadline) = &request {
            deadline.running.set(None);
        }
        let body = body.await;
        if let Some(deadline) = &request {
            deadline.running.set(Some(Stopwatch::start()));
        }
        body
    }

    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Does the work; `None` when it takes too long.
    pub(super) async fn hold<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.passed() => None,
        }
    }

    async fn passed(&self) {
        loop {
            let left = self.running.get().map_or(self.limit, |watch| self.limit.saturating_sub(watch.elapsed()));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[actix_web::test]
    async fn work_that_never_ends_is_given_up_and_a_slow_body_is_waited_for() {
        assert_eq!(Deadline::start(LIMIT).hold(std::future::pending::<()>()).await, None);
        let deadline = Deadline::start(LIMIT);
        let body = Deadline::reading(Some(deadline.clone()), tokio::time::sleep(LIMIT * 3));
        assert_eq!(deadline.hold(body).await, Some(()));
        let deadline = Deadline::start(LIMIT);
        let work = Deadline::reading(Some(deadline.clone()), tokio::time::sleep(LIMIT * 3));
        let work = async {
            work.await;
            std::future::pending::<()>().await;
        };
        assert_eq!(deadline.hold(work).await, None, "after the body it runs again");
    }
}
