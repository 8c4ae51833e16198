//! Versions of the CNI specification.

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::json::Json;
use crate::name::excerpt;

/// The specification versions this suite speaks, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpecVersion {
    /// 0.1.0
    V0_1_0,
    /// 0.2.0
    V0_2_0,
    /// 0.3.0
    V0_3_0,
    /// 0.3.1
    V0_3_1,
    /// 0.4.0
    V0_4_0,
    /// 1.0.0
    V1_0_0,
    /// 1.1.0
    V1_1_0,
}

/// The JSON form of a result, which several versions share; a prevResult must have that of its configuration's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResultForm {
    /// 0.1.0 and 0.2.0: `ip4` and `ip6` blocks.
    Legacy,
    /// 0.3.0, 0.3.1, 0.4.0: `ips` with a `version` key.
    Lists,
    /// 1.0.0 and 1.1.0: `ips` without it.
    Current,
}

impl SpecVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V0_1_0, Self::V0_2_0, Self::V0_3_0, Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];
    /// The newest version, the one VERSION answers with.
    pub const CURRENT: Self = Self::V1_1_0;

    /// The version's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }

    /// The version with exactly this text; a missing version (`""`) means 0.1.0.
    pub fn find(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::V0_1_0);
        }
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }

    /// The version a result declares; `None` when it declares none.
    ///
    /// # Errors
    /// Code 6 when it is no string, code 1 when it is none of the specification's.
    pub(crate) fn of(result: &Json) -> Result<Option<Self>> {
        let text = declared_version(result)?;
        if text.is_empty() {
            return Ok(None);
        }
        let unknown = || {
            let known: Vec<_> = Self::ALL.iter().map(|version| version.as_str()).collect();
            Error::new(
                Code::INCOMPATIBLE_VERSION,
                format!("the result is of cniVersion {}, which is not known here", excerpt(&text)),
            )
            .because(format!("known are {}", known.join(", ")))
        };
        Self::find(&text).map(Some).ok_or_else(unknown)
    }

    /// The form of this version's results.
    pub const fn form(self) -> ResultForm {
        match self {
            Self::V0_1_0 | Self::V0_2_0 => ResultForm::Legacy,
            Self::V0_3_0 | Self::V0_3_1 | Self::V0_4_0 => ResultForm::Lists,
            Self::V1_0_0 | Self::V1_1_0 => ResultForm::Current,
        }
    }

    /// The versions that share this version's form of results, as texts.
    pub fn of_same_form(self) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|v| v.form() == self.form()).map(Self::as_str).collect()
    }
}

impl fmt::Display for SpecVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Any `cniVersion` text, known or not, as numbers: what the CHECK, GC and STATUS gates compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbers(u64, u64, u64);

impl Numbers {
    /// Reads one to three dot-separated integers; missing ones are 0, an empty text is 0.1.0.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(0, 1, 0));
        }
        let mut parts = text.split('.').map(|p| p.parse::<u64>().ok());
        let major = parts.next()??;
        let minor = parts.next().unwrap_or(Some(0))?;
        let micro = parts.next().unwrap_or(Some(0))?;
        if parts.next().is_some() { None } else { Some(Self(major, minor, micro)) }
    }
}

impl From<SpecVersion> for Numbers {
    fn from(version: SpecVersion) -> Self {
        Self::parse(version.as_str()).unwrap_or(Self(0, 1, 0))
    }
}

/// The `cniVersion` a document declares, `""` when it has none.
///
/// # Errors
/// Code 6 when it is no string.
pub fn declared_version(json: &Json) -> Result<String> {
    #[derive(Default)]
    struct Probe {
        cni_version: String,
    }
    crate::fields!(Probe { "cniVersion" cni_version });
    Ok(json.decode::<Probe>()?.cni_version)
}
