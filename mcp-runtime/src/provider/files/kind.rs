//! What a file is: its MIME type by its name, and whether it is text by its bytes.

/// Endings that mean a program's text to some and a film to others: the name says nothing.
const AMBIGUOUS: [&str; 2] = ["ts", "mts"];

/// The type that a name says, if it says one.
pub(super) fn of_name(path: &str) -> Option<&'static str> {
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    if AMBIGUOUS.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
        return None;
    }
    mime_guess::from_ext(ending).first_raw()
}

/// The type of a file that is text.
pub(super) fn of_text(path: &str) -> &'static str {
    of_name(path).unwrap_or("text/plain")
}

/// The type of a file that is not.
pub(super) fn of_bytes(path: &str) -> &'static str {
    of_name(path).unwrap_or("application/octet-stream")
}

/// The bytes as text.
///
/// # Errors
/// The bytes again, where they are no UTF-8 or hold NUL, as texts don't.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    if bytes.contains(&0) {
        return Err(bytes);
    }
    String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)
}
