//! What the value of a key may be.

use std::collections::BTreeMap;

use super::{Absent, FromText, Key};
use crate::addr::{Cidr, OptionalIp};
use crate::error::Result;
use crate::json::Json;

/// What the value of a key may be. `null` is as good as no value, for every key.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// `true` or `false`.
    Boolean,
    /// A whole number in one of these intervals, both ends included, in order.
    Whole(&'static [(i128, i128)]),
    /// A text.
    Text {
        /// What it is called: `text`, `IP address`.
        what: &'static str,
        /// Whether it is one, or what is wrong with it. An empty text is no value, unless the key is required.
        check: fn(&str) -> Result<()>,
    },
    /// One of these texts.
    Words {
        /// They.
        words: &'static [&'static str],
        /// Whether their letters' case does not count.
        any_case: bool,
    },
    /// A list of such values.
    List(&'static Form),
    /// An object with these keys; others are ignored.
    Object(&'static [Key]),
    /// An object with any keys and such values.
    Map(&'static Form),
    /// Anything.
    Any,
}

/// A type that keys have values of.
pub trait Formed {
    /// What may be written.
    const FORM: Form;
    /// What counts where nothing is written.
    const ABSENT: Absent = Absent::Nothing;
}

impl Formed for bool {
    const FORM: Form = Form::Boolean;
    const ABSENT: Absent = Absent::Value("false");
}

macro_rules! whole {
    ($($number:ty)*) => {$(
        impl Formed for $number {
            const FORM: Form = Form::Whole(&[(<$number>::MIN as i128, <$number>::MAX as i128)]);
            const ABSENT: Absent = Absent::Value("0");
        }
    )*};
}

whole!(u8 u32 u64 i64);

impl Formed for String {
    const FORM: Form = Form::Text { what: "text", check: |_| Ok(()) };
}

impl Formed for Json {
    const FORM: Form = Form::Any;
}

impl<T: Formed> Formed for Option<T> {
    const FORM: Form = T::FORM;
}

impl<T: Formed> Formed for Vec<T> {
    const FORM: Form = Form::List(&T::FORM);
}

impl<T: Formed> Formed for BTreeMap<String, T> {
    const FORM: Form = Form::Map(&T::FORM);
}

impl Formed for Cidr {
    const FORM: Form = <Self as FromText>::FORM;
}

impl Formed for OptionalIp {
    const FORM: Form = Form::Text {
        what: "IP address",
        check: |text| text.parse::<Self>().map(drop).map_err(crate::Error::config),
    };
}
