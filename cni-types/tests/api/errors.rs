//! The error type: what leads, what follows, which code stays.

use std::io;

use cni_types::{Code, Doing, Error, Numbers, SpecVersion};

#[test]
fn context_goes_in_front_and_the_code_stays() {
    let error: cni_types::Result<()> = Err(Error::check("the MTU is 1400").because("wanted 1500"));
    let error = error.doing("link eth0").unwrap_err().because("outer");
    assert_eq!(error.to_string(), "link eth0: the MTU is 1400: outer; wanted 1500");
    assert_eq!(error.code, Code::CHECK);
}

#[test]
fn a_failed_system_call_has_its_errno_by_name() {
    let failed: io::Result<String> = std::fs::read_to_string("/nonexistent/file");
    let error = failed.doing("cannot read /nonexistent/file").unwrap_err();
    assert_eq!((error.code, error.msg.as_str()), (Code::IO, "cannot read /nonexistent/file"));
    assert_eq!(error.details, "ENOENT: No such file or directory (os error 2)");
    let error = Error::io("reading", &io::Error::other("no errno here"));
    assert_eq!(error.details, "no errno here");
}

#[test]
fn failures_fold_in_their_order_under_the_first_code() {
    assert_eq!(Error::all(Vec::<cni_types::Result<()>>::new()), Ok(()));
    let failures = [
        Error::new(Code::KERNEL, "a").because("why a"),
        Error::new(Code::FILTER, "b").because("why b"),
        Error::config("c"),
    ];
    let error = Error::all(failures.map(Err)).unwrap_err();
    assert_eq!(error.code, Code::KERNEL);
    assert_eq!(error.to_string(), "a: why a; then: b: why b; then: c");
    let error = Error::all([Ok(()), Err(Error::config("a")), Err(Error::config("b"))]).unwrap_err();
    assert_eq!((error.msg.as_str(), error.details.as_str()), ("a", "then: b"));
}

#[test]
fn version_numbers_follow_the_reference_parser() {
    for (text, wanted) in [("", "0.1.0"), ("1", "1.0.0"), ("0.4", "0.4.0"), ("01.1.00", "1.1.0")] {
        assert_eq!(Numbers::parse(text), Numbers::parse(wanted), "{text}");
    }
    for bad in ["1.2.3.4", "a", "1.x", "1..0", "-1", ".", "1.1.0 ", "v1.0.0", "99999999999999999999"] {
        assert_eq!(Numbers::parse(bad), None, "{bad}");
    }
    assert!(Numbers::parse("0.10.0") > Numbers::parse("0.4.0"));
    assert!(SpecVersion::ALL.windows(2).all(|w| w[0] < w[1] && Numbers::from(w[0]) < Numbers::from(w[1])));
    assert_eq!(SpecVersion::find(""), Some(SpecVersion::V0_1_0));
    for other in ["1.2.0", "1.1", "1", "1.1.0 ", "v1.1.0"] {
        assert_eq!(SpecVersion::find(other), None, "{other}: only the exact text is a version");
    }
}
