//! Whole numbers in an interval.

use serde::{Deserialize, Deserializer};

use super::{Absent, Form, Formed};
use crate::error::{Error, Result};

/// A whole number as it is written; it should be one from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Whole<MIN, MAX> {
    /// The number as the type that has room for the interval; `None` outside it.
    pub fn within<T: TryFrom<i64>>(self) -> Option<T> {
        T::try_from(self.0).ok().filter(|_| (MIN..=MAX).contains(&self.0))
    }

    /// The same; `key` is named outside the interval.
    ///
    /// # Errors
    /// Code 7 with what is allowed.
    pub fn read<T: TryFrom<i64>>(self, key: &str) -> Result<T> {
        self.within()
            .ok_or_else(|| Error::config(format!("invalid {key} {}: it must be {MIN}–{MAX}", self.0)))
    }
}

impl<const MIN: i64, const MAX: i64> Formed for Whole<MIN, MAX> {
    const FORM: Form = Form::Whole(&[(MIN as i128, MAX as i128)]);
    const ABSENT: Absent = Absent::Value("0");
}

impl<const MIN: i64, const MAX: i64> From<i32> for Whole<MIN, MAX> {
    fn from(number: i32) -> Self {
        Self(number.into())
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}
