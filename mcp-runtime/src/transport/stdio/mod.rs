//! Lines.
//!
//! Takes: lines. Gives: [`Inbound`]s to the engine and lines back. Knows: where a line ends, limits. Must not know: what a
//! line says.
//!
//! Input and output have a thread each, because reading from a terminal or pipe can't be cut short: the process then ends
//! without waiting for a line that never comes.

mod busy;

use std::{
    future::Future,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use super::frame;
use crate::{
    engine::Engine,
    exchange::{EventStream, Exchange, Inbound, Source, Step},
};

/// The longest line that is read, in bytes.
const LINE_LIMIT: usize = 4 << 20;
/// How long running calls may take to finish after the last line. Our choice: half of what an HTTP server gives, because
/// whoever closed the input waits for the process.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the first line may keep the second waiting. A client that writes `initialize` and does not wait for the answer
/// still finds its session open.
const FIRST: Duration = Duration::from_secs(1);
/// How long a line may keep the next one waiting until its work has begun, so that work begins in the order of the lines
/// while a function that blocks its thread holds up nothing.
const BEGIN: Duration = Duration::from_millis(20);
/// How many lines may be under way at once; a request beyond them is refused. Reading on is better than waiting for room:
/// if every call hangs, the line that cancels one is still to come. Our choice: more than any client has use for.
const CALLS: usize = 1024;

const TOO_LONG: &[u8] =
    br#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"The line is longer than 4 MiB and was skipped"}}"#;

/// What came in.
#[derive(Debug, PartialEq)]
enum Incoming {
    Line(Bytes),
    TooLong,
}

/// Serves until the input ends, the output breaks or `stop` is done, then finishes what is running.
pub(crate) async fn serve(
    engine: Arc<Engine>,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (line_sender, mut lines) = mpsc::channel(64);
    thread::Builder::new().name("mcp-stdin".into()).spawn(move || read_lines(input, &line_sender))?;
    let (out, frames) = mpsc::channel(256);
    let (written_sender, written) = oneshot::channel();
    thread::Builder::new().name("mcp-stdout".into()).spawn(move || {
        let _ = written_sender.send(write_frames(output, frames));
    })?;

    let process = engine.process();
    let news = tokio::spawn(tell(engine.news(process.clone()), out.clone()));
    let mut tasks = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let mut patience = FIRST;
    'lines: loop {
        let incoming = tokio::select! {
            biased;
            () = &mut stop => break,
            () = out.closed() => break,
            incoming = lines.recv() => incoming,
        };
        while tasks.try_join_next().is_some() {}
        // Beyond twice the limit are only answers that the client does not read: it is not read either.
        while tasks.len() >= 2 * CALLS {
            tokio::select! {
                biased;
                () = &mut stop => break 'lines,
                _ = tasks.join_next() => {}
            }
        }
        let refusal = match &incoming {
            None => break,
            Some(Incoming::TooLong) => Some(Bytes::from_static(TOO_LONG)),
            Some(Incoming::Line(body)) if tasks.len() >= CALLS => busy::refusal(body),
            Some(Incoming::Line(_)) => None,
        };
        if let Some(refusal) = refusal {
            tokio::select! {
                biased;
                () = &mut stop => break,
                _ = out.send(refusal) => continue,
            }
        }
        let Some(Incoming::Line(body)) = incoming else { continue };
        let exchange = engine.exchange(Inbound { body, principal: None, source: Source::Stdio(process.clone()) });
        let (begun, began) = oneshot::channel();
        // The first line says "begun" when it is done, all others when they have been polled once.
        let (done, begun) = if patience == FIRST { (Some(begun), None) } else { (None, Some(begun)) };
        let out = out.clone();
        tasks.spawn(async move {
            drive(exchange, out, begun).await;
            drop(done);
        });
        let _ = timeout(patience, began).await;
        patience = BEGIN;
    }
    engine.drain();
    process.finish();
    // The writer ends when nobody is left who could give it a frame.
    drop(out);
    let written = timeout(DRAIN, written).await;
    tasks.shutdown().await;
    news.abort();
    engine.end_process(&process).await;
    match written {
        // A client that stopped reading went away, as it may.
        Ok(Ok(Err(error))) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Ok(Ok(written)) => written,
        Ok(Err(_)) => Err(io::Error::other("the output thread ended early")),
        Err(_) => {
            tracing::warn!(
                "calls were still running {} seconds after the input ended: they are cut off",
                DRAIN.as_secs()
            );
            Ok(())
        }
    }
}

/// Drives one exchange to its end, writing what it gives.
async fn drive(mut exchange: Exchange, out: mpsc::Sender<Bytes>, mut begun: Option<oneshot::Sender<()>>) {
    loop {
        let step = std::future::poll_fn(|cx| {
            let step = exchange.poll_step(cx);
            drop(begun.take());
            step
        })
        .await;
        match step {
            Step::Message(message) => {
                if out.send(message.data).await.is_err() {
                    return;
                }
            }
            Step::Done(outbound) => {
                if !outbound.body.is_empty() {
                    let _ = out.send(outbound.body).await;
                }
                return;
            }
        }
    }
}

/// Writes what the client is told without having asked.
async fn tell(mut news: EventStream, out: mpsc::Sender<Bytes>) {
    while let Some(event) = std::future::poll_fn(|cx| news.poll_next(cx)).await {
        if out.send(event.data).await.is_err() {
            return;
        }
    }
}

fn read_lines(input: impl Read, lines: &mpsc::Sender<Incoming>) {
    let mut input = BufReader::with_capacity(64 << 10, input);
    loop {
        match read_line(&mut input, LINE_LIMIT) {
            Ok(Some(incoming)) => {
                if lines.blocking_send(incoming).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "can't read the input");
                return;
            }
        }
    }
}

/// The next line that is not blank, without its end; `None` at the end of the input. The last line needs no line break.
fn read_line(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Incoming>> {
    loop {
        let mut line = Vec::new();
        let mut too_long = false;
        let ended = loop {
            let available = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                break true;
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            too_long |= line.len() + part.len() > limit;
            if too_long {
                // What is kept of it is of no use.
                line = Vec::new();
            } else {
                line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            input.consume(used);
            if end.is_some() {
                break false;
            }
        };
        if too_long {
            return Ok(Some(Incoming::TooLong));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Incoming::Line(line.into())));
        }
        if ended {
            return Ok(None);
        }
    }
}

fn write_frames(output: impl Write, mut frames: mpsc::Receiver<Bytes>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(64 << 10, output);
    while let Some(first) = frames.blocking_recv() {
        let mut next = Some(first);
        while let Some(message) = next {
            output.write_all(&frame::one_line(message))?;
            output.write_all(b"\n")?;
            next = frames.try_recv().ok();
        }
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
