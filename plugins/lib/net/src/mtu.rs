//! The configuration key `mtu`.

use std::fmt;

use cni_types::{Absent, Error, Form, Formed, Result};
use serde::de::{Deserialize, Deserializer, Unexpected, Visitor};

/// The smallest MTU an Ethernet link takes (`ETH_MIN_MTU`, `linux/if_ether.h`), in bytes.
pub(crate) const MTU_MIN: i64 = 68;
/// The largest (`ETH_MAX_MTU`), in bytes.
const MTU_MAX: i64 = 65_535;

/// The key as it is written: a whole number. What else stands there is told with the numbers that may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mtu(i64);

impl Mtu {
    /// In bytes; 0 leaves the kernel's default.
    ///
    /// # Errors
    /// Code 7 with the allowed interval.
    pub fn bytes(self) -> Result<u32> {
        let Self(value) = self;
        let allowed = value == 0 || (MTU_MIN..=MTU_MAX).contains(&value);
        let mtu = u32::try_from(value).ok().filter(|_| allowed);
        mtu.ok_or_else(|| {
            Error::config(format!(
                "invalid mtu {value}: it must be {MTU_MIN}–{MTU_MAX}, or 0 for the kernel's default"
            ))
        })
    }
}

impl Formed for Mtu {
    const FORM: Form = Form::Whole(&[(0, 0), (MTU_MIN as i128, MTU_MAX as i128)]);
    const ABSENT: Absent = Absent::Otherwise("0: the kernel's");
}

impl<'de> Deserialize<'de> for Mtu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_i64(Number)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = Mtu;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number of bytes, {MTU_MIN}–{MTU_MAX}, or 0 for the kernel's default")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<Mtu, E> {
        Ok(Mtu(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Mtu, E> {
        i64::try_from(value).map(Mtu).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}
