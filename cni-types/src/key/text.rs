//! Texts that mean something.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};

use super::entry::{Form, Formed};
use crate::addr::{Cidr, parse_ip};
use crate::error::{Code, Error, Result};
use crate::name::{IfName, PluginName, excerpt};

/// A type whose values a configuration writes as texts.
pub trait FromText: Sized {
    /// What may be written.
    const FORM: Form;

    /// # Errors
    /// What is wrong with the text.
    fn from_text(text: &str) -> Result<Self>;

    /// Whether `text` is one: what [`Form::Text`] wants.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn check(text: &str) -> Result<()> {
        Self::from_text(text).map(drop)
    }
}

/// A type whose values are words, declared by [`words!`](crate::words).
pub trait Words: Copy + 'static {
    /// The words, as they are told to people.
    const WORDS: &'static [&'static str];
    /// The values, in the same order.
    const ALL: &'static [Self];
    /// Whether their letters' case does not count.
    const ANY_CASE: bool = false;

    /// The word for this value.
    fn word(self) -> &'static str;
}

/// Declares the words that configurations have for the variants of an enum, in the order they are told to people; with
/// `ANY_CASE` behind the type, the letters' case does not count.
///
/// ```
/// use cni_types::{FromText, Words, words};
/// #[derive(Debug, Clone, Copy, PartialEq)]
/// enum Scope { Link, Global }
/// words!(Scope { Global = "global", Link = "link" });
/// assert_eq!((Scope::from_text("link").unwrap(), Scope::Global.word()), (Scope::Link, "global"));
/// let error = Scope::from_text("x").unwrap_err();
/// assert_eq!(error.msg, r#"unknown word "x": it must be "global" or "link""#);
/// ```
#[macro_export]
macro_rules! words {
    ($Type:ident $($ANY_CASE:ident)? { $($Variant:ident = $word:literal),+ $(,)? }) => {
        impl $crate::Words for $Type {
            $(const $ANY_CASE: bool = true;)?
            const WORDS: &'static [&'static str] = &[$($word),+];
            const ALL: &'static [Self] = &[$(Self::$Variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$Variant => $word),+ }
            }
        }
    };
}

impl<T: Words> FromText for T {
    const FORM: Form = Form::Words { words: T::WORDS, any_case: T::ANY_CASE };

    fn from_text(text: &str) -> Result<Self> {
        let is = |word: &str| word == text || T::ANY_CASE && word.eq_ignore_ascii_case(text);
        let found = T::ALL.iter().find(|value| is(value.word()));
        found.copied().ok_or_else(|| unknown(text, T::WORDS))
    }
}

fn unknown(text: &str, words: &[&str]) -> Error {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    let all = match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    };
    Error::config(format!("unknown word {}: it must be {all}", excerpt(text)))
}

/// A text that means a `T`, as it is written.
pub struct Text<T> {
    text: String,
    meaning: PhantomData<fn() -> T>,
}

impl<T> Text<T> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<T: FromText> Text<T> {
    /// What it means; `key` is named where it means nothing.
    ///
    /// # Errors
    /// Code 7.
    pub fn read(&self, key: &str) -> Result<T> {
        let named = |e: Error| e.with_code(Code::CONFIG).doing(format_args!("key {key:?}"));
        T::from_text(&self.text).map_err(named)
    }

    /// The same; an empty text is as good as none.
    ///
    /// # Errors
    /// Code 7.
    pub fn read_if_given(&self, key: &str) -> Result<Option<T>> {
        if self.text.is_empty() { Ok(None) } else { self.read(key).map(Some) }
    }
}

impl<T: FromText> Formed for Text<T> {
    const FORM: Form = T::FORM;
}

impl<T> From<&str> for Text<T> {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), meaning: PhantomData }
    }
}

impl<T> Default for Text<T> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<T> fmt::Debug for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<'de, T> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Self { text: String::deserialize(deserializer)?, meaning: PhantomData })
    }
}

impl FromText for IfName {
    const FORM: Form = Form::Text { what: "interface name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl FromText for PluginName {
    const FORM: Form = Form::Text { what: "plugin name", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl FromText for IpAddr {
    const FORM: Form = Form::Text { what: "IP address", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        parse_ip(text).ok_or_else(|| Error::config(format!("invalid IP address {}", excerpt(text))))
    }
}

impl FromText for Cidr {
    const FORM: Form = Form::Text { what: "address with prefix length", check: Self::check };

    fn from_text(text: &str) -> Result<Self> {
        text.parse().map_err(Error::config)
    }
}
