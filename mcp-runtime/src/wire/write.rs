//! Messages into bytes.

use super::{Code, Id, scan};

/// Appends `{"jsonrpc":"2.0","id":…,"result":` + what `result` writes + `}`.
pub(crate) fn write_result(out: &mut Vec<u8>, id: &Id, result: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_id(out, id);
    out.extend_from_slice(br#","result":"#);
    result(out);
    out.push(b'}');
}

/// Appends an error response; without an id the member is left out. `data` is JSON text.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&Id>, code: Code, message: &str, data: Option<&str>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0""#);
    if let Some(id) = id {
        out.extend_from_slice(br#","id":"#);
        write_id(out, id);
    }
    out.extend_from_slice(br#","error":{"code":"#);
    write_integer(out, code.0.into());
    out.extend_from_slice(br#","message":"#);
    write_string(out, message);
    if let Some(data) = data {
        out.extend_from_slice(br#","data":"#);
        out.extend_from_slice(data.as_bytes());
    }
    out.extend_from_slice(b"}}");
}

/// Appends a notification; `params` writes a JSON object.
pub(crate) fn write_notification(out: &mut Vec<u8>, method: &str, params: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    write_string(out, method);
    out.extend_from_slice(br#","params":"#);
    params(out);
    out.push(b'}');
}

/// Appends a request; `params` writes a JSON object.
pub(crate) fn write_request(out: &mut Vec<u8>, id: &Id, method: &str, params: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_id(out, id);
    out.extend_from_slice(br#","method":"#);
    write_string(out, method);
    out.extend_from_slice(br#","params":"#);
    params(out);
    out.push(b'}');
}

/// Appends an id, as it came or was made.
pub(crate) fn write_id(out: &mut Vec<u8>, id: &Id) {
    match id {
        Id::Integer(id) => write_integer(out, *id),
        Id::String(id) => write_string(out, id),
    }
}

/// Appends a JSON string. Line ends are escaped, so that it fits in one line of stdio or of an event stream.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut plain = 0;
    loop {
        let end = scan::plain_end(bytes, plain);
        out.extend_from_slice(bytes.get(plain..end).unwrap_or_default());
        let Some(&byte) = bytes.get(end) else { break };
        match byte {
            b'"' => out.extend_from_slice(br#"\""#),
            b'\\' => out.extend_from_slice(br"\\"),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            b'\t' => out.extend_from_slice(br"\t"),
            0x8 => out.extend_from_slice(br"\b"),
            0xc => out.extend_from_slice(br"\f"),
            control => {
                out.extend_from_slice(br"\u00");
                out.extend([control >> 4, control & 0xf].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        plain = end + 1;
    }
    out.push(b'"');
}

fn write_integer(out: &mut Vec<u8>, integer: i128) {
    // Almost every id is small; the general case need not be fast.
    let Ok(mut rest) = u64::try_from(integer) else {
        out.extend_from_slice(integer.to_string().as_bytes());
        return;
    };
    let mut digits = [0; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        // The remainder is below ten.
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        first -= 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}
