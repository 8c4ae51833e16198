//! One body, every spec version.

/// All versions of the CNI specification a plugin has to speak.
pub const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// Makes one test per spec version of a function over the version: `in_every_version!(body as result_shape);` gives
/// `result_shape::v0_1_0` … `v1_1_0`.
#[macro_export]
macro_rules! in_every_version {
    ($($body:ident as $module:ident),+ $(,)?) => { $(
        mod $module {
            #[test]
            fn v0_1_0() { super::$body("0.1.0"); }
            #[test]
            fn v0_2_0() { super::$body("0.2.0"); }
            #[test]
            fn v0_3_0() { super::$body("0.3.0"); }
            #[test]
            fn v0_3_1() { super::$body("0.3.1"); }
            #[test]
            fn v0_4_0() { super::$body("0.4.0"); }
            #[test]
            fn v1_0_0() { super::$body("1.0.0"); }
            #[test]
            fn v1_1_0() { super::$body("1.1.0"); }
        }
    )+ };
}
