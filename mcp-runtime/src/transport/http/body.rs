//! The bodies of requests and responses.
//!
//! Takes: frames. Gives: one piece of bytes, or a stream that drives an exchange. Knows: limits. Must not know: what the
//! bytes say.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{
    departure::{self, Departure},
    line::Line,
    refusal::{self, Refusal},
};
use crate::{
    exchange::{Event, EventStream, Exchange, Step},
    transport::frame,
};

// How often an idle stream says that it lives; half of what proxies usually wait.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
// How long a body may take from its first to its last byte.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The body of a response.
pub(crate) struct Body(Kind);

enum Kind {
    Full(Bytes),
    Events(Box<Events>),
    App(axum::body::Body),
}

impl Body {
    pub(super) fn empty() -> Self {
        Self(Kind::Full(Bytes::new()))
    }

    pub(super) fn full(bytes: Bytes) -> Self {
        Self(Kind::Full(bytes))
    }

    pub(super) fn app(body: axum::body::Body) -> Self {
        Self(Kind::App(body))
    }

    /// The stream of an exchange that had something to say before its answer.
    pub(super) fn call(first: Event, exchange: Exchange, line: Option<Arc<Line>>) -> Self {
        Self(Kind::Events(Box::new(Events::new(Some(frame::event(first)), Source::Call(exchange), line))))
    }

    /// The stream that a client opened with GET.
    pub(super) fn listen(stream: EventStream, line: Option<Arc<Line>>) -> Self {
        Self(Kind::Events(Box::new(Events::new(None, Source::Listen(stream), line))))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Body")
    }
}

enum Source {
    Call(Exchange),
    Listen(EventStream),
    Ended,
}

struct Events {
    first: Option<Bytes>,
    source: Source,
    keep_alive: Pin<Box<Sleep>>,
    watch: Watch,
}

/// Whether the peer is still there, in the two steps of [`departure`].
enum Watch {
    Nobody,
    Finishing(Arc<Line>, Departure),
    Going(Departure),
}

impl Events {
    fn new(first: Option<Bytes>, source: Source, line: Option<Arc<Line>>) -> Self {
        let watch = line.map_or(Watch::Nobody, |line| Watch::Finishing(line.clone(), departure::finished(line)));
        Self { first, source, keep_alive: Box::pin(sleep(KEEP_ALIVE)), watch }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let next = match &mut self.source {
            Source::Ended => return Poll::Ready(None),
            Source::Call(exchange) => exchange.poll_step(cx).map(|step| match step {
                Step::Message(event) => Some(frame::event(event)),
                Step::Done(outbound) => {
                    self.source = Source::Ended;
                    (!outbound.body.is_empty()).then(|| frame::event(Event::message(outbound.body)))
                }
            }),
            Source::Listen(stream) => stream.poll_next(cx).map(|next| next.map(frame::event)),
        };
        match next {
            Poll::Ready(Some(bytes)) => {
                self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(None) => {
                self.source = Source::Ended;
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_idle(cx),
        }
    }

    /// Nothing to say: is the peer still there, and does it think that we are?
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Watch::Finishing(line, finished) = &mut self.watch
            && finished.as_mut().poll(cx).is_ready()
        {
            self.watch = Watch::Going(departure::gone(line.clone()));
            self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
            return Poll::Ready(Some(Ok(frame::KEEP_ALIVE)));
        }
        if let Watch::Going(gone) = &mut self.watch
            && gone.as_mut().poll(cx).is_ready()
        {
            // Dropping the source tells the engine; the error takes the connection down.
            self.source = Source::Ended;
            self.watch = Watch::Nobody;
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        if self.keep_alive.as_mut().poll(cx).is_ready() {
            self.keep_alive.as_mut().reset(Instant::now() + KEEP_ALIVE);
            return Poll::Ready(Some(Ok(frame::KEEP_ALIVE)));
        }
        Poll::Pending
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match &mut self.get_mut().0 {
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Events(events) => events.poll(cx).map(|next| next.map(|bytes| bytes.map(Frame::data))),
            Kind::App(body) => Pin::new(body).poll_frame(cx).map_err(io::Error::other),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Events(_) => false,
            Kind::App(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Events(_) => SizeHint::default(),
            Kind::App(body) => body.size_hint(),
        }
    }
}

/// Reads the body of a request into one piece of at most `limit` bytes, without a copy where it came in one.
pub(super) async fn collect<B>(body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    // Its length was said: nothing of it is read, and a client that waits for leave to send it gets none.
    if body.size_hint().lower() > limit as u64 {
        return Err(refusal::TOO_LARGE);
    }
    let mut gathering = std::pin::pin!(gather(body, limit));
    // Most bodies came together with their heads: only one that is waited for needs a timer.
    if let Poll::Ready(body) = std::future::poll_fn(|cx| Poll::Ready(gathering.as_mut().poll(cx))).await {
        return body;
    }
    timeout(BODY_TIME, gathering).await.unwrap_or(Err(refusal::TOO_SLOW))
}

async fn gather<B>(mut body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(limit).min(limit);
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(|_| refusal::CUT_SHORT)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(refusal::TOO_LARGE);
        }
        if rest.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            // No more than what has come can be trusted to come: a peer must send what it makes us keep.
            rest.reserve(expected.min(4 * (first.len() + data.len())));
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn next(body: &mut Body) -> Option<Bytes> {
        body.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
    }

    // Proves: H-18, N-10.
    #[tokio::test(start_paused = true)]
    async fn an_idle_stream_says_every_fifteen_seconds_that_it_lives() {
        let mut body = Body::listen(EventStream(Box::pin(stream::pending())), None);
        for count in 1..=3 {
            let start = Instant::now();
            assert_eq!(next(&mut body).await.unwrap(), frame::KEEP_ALIVE, "{count}");
            assert_eq!(start.elapsed(), KEEP_ALIVE);
        }
    }

    #[tokio::test]
    async fn events_come_as_they_are_and_the_stream_ends_with_them() {
        let events = [Event { id: Some("1".into()), ..Event::default() }, Event::message(Bytes::from_static(b"{}"))];
        let mut body = Body::listen(EventStream(Box::pin(stream::iter(events))), None);
        assert_eq!(next(&mut body).await.unwrap(), "id: 1\ndata: \n\n");
        assert_eq!(next(&mut body).await.unwrap(), "data: {}\n\n");
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied_and_pieces_are_joined() {
        let one = Bytes::from_static(b"{\"a\":1}");
        let collected = collect(http_body_util::Full::new(one.clone()), 100).await.unwrap();
        assert_eq!(collected.as_ptr(), one.as_ptr());
        let pieces = || {
            let pieces = ["{\"a\"", "", ":", "1}"];
            http_body_util::StreamBody::new(stream::iter(
                pieces.map(|piece| Ok::<_, io::Error>(Frame::data(piece.into()))),
            ))
        };
        assert_eq!(collect(pieces(), 7).await.unwrap(), one);
        assert_eq!(collect(pieces(), 6).await.unwrap_err(), refusal::TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let endless = http_body_util::StreamBody::new(stream::pending::<Result<Frame<Bytes>, io::Error>>());
        assert_eq!(collect(endless, 100).await.unwrap_err(), refusal::TOO_SLOW);
    }
}
