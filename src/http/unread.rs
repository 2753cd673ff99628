//! Bodies that nobody reads to their end.
//!
//! When the reader of a chunked body is gone before its end, actix-http (3.20) reads on and throws away, for as long as
//! something comes; and when the reader had let the caller wait, nothing wakes the connection any more, which then stays
//! for ever. So the body is held until its answer has been sent: then the connection is closed, as it is for a body whose
//! length was told. A body that was read to its end costs nobody a connection.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;
use std::task::Poll;

use actix_web::HttpMessage;
use actix_web::HttpResponse;
use actix_web::body::BodySize;
use actix_web::body::BoxBody;
use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::dev::ServiceRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A body of untold length, shared by its reader and its answer.
#[derive(Clone)]
pub(super) struct Unread(Rc<RefCell<Payload>>);

impl Unread {
    /// Takes hold of the body of a request, if its length is not told.
    pub(super) fn hold(request: &mut ServiceRequest) -> Option<Self> {
        request.headers().contains_key(TRANSFER_ENCODING).then(|| {
            let held = Self(Rc::new(RefCell::new(request.take_payload())));
            request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
            held
        })
    }

    /// An answer that lets go of the body when it has been sent.
    pub(super) fn until_sent(&self, response: HttpResponse) -> HttpResponse {
        response.map_body(|_, body| BoxBody::new(Answer { body, _held: self.clone() }))
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Answer {
    body: BoxBody,
    _held: Unread,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}
