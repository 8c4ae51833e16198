//! The declaration itself.

/// Declares structs of keys: for each what it does, its name, the field that has its value, the type, and what else
/// there is to say by the methods of [`Key`](crate::Key).
///
/// ```
/// cni_types::keys! {
///     /// The keys of a plugin.
///     struct Keys {
///         /// name of the bridge
///         "bridge" bridge: String = "cni0";
///         /// MTU in bytes
///         "mtu" mtu: u32, otherwise("0: the kernel's");
///         "runtimeConfig" runtime: Runtime;
///     }
///     /// What the runtime adds.
///     struct Runtime {
///         /// a MAC address
///         "mac" mac: String;
///     }
/// }
/// let keys: Keys = cni_types::Json::parse(br#"{"MTU": 1400}"#)?.decode()?;
/// assert_eq!((keys.bridge.as_str(), keys.mtu, keys.runtime.mac.as_str()), ("cni0", 1400, ""));
/// assert_eq!((Keys::KEYS[0].name, Keys::KEYS[0].text), ("bridge", " name of the bridge"));
/// # Ok::<(), cni_types::Error>(())
/// ```
///
/// The crate needs `serde`. A field may have one attribute of serde's behind the text, where `Serialize` is derived; that goes
/// by the fields' names.
#[macro_export]
macro_rules! keys {
    ($(
        $(#[$outer:meta])*
        $vis:vis struct $Keys:ident {$(
            $(#[doc = $text:literal])*
            $(#[serde($($serde:tt)*)])?
            $name:literal $field:ident : $type:ty $(= $default:literal)? $(, $clause:ident($($word:literal)?))*;
        )*}
    )*) => {$(
        $(#[$outer])*
        $vis struct $Keys {$(
            $(#[doc = $text])*
            $(#[serde($($serde)*)])?
            $vis $field: $type,
        )*}

        $crate::fields!($Keys { $($name $field),* });

        impl Default for $Keys {
            fn default() -> Self {
                Self {$( $field: $crate::keys!(@default $($default)?), )*}
            }
        }

        impl $Keys {
            /// The declarations.
            $vis const KEYS: &'static [$crate::Key] = &[$(
                $crate::Key::of::<$type>($name, concat!($($text),*))
                    $(.value(stringify!($default)))?
                    $(.$clause($($word)?))*,
            )*];
        }

        impl $crate::Formed for $Keys {
            const FORM: $crate::Form = $crate::Form::Object(Self::KEYS);
        }
    )*};
    (@default) => { Default::default() };
    (@default $value:literal) => { From::from($value) };
}
