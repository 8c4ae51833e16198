//! Where a run stands among others: the W3C trace context (<https://www.w3.org/TR/trace-context/>).

use std::hash::{BuildHasher, Hasher, RandomState};

/// The trace a run is of, and who asked for the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Shared by all runs of one operation, in hexadecimal digits.
    pub trace_id: u128,
    /// The span that this one is part of.
    pub parent: Option<u64>,
    /// Bit 0: whoever asks keeps the trace. Handed on as it came.
    pub flags: u8,
}

impl Context {
    /// Reads a `traceparent`; `None` for one that is malformed, of the version that must not be, or of zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split('-').collect();
        let [version, trace_id, parent, flags, rest @ ..] = &fields[..] else { return None };
        let number = |field: &str, digits: usize| {
            let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            let fits = field.len() == digits && field.bytes().all(is_digit);
            fits.then(|| u128::from_str_radix(field, 16).ok()).flatten()
        };
        let version = number(version, 2).filter(|version| *version != 0xff)?;
        // A later version may have more behind.
        if version == 0 && !rest.is_empty() {
            return None;
        }
        let trace_id = number(trace_id, 32).filter(|id| *id != 0)?;
        let parent = number(parent, 16).and_then(|id| u64::try_from(id).ok()).filter(|id| *id != 0)?;
        let flags = number(flags, 2).and_then(|flags| u8::try_from(flags).ok())?;
        Some(Self { trace_id, parent: Some(parent), flags })
    }

    /// A trace of its own.
    pub fn new() -> Self {
        let trace_id = u128::from(random()) << 64 | u128::from(random());
        Self { trace_id, parent: None, flags: 1 }
    }

    /// The `traceparent` for what `span` asks for.
    pub fn traceparent(&self, span: u64) -> String {
        format!("00-{:032x}-{span:016x}-{:02x}", self.trace_id, self.flags)
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

/// Not zero. The standard library's hash keys are random, and each is another one.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_traceparent_is_none() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let good = format!("00-{trace}-{span}-01");
        let context = Context::parse(&good).unwrap();
        assert_eq!((context.parent, context.flags), (Some(0x00f0_67aa_0ba9_02b7), 1));
        assert_eq!(context.traceparent(0x00f0_67aa_0ba9_02b7), good);
        assert_eq!(Context::parse(&format!("cc-{trace}-{span}-00-what-ever")).unwrap().flags, 0);
        for bad in [
            String::new(),
            "-".to_owned(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("0-{trace}-{span}-01"),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", &trace[1..]),
            format!("00-{trace}-+{}-01", &span[1..]),
            format!(" 00-{trace}-{span}-01"),
            format!("00-{trace}-{span}-é1"),
        ] {
            assert_eq!(Context::parse(&bad), None, "{bad}");
        }
        assert_ne!(Context::new().trace_id, Context::new().trace_id);
    }
}
