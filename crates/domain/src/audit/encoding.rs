//! Bytes that stand for one thing only.

/// A list of texts and bytes, each behind its length: no two lists give the same bytes.
#[derive(Debug)]
pub(super) struct Encoding(Vec<u8>);

impl Encoding {
    /// `form` says what is encoded, and in which form: what was encoded as one thing is never taken for another.
    pub(super) fn of(form: &str) -> Self {
        let mut encoding = Self(Vec::with_capacity(512));
        encoding.part(form.as_bytes());
        encoding
    }

    /// A value under its name. What is absent leaves nothing, so that names can be added later.
    pub(super) fn field(&mut self, name: &str, value: &[u8]) {
        self.part(name.as_bytes());
        self.part(value);
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
}
