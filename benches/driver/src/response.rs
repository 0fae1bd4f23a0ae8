//! Reads HTTP/1.1 responses, no more of them than a benchmark needs.
//!
//! *Takes* the bytes of one connection. *Gives* a response when it is complete. *Knows* lengths, chunks and event streams.
//! *Must not know* what the answer means.

use std::io;

use memchr::memmem;

/// A complete response.
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    pub(crate) body: std::borrow::Cow<'a, [u8]>,
}

impl Response<'_> {
    /// The value of this header, which is named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        headers(self.head)
            .find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The JSON in the body; where it is an event stream, in the last event of it.
    pub(crate) fn json(&self) -> io::Result<serde_json::Value> {
        let body = std::str::from_utf8(&self.body).map_err(io::Error::other)?;
        let json = match self.header("content-type") {
            Some("text/event-stream") => {
                body.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or_default()
            }
            _ => body,
        };
        serde_json::from_str(json).map_err(|error| io::Error::other(format!("{error} in {body:?}")))
    }
}

/// The response at the start of these bytes, once all of it has come.
pub(crate) fn read(bytes: &[u8]) -> io::Result<Option<Response<'_>>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (&bytes[..end + 2], &bytes[end + 4..]);
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status line"))?;
    let mut length = if status == 202 || status == 204 { Some(0) } else { None };
    for (name, value) in headers(head) {
        if name.eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked") {
            return Ok(chunks(body)?.map(|body| Response { status, head, body: body.into() }));
        }
    }
    let length: usize = length.ok_or_else(|| io::Error::other("a response without a length"))?;
    Ok(body.get(..length).map(|body| Response { status, head, body: body.into() }))
}

fn headers(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|byte| *byte == b'\n').skip(1).filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

/// What the chunks hold, once the last one has come.
fn chunks(mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = memmem::find(bytes, b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or_else(|| io::Error::other("a chunk without a size"))?;
        let (start, stop) = (end + 2, end + 2 + size);
        if bytes.len() < stop + 2 {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&bytes[start..stop]);
        bytes = &bytes[stop + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_complete_with_its_last_byte() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).unwrap().is_none());
        }
        let response = read(bytes).unwrap().unwrap();
        assert_eq!((response.status, &*response.body), (200, &b"{\"a\":1}"[..]));
        assert_eq!(response.json().unwrap()["a"], 1);
    }

    #[test]
    fn chunks_of_an_event_stream_are_joined() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
            6\r\ndata: \r\n9\r\n{\"a\":1}\n\n\r\n0\r\n\r\n";
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).unwrap().is_none());
        }
        assert_eq!(read(bytes).unwrap().unwrap().json().unwrap()["a"], 1);
    }
}
