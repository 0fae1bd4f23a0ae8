//! One TCP connection, shared by the HTTP machine that reads and writes it, the housekeeping that watches its times, and
//! the call that wants to know whether the peer is still there.
//!
//! Takes: a `TcpStream`. Gives: reads and writes, and their history. Knows: sockets. Must not know: HTTP.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// What the connection is doing, as far as its time limits are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Phase {
    /// Nothing: waiting for the first byte of the next request.
    Idle = 0,
    /// The head of a request is coming in.
    Head = 1,
    /// A request is with the application, which has limits of its own.
    Busy = 2,
    /// A request was read to its end: what is read next belongs to another one.
    Answering = 3,
}

/// What housekeeping asks of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Order {
    /// Nothing.
    None = 0,
    /// Finish the request under way, then close.
    Finish = 1,
    /// Close now.
    Abort = 2,
}

/// The history of a connection at one moment: equal history means that nothing moved in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct History {
    phase: u32,
    writes: u32,
    blocked: bool,
}

impl History {
    pub(super) fn phase(self) -> Phase {
        match self.phase & 3 {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Answering,
        }
    }

    /// The peer does not take what is written.
    pub(super) fn blocked(self) -> bool {
        self.blocked
    }
}

/// One connection.
pub(super) struct Line {
    stream: TcpStream,
    // The number of phases so far, times four, plus the phase: no clock is read per request, housekeeping compares.
    phase: AtomicU32,
    writes: AtomicU32,
    blocked: AtomicBool,
    // Bytes were given to be written and not flushed yet: nothing may be written beside the HTTP machine.
    unflushed: AtomicBool,
    order: AtomicU8,
    waker: AtomicWaker,
    // Something may be left unread: close gently, or the peer never sees the answer.
    refused: AtomicBool,
}

impl Line {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            phase: AtomicU32::new(Phase::Head as u32),
            writes: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            unflushed: AtomicBool::new(false),
            order: AtomicU8::new(Order::None as u8),
            waker: AtomicWaker::new(),
            refused: AtomicBool::new(false),
        }
    }

    /// The connection enters a phase. Only the connection's own task calls this.
    pub(super) fn enter(&self, phase: Phase) {
        let past = self.phase.load(Relaxed);
        self.phase.store((past & !3).wrapping_add(4) | phase as u32, Relaxed);
    }

    /// Something that the peer sent may be left unread.
    pub(super) fn refuse_rest(&self) {
        self.refused.store(true, Relaxed);
    }

    pub(super) fn history(&self) -> History {
        History {
            phase: self.phase.load(Relaxed),
            writes: self.writes.load(Relaxed),
            blocked: self.blocked.load(Relaxed),
        }
    }

    /// Asks something of the connection's task.
    pub(super) fn order(&self, order: Order) {
        self.order.fetch_max(order as u8, Relaxed);
        self.waker.wake();
    }

    /// What is asked of the connection, which is woken when that changes.
    pub(super) fn poll_order(&self, cx: &mut Context<'_>) -> Order {
        self.waker.register(cx.waker());
        match self.order.load(Relaxed) {
            0 => Order::None,
            1 => Order::Finish,
            _ => Order::Abort,
        }
    }

    /// Waits until the peer has nothing more to say: it closed the connection, or its half of it.
    pub(super) async fn peer_finished(&self) {
        while let Ok(ready) = self.stream.ready(Interest::READABLE).await {
            if ready.is_read_closed() {
                return;
            }
            // Bytes of the next request hide the end behind them until they are read, which is not now: look again later.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the peer has refused bytes or taken the connection down: it is gone for good.
    pub(super) async fn peer_gone(&self) {
        let _ = self.stream.ready(Interest::ERROR).await;
    }

    /// Writes a few bytes beside the HTTP machine, if that has nothing under way; `false` if the peer is gone.
    pub(super) fn probe(&self, bytes: &[u8]) -> bool {
        self.unflushed.load(Relaxed)
            || !matches!(self.stream.try_write(bytes), Err(error) if error.kind() != io::ErrorKind::WouldBlock)
    }

    /// Tells the peer that nothing more comes; one that is gone need not be told.
    fn finish_sending(&self) {
        let _ = socket2::SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write);
    }

    /// Closes gently where bytes of the peer are left unread: a socket closed over unread bytes resets the connection,
    /// and the answer may be lost with it. Some of the rest is thrown away first, for a short time.
    pub(super) async fn linger(&self) {
        const BYTES: usize = 8 << 20;
        const TIME: Duration = Duration::from_millis(500);
        if !self.refused.load(Relaxed) {
            return;
        }
        self.finish_sending();
        let drained = async {
            let mut waste = [0; 4096];
            let mut left = BYTES;
            while left > 0 && self.stream.readable().await.is_ok() {
                match self.stream.try_read(&mut waste) {
                    Ok(0) => break,
                    Ok(read) => left = left.saturating_sub(read),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => break,
                }
            }
        };
        let _ = tokio::time::timeout(TIME, drained).await;
    }
}

/// A connection as the HTTP machine sees it.
pub(super) struct Wire(pub(super) Arc<Line>);

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let line = &*self.0;
        if line.phase.load(Relaxed) & 3 == Phase::Answering as u32 {
            line.enter(Phase::Idle);
        }
        loop {
            ready!(line.stream.poll_read_ready(cx))?;
            let room = buffer.remaining();
            let mut outcome = Ok(0);
            // A read that does not fill the buffer has drained the socket: reporting it as one that would block clears the
            // readiness, so that the next wait costs no system call. Readiness that comes in between is not lost: what is
            // cleared is what was seen before the read.
            let _ = line.stream.try_io(Interest::READABLE, || {
                outcome = line.stream.try_read_buf(buffer);
                match &outcome {
                    Ok(read) if 0 < *read && *read < room => Err(io::ErrorKind::WouldBlock.into()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(()),
                }
            });
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(read) => {
                    if read > 0 && line.phase.load(Relaxed) & 3 == Phase::Idle as u32 {
                        line.enter(Phase::Head);
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl Wire {
    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let line = &*self.0;
        line.unflushed.store(true, Relaxed);
        loop {
            let Poll::Ready(ready) = line.stream.poll_write_ready(cx) else {
                line.blocked.store(true, Relaxed);
                return Poll::Pending;
            };
            ready?;
            match write(&line.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => {
                    line.blocked.store(false, Relaxed);
                    line.writes.store(line.writes.load(Relaxed).wrapping_add(1), Relaxed);
                    return Poll::Ready(outcome);
                }
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The HTTP machine flushes only when it has handed over all that it had.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.unflushed.store(false, Relaxed);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.finish_sending();
        Poll::Ready(Ok(()))
    }
}
