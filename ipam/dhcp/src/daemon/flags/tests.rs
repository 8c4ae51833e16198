//! Command lines.

use super::*;

fn read(line: &str) -> Result<Flags, Usage> {
    Flags::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

#[test]
fn flags_are_read_in_every_form() {
    let flags =
        read("-socketpath /a --pidfile=/b -broadcast --hostprefix /host -timeout=1s -resendmax 1m2s rest -x");
    let flags = flags.unwrap();
    assert_eq!(flags.socket(), PathBuf::from("/host/a"));
    assert_eq!(flags.pid_file, Some("/b".into()));
    assert!(flags.broadcast);
    assert_eq!(
        (flags.timing.timeout, flags.timing.resend_max),
        (Duration::from_secs(1), Duration::from_secs(62))
    );
    assert_eq!(flags.timing.resend_timeout, Duration::from_secs(208));
    assert_eq!(read("-broadcast=false -- -x"), Ok(Flags::default()));
    assert_eq!(read(""), Ok(Flags::default()));
}

#[test]
fn what_is_wrong_is_said() {
    assert_eq!(read("-help"), Err(Usage::Asked));
    for (line, why) in [
        ("-pidfile run/pid", "absolute path"),
        ("-pidfile", "needs an argument: -pidfile"),
        ("--verbose", "not defined: -verbose"),
        ("-timeout 10", "-timeout"),
        ("-timeout 0s", "above zero"),
        ("-timeout -1s", "above zero"),
        ("-broadcast=maybe", "boolean"),
    ] {
        let Err(Usage::Wrong(text)) = read(line) else { panic!("{line}") };
        assert!(text.contains(why), "{line}: {text}");
    }
}
