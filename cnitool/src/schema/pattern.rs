//! Regular expressions for texts that mean something, as far as one can say it. They are the schema's: `validate` asks
//! the declaration itself.

use cni_types::Result;

const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const HEX: &str = "[0-9a-fA-F]";

/// The pattern of the texts that are called `what` and that `check` takes, without its ends.
pub(super) fn of(what: &str, check: fn(&str) -> Result<()>) -> Option<String> {
    let takes = |text: &str| check(text).is_ok();
    let v4 = format!("({BYTE}\\.){{3}}{BYTE}");
    let v6 = "[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*";
    let (bits4, bits6) = ("(3[0-2]|[12]?[0-9])", "(12[0-8]|1[01][0-9]|[1-9]?[0-9])");
    let cidr = format!("{v4}/{bits4}|{v6}/{bits6}");
    Some(match what {
        "IP address" if takes("10.0.0.1/8") => format!("{v4}|{v6}|{cidr}"),
        "IP address" => format!("{v4}|{v6}"),
        "address with prefix length" => cidr,
        "MAC address" => {
            // The address of a group is no interface's.
            let even = if takes("01:00:00:00:00:01") { HEX } else { "[02468aAcCeE]" };
            let with = |separator: &str| format!("{HEX}{even}({separator}{HEX}{{2}}){{5}}");
            format!("{}|{}|{HEX}{even}{HEX}{{2}}(\\.{HEX}{{4}}){{2}}", with(":"), with("-"))
        }
        "interface name" => "(?!\\.{1,2}$)[^/:%\\s]{1,15}".to_owned(),
        "link name" => "(?!\\.{1,2}$)[^/\\s]{1,127}".to_owned(),
        "chain name" => "(?!-)[a-zA-Z0-9_.-]{1,28}".to_owned(),
        "PCI address" => format!("{HEX}{{4,8}}:{HEX}{{2}}:{HEX}{{2}}\\.[0-7]"),
        "absolute path" => "/[\\s\\S]*".to_owned(),
        "path below /sys/devices" => "/sys/devices/[\\s\\S]+".to_owned(),
        "plugin name" => "[^/]+".to_owned(),
        _ => return None,
    })
}
