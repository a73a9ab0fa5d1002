//! No answer is taken to be as long as a server likes, which may be broken, or hostile.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::TryFutureExt;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use hyper::body::{Body, Frame, SizeHint};
use tower::{BoxError, Service};

/// How much of one answer is taken: a list of 100,000 Jobs of 5 KiB.
const LONGEST: usize = 512 << 20;
/// How much of one event of a watch, which is one object.
const LONGEST_EVENT: usize = 64 << 20;

/// What is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent more than {} MiB in one {}", .limit >> 20, if *.limit == LONGEST { "answer" } else { "event" })]
pub(super) struct TooLong {
    limit: usize,
}

/// What of an answer has an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// All of it.
    Whole,
    /// Each line, of a watch.
    Line,
    /// Nothing: a log is shown as it comes, and kept nowhere.
    None,
}

impl Bound {
    /// Says which bound the answer to a request has.
    pub(super) fn of(uri: &Uri) -> Self {
        let asks = |name: &str| {
            uri.query().unwrap_or_default().split('&').any(|part| part.starts_with(name))
        };
        if uri.path().ends_with("/log") && !asks("limitBytes=") {
            Self::None
        } else if asks("watch=true") || asks("watch=1") {
            Self::Line
        } else {
            Self::Whole
        }
    }
}

/// A body that breaks where it is too long.
pub(super) struct Bounded<B> {
    body: B,
    bound: Bound,
    limit: usize,
    left: usize,
}

impl<B> Bounded<B> {
    pub(super) fn new(body: B, bound: Bound) -> Self {
        let limit = if bound == Bound::Line { LONGEST_EVENT } else { LONGEST };
        Self { body, bound, limit, left: limit }
    }

    /// Counts what came; tells whether it is still short enough.
    fn count(&mut self, bytes: &[u8]) -> bool {
        let end = match self.bound {
            Bound::None => return true,
            Bound::Whole => None,
            Bound::Line => memchr::memrchr(b'\n', bytes),
        };
        let fresh = end.map_or(bytes.len(), |end| {
            self.left = self.limit;
            bytes.len() - end - 1
        });
        self.left.checked_sub(fresh).map(|left| self.left = left).is_some()
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other.map(|end| end.map(|frame| frame.map_err(Into::into))),
        };
        let limit = self.limit;
        let is_short = frame.data_ref().is_none_or(|bytes| self.count(bytes));
        Poll::Ready(Some(if is_short { Ok(frame) } else { Err(TooLong { limit }.into()) }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bounds the answers of a client.
#[derive(Clone)]
pub(super) struct Bounding<S>(pub(super) S);

impl<S, I, O> Service<Request<I>> for Bounding<S>
where
    S: Service<Request<I>, Response = Response<O>, Future: Send + 'static>,
{
    type Response = Response<Bounded<O>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let bound = Bound::of(request.uri());
        let answer = self.0.call(request);
        Box::pin(answer.map_ok(move |answer| answer.map(|body| Bounded::new(body, bound))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Bounded};
    use bytes::Bytes;
    use http_body_util::Full;

    #[test]
    fn only_logs_have_no_bound_and_watches_one_for_each_event() {
        let bound = |path: &str| Bound::of(&path.parse().unwrap());
        assert_eq!(bound("/api/v1/namespaces/n/pods/p/log?follow=true"), Bound::None);
        assert_eq!(bound("/api/v1/namespaces/n/pods/p/log?a=b&limitBytes=9"), Bound::Whole);
        assert_eq!(bound("/api/v1/namespaces/n/pods?watch=true&a=b"), Bound::Line);
        assert_eq!(bound("/api/v1/namespaces/n/pods?&watch=true"), Bound::Line);
        assert_eq!(bound("/api/v1/namespaces/n/pods?labelSelector=watch"), Bound::Whole);
        assert_eq!(bound("/apis/batch/v1/jobs"), Bound::Whole);
    }

    #[test]
    fn what_is_too_long_breaks() {
        let counted = |bound, pieces: &[&[u8]]| {
            let mut bounded = Bounded::new(Full::<Bytes>::default(), bound);
            (bounded.limit, bounded.left) = (4, 4);
            pieces.iter().map(|piece| bounded.count(piece)).collect::<Vec<bool>>()
        };
        assert_eq!(counted(Bound::Whole, &[b"12", b"34", b"", b"5"]), [true, true, true, false]);
        assert_eq!(counted(Bound::Line, &[b"1234", b"\n", b"12\n123", b"4"]), [true; 4]);
        assert_eq!(counted(Bound::Line, &[b"1234", b"5\n"]), [true, true]);
        assert_eq!(counted(Bound::Line, &[b"1\n2345", b"6"]), [true, false]);
        assert_eq!(counted(Bound::None, &[b"12345", b"6"]), [true, true]);
    }
}
