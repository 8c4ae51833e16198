//! What Rust's types, and those of the protocol, may be written as.

use std::collections::BTreeMap;

use super::FromText;
use super::entry::{Absent, Form, Formed};
use crate::addr::{Cidr, OptionalIp};
use crate::json::Json;

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
