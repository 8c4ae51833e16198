//! `CNI_ARGS`: `K=V;K2=V2`, read as strictly as the reference does.

use crate::error::{Code, Error, Result};
use crate::name::excerpt;

/// The text of `CNI_ARGS`, not yet looked at: a plugin that takes no arguments accepts any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CniArgs(String);

impl CniArgs {
    /// Keeps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The values of `keys`, in their order; the last one wins where a key is repeated. Keys are case-sensitive.
    ///
    /// # Errors
    /// Code 4 for a pair without exactly one `=`, for an `IgnoreUnknown` that is no boolean, and for keys outside
    /// `keys` unless `IgnoreUnknown` is true.
    pub fn values<const N: usize>(&self, keys: [&str; N]) -> Result<[Option<String>; N]> {
        let bad =
            |why: String| Error::new(Code::ENVIRONMENT, format!("CNI_ARGS: {why}")).because(excerpt(&self.0));
        let mut values = [const { None }; N];
        let mut unknown = Vec::new();
        let mut ignore_unknown = false;
        if self.0.is_empty() {
            return Ok(values);
        }
        for pair in self.0.split(';') {
            let (key, value) = pair
                .split_once('=')
                .filter(|(_, value)| !value.contains('='))
                .ok_or_else(|| bad(format!("invalid pair {}: it must be KEY=VALUE", excerpt(pair))))?;
            if key == "IgnoreUnknown" {
                ignore_unknown = match value.to_ascii_lowercase().as_str() {
                    "1" | "true" => true,
                    "0" | "false" => false,
                    _ => {
                        return Err(bad(format!(
                            "IgnoreUnknown is {}: it must be 1, true, 0 or false",
                            excerpt(value)
                        )));
                    }
                };
            } else if let Some(slot) = keys.iter().position(|k| *k == key) {
                values[slot] = Some(value.to_owned());
            } else {
                unknown.push(pair);
            }
        }
        if unknown.is_empty() || ignore_unknown {
            Ok(values)
        } else {
            Err(bad(format!("unknown args {unknown:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_the_reference_reads_them() {
        let read = |text: &str| CniArgs::new(text).values(["MAC", "IP"]);
        assert_eq!(read("").unwrap(), [None, None]);
        assert_eq!(read("IP=1;IP=2;MAC=m").unwrap(), [Some("m".into()), Some("2".into())]);
        assert_eq!(read("K8S_POD_NAME=p;IgnoreUnknown=1;IP=1").unwrap(), [None, Some("1".into())]);
        for bad in ["IP", "IP=1;", "IP=a=b", "ip=1", "X=1", "IgnoreUnknown=maybe", "X=1;IgnoreUnknown=0"] {
            assert_eq!(read(bad).unwrap_err().code, Code::ENVIRONMENT, "{bad}");
        }
    }
}
