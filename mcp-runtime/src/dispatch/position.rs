//! Where a list goes on: what a cursor says when it is unsealed.

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) place: Place,
    /// How many items are passed over from there on.
    pub(super) skip: usize,
}

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The beginning of what was declared.
    Declared,
    /// The page of this provider that begins at its own cursor; `None` is its first.
    Provided { provider: usize, cursor: Option<String> },
}

impl Position {
    /// As bytes.
    ///
    /// # Shape
    /// A byte for the kind (0 declared, 1 a provider's first page, 2 a later one), what is passed over and the provider as
    /// four big-endian bytes each, then the provider's cursor.
    pub(super) fn write(&self) -> Vec<u8> {
        let (kind, provider, cursor) = match &self.place {
            Place::Declared => (0, 0, ""),
            Place::Provided { provider, cursor: None } => (1, *provider, ""),
            Place::Provided { provider, cursor: Some(cursor) } => (2, *provider, cursor.as_str()),
        };
        let mut bytes = vec![kind];
        for number in [self.skip, provider] {
            bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        }
        bytes.extend_from_slice(cursor.as_bytes());
        bytes
    }

    /// Of bytes; `None` for what [`write`](Self::write) never writes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (skip, rest) = rest.split_first_chunk::<4>()?;
        let (provider, cursor) = rest.split_first_chunk::<4>()?;
        let (skip, provider) = (u32::from_be_bytes(*skip) as usize, u32::from_be_bytes(*provider) as usize);
        let cursor = std::str::from_utf8(cursor).ok()?;
        let place = match (kind, cursor) {
            (0, "") => Place::Declared,
            (1, "") => Place::Provided { provider, cursor: None },
            (2, cursor) => Place::Provided { provider, cursor: Some(cursor.to_owned()) },
            _ => return None,
        };
        Some(Self { place, skip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_as_it_was() {
        for place in [
            Place::Declared,
            Place::Provided { provider: 3, cursor: None },
            Place::Provided { provider: 0, cursor: Some(String::new()) },
            Place::Provided { provider: 7, cursor: Some("näxt".into()) },
        ] {
            let position = Position { place, skip: 5 };
            assert_eq!(Position::read(&position.write()), Some(position));
        }
        for bytes in [&[][..], &[0; 3], &[3, 0, 0, 0, 0, 0, 0, 0, 0], &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff]] {
            assert_eq!(Position::read(bytes), None);
        }
    }
}
