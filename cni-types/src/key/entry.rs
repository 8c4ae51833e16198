//! A key, and what its value may be: an object of keys, for example.

use crate::error::Result;

/// One key of a configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value may be.
    pub form: Form,
    /// What counts without it.
    pub absent: Absent,
    /// What it does, in a line. Empty for an object that is only the place of other keys.
    pub text: &'static str,
    /// The key beside it without which it is refused, or means nothing. To be there is to be something else than false,
    /// 0, or nothing.
    pub needs: Option<&'static str>,
    /// The key that is refused beside it.
    pub excludes: Option<&'static str>,
}

/// What counts where a key is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It has to be there.
    Required,
    /// This value, as JSON.
    Value(&'static str),
    /// What these words say.
    Otherwise(&'static str),
    /// Nothing.
    Nothing,
}

impl Key {
    /// The key `name` for values of a type.
    pub const fn of<T: Formed>(name: &'static str, text: &'static str) -> Self {
        Self { name, form: T::FORM, absent: T::ABSENT, text, needs: None, excludes: None }
    }

    /// An object that is only the place of these keys.
    pub const fn object(name: &'static str, keys: &'static [Self]) -> Self {
        let (absent, form) = (Absent::Nothing, Form::Object(keys));
        Self { name, form, absent, text: "", needs: None, excludes: None }
    }

    /// The same with another text.
    #[must_use]
    pub const fn saying(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    /// The same, which has to be there.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { absent: Absent::Required, ..self }
    }

    /// The same with what counts without it, in words.
    #[must_use]
    pub const fn otherwise(self, words: &'static str) -> Self {
        Self { absent: Absent::Otherwise(words), ..self }
    }

    /// The same with the value that counts without it, as JSON.
    #[must_use]
    pub const fn value(self, json: &'static str) -> Self {
        Self { absent: Absent::Value(json), ..self }
    }

    /// The same, which needs another key.
    #[must_use]
    pub const fn needs(self, other: &'static str) -> Self {
        Self { needs: Some(other), ..self }
    }

    /// The same, which is refused beside another key.
    #[must_use]
    pub const fn excludes(self, other: &'static str) -> Self {
        Self { excludes: Some(other), ..self }
    }
}

/// All that one plugin can be told, beside the keys that all plugins share ([`Shared`](crate::Shared)).
#[derive(Debug, Clone, Copy)]
pub struct PluginKeys {
    /// The plugin's name.
    pub plugin: &'static str,
    /// The keys of its configuration, in the order they are documented. An object may be there more than once: then its
    /// keys add up. Those of `runtimeConfig` are there when the capability of the same name is asked for.
    pub keys: &'static [&'static [Key]],
    /// The keys of `CNI_ARGS`.
    pub args: &'static [Key],
}

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
