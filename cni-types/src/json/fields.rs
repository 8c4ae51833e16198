//! How a struct is decoded: it begins as its default, and each member of the object sets a field. serde's derive holds all
//! fields aside until the end instead, which is four times the code for each struct.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A struct whose fields have names, as [`fields!`](crate::fields) declares them.
pub trait Fields: Default {
    /// The names.
    const NAMES: &'static [&'static str];

    /// Sets the field of this place among the names to the value that is next.
    ///
    /// # Errors
    /// That of the value.
    fn set<'de, A: MapAccess<'de>>(&mut self, at: usize, members: &mut A) -> Result<(), A::Error>;
}

/// Says by which names the fields of a struct are decoded; `Default` is what counts without them. The crate needs `serde`.
///
/// ```
/// #[derive(Default)]
/// struct Attached { container_id: String, ifname: String }
/// cni_types::fields!(Attached { "containerID" container_id, "ifname" ifname });
/// let read: Attached = cni_types::Json::parse(br#"{"containerID": "c"}"#)?.decode()?;
/// assert_eq!((read.container_id.as_str(), read.ifname.as_str()), ("c", ""));
/// # Ok::<(), cni_types::Error>(())
/// ```
#[macro_export]
macro_rules! fields {
    ($Struct:ident { $($name:literal $field:ident),* $(,)? }) => {
        impl $crate::Fields for $Struct {
            const NAMES: &'static [&'static str] = &[$($name),*];

            fn set<'de, A: ::serde::de::MapAccess<'de>>(
                &mut self,
                at: usize,
                members: &mut A,
            ) -> ::core::result::Result<(), A::Error> {
                // Of these the compiler makes a table.
                let mut place = 0;
                $(
                    if at == place {
                        return $crate::set_field(&mut self.$field, members);
                    }
                    place += 1;
                )*
                let _ = place;
                Ok(())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Struct {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::deserialize_fields(deserializer)
            }
        }
    };
}

/// For [`fields!`](crate::fields): reads the struct.
///
/// # Errors
/// That of the first value that is none of its field's.
#[doc(hidden)]
pub fn deserialize_fields<'de, T: Fields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_struct("", T::NAMES, Struct(PhantomData))
}

/// For [`fields!`](crate::fields): sets a field to the value that is next. There is one of it for each type of fields.
///
/// # Errors
/// That of the value.
#[doc(hidden)]
#[inline(never)]
pub fn set_field<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    field: &mut T,
    members: &mut A,
) -> Result<(), A::Error> {
    *field = members.next_value()?;
    Ok(())
}

struct Struct<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for Struct<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let mut fields = T::default();
        while let Some(at) = members.next_key_seed(Name(T::NAMES))? {
            match at {
                Some(at) => fields.set(at, &mut members)?,
                None => members.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(fields)
    }
}

/// The place of a key among these names, if it is one of them.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}
