//! Messages into bytes.

use super::{Code, Id};

/// Appends `{"jsonrpc":"2.0","id":…,"result":` + what `result` writes + `}`.
pub(crate) fn write_result(out: &mut Vec<u8>, id: &Id, result: impl FnOnce(&mut Vec<u8>)) {
    let _ = (out, id, result);
    todo!()
}

/// Appends an error response; without an id the member is left out. `data` is JSON text.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&Id>, code: Code, message: &str, data: Option<&str>) {
    let _ = (out, id, code, message, data);
    todo!()
}

/// Appends a notification; `params` writes a JSON object.
pub(crate) fn write_notification(out: &mut Vec<u8>, method: &str, params: impl FnOnce(&mut Vec<u8>)) {
    let _ = (out, method, params);
    todo!()
}

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let _ = (out, text);
    todo!()
}
