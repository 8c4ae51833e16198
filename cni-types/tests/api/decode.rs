//! JSON is read as Go's `encoding/json` reads it: a table against its documented behaviour.

use std::collections::BTreeMap;

use cni_types::{Cidr, Code, Json};
use serde::Deserialize;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Conf {
    is_gateway: bool,
    mtu: u32,
    scope: i64,
    rate: f64,
    keys: Vec<String>,
    ranges: Vec<Vec<Range>>,
    sysctl: BTreeMap<String, String>,
    ipam: Range,
    domain: Option<String>,
    mode: Mode,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Range {
    subnet: Option<Cidr>,
    gateway: String,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Bridge,
    Private,
}

fn read(text: &str) -> cni_types::Result<Conf> {
    Json::parse(text.as_bytes())?.decode()
}

fn conf(change: impl FnOnce(&mut Conf)) -> Conf {
    let mut conf = Conf::default();
    change(&mut conf);
    conf
}

#[test]
fn what_go_accepts() {
    let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (text, wanted) in [
        // Keys without regard to case, with Go's two foldings from beyond ASCII.
        (r#"{"ISGATEWAY":true,"isgateway":true}"#, conf(|c| c.is_gateway = true)),
        ("{\"\u{212a}ey\u{17f}\":[\"a\"]}", conf(|c| c.keys = strings(&["a"]))),
        // The last duplicate wins; null leaves what is there.
        (r#"{"mtu":1,"mtu":2,"mtu":null}"#, conf(|c| c.mtu = 2)),
        (r#"{"Mtu":1,"MTU":2,"mTU":null}"#, conf(|c| c.mtu = 2)),
        // A key that is exactly the field's goes before one that differs in case, in either order and of any kind.
        (r#"{"mtu":1,"Mtu":2}"#, conf(|c| c.mtu = 1)),
        (r#"{"Mtu":{"IP":"x"},"mtu":1}"#, conf(|c| c.mtu = 1)),
        (r#"{"mtu":1,"Mtu":{"IP":"x"}}"#, conf(|c| c.mtu = 1)),
        (r#"{"mtu":null,"Mtu":2}"#, conf(|c| c.mtu = 2)),
        // Two objects are merged: later fields replace, null leaves, lists are replaced and maps united.
        (
            r#"{"ipam":{"gateway":"a"},"mtu":5,"IPAM":null,"ipam":{"subnet":"10.0.0.0/8","gateway":null}}"#,
            conf(|c| {
                c.mtu = 5;
                c.ipam.gateway = "a".to_owned();
                c.ipam.subnet = Some("10.0.0.0/8".parse().unwrap());
            }),
        ),
        (r#"{"ipam":{"gateway":"a"},"Ipam":{"gateway":"b"}}"#, conf(|c| c.ipam.gateway = "b".to_owned())),
        (
            r#"{"sysctl":{"a":"1","b":"1"},"keys":["a","b"],"sysctl":{"b":"2"},"keys":["c"]}"#,
            conf(|c| {
                c.sysctl = [("a", "1"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
                c.keys = strings(&["c"]);
            }),
        ),
        (r#"{"mtu":null,"keys":null,"sysctl":null,"ipam":null,"domain":null,"mode":null}"#, Conf::default()),
        // A null where there is no default is the kind's zero.
        (r#"{"keys":[null,"b"]}"#, conf(|c| c.keys = strings(&["", "b"]))),
        (r#"{"sysctl":{"a":null}}"#, conf(|c| drop(c.sysctl.insert("a".into(), String::new())))),
        (r#"{"ranges":[null,[null]]}"#, conf(|c| c.ranges = vec![vec![], vec![Range::default()]])),
        ("null", Conf::default()),
        // Unknown keys are skipped with all they hold, large numbers too.
        (r#"{"x":{"mtu":[1e300,123456789012345678901234567890]}}"#, Conf::default()),
        // A map's keys are data: their case stays.
        (r#"{"sysctl":{"A.b":"1","a.B":"2"}}"#, {
            conf(|c| c.sysctl = [("A.b".into(), "1".into()), ("a.B".into(), "2".into())].into())
        }),
        // Whole numbers go into floats, and both ends of the ranges fit.
        (r#"{"rate":3,"mtu":4294967295,"scope":-9223372036854775808}"#, {
            conf(|c| (c.rate, c.mtu, c.scope) = (3.0, u32::MAX, i64::MIN))
        }),
        (" \t\r\n{\"domain\" : \"\\u00e4\"}\n", conf(|c| c.domain = Some("ä".into()))),
        (r#"{"mode":"private"}"#, conf(|c| c.mode = Mode::Private)),
    ] {
        assert_eq!(read(text).unwrap(), wanted, "{text}");
    }
}

#[test]
fn a_wrong_type_names_its_key_and_what_belongs_there() {
    for (text, wanted) in [
        (
            r#"{"mtu":"x"}"#,
            r#"key "mtu": invalid type: string "x", expected a whole number from 0 to 4294967295"#,
        ),
        (r#"{"MTU":1.5}"#, r#"key "mtu": invalid type: floating point `1.5`"#),
        (r#"{"mtu":1.0}"#, r#"key "mtu": invalid type: floating point `1.0`"#),
        (r#"{"mtu":1e3}"#, r#"key "mtu": invalid type: floating point `1000.0`"#),
        (r#"{"mtu":-1}"#, r#"key "mtu": invalid value: integer `-1`, expected a whole number"#),
        (r#"{"mtu":4294967296}"#, r#"key "mtu": invalid value: integer `4294967296`"#),
        (r#"{"scope":9223372036854775808}"#, r#"key "scope": invalid value: integer"#),
        (r#"{"isGateway":"true"}"#, r#"key "isGateway": invalid type: string "true", expected a boolean"#),
        (r#"{"isGateway":1}"#, r#"key "isGateway": invalid type: integer `1`, expected a boolean"#),
        (r#"{"keys":"a"}"#, r#"key "keys": invalid type: string "a", expected a list"#),
        (r#"{"keys":["a",{}]}"#, r#"key "keys[1]": invalid type: object, expected a string"#),
        (r#"{"sysctl":[]}"#, r#"key "sysctl": invalid type: list, expected an object"#),
        (r#"{"sysctl":{"a":1}}"#, r#"key "sysctl.a": invalid type: integer `1`, expected a string"#),
        (r#"{"ipam":[]}"#, r#"key "ipam": invalid type: list, expected an object"#),
        (r#"{"ranges":[[{"subnet":"10.0.0.0"}]]}"#, r#"key "ranges[0][0].subnet": invalid CIDR"#),
        (r#"{"ranges":[[{}],[7]]}"#, r#"key "ranges[1][0]": invalid type: number, expected an object"#),
        (r#"{"mode":"vepa"}"#, r#"key "mode": unknown variant `vepa`, expected `bridge` or `private`"#),
        (r#"{"mode":1}"#, r#"key "mode": invalid type: number, expected a string"#),
        ("[]", "invalid type: list, expected an object"),
        ("7", "invalid type: number, expected an object"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code, Code::DECODE, "{text}");
        assert!(error.msg.starts_with(wanted), "{text}: {}", error.msg);
    }
}

#[test]
fn a_message_does_not_grow_with_its_input() {
    let long = "x".repeat(1 << 20);
    for text in [
        format!(r#"{{"mtu":"{long}"}}"#),
        format!(r#"{{"mode":"{long}"}}"#),
        format!(r#"{{"sysctl":{{"{long}":1}}}}"#),
        format!(r#"{{"ipam":{{"subnet":"{long}"}}}}"#),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.to_string().len() < 1000, "{} bytes", error.to_string().len());
    }
}

/// As many lists and objects, one in the other.
fn nested(levels: usize) -> String {
    let (mut start, mut end) = (String::new(), String::new());
    for level in 0..levels {
        let (open, close) = if level % 2 == 0 { ("{\"a\":", "}") } else { ("[", "]") };
        start.push_str(open);
        end.insert_str(0, close);
    }
    format!("{start}1{end}")
}

#[test]
fn as_many_levels_as_go_takes_and_no_stack_overflows() {
    #[derive(serde::Deserialize)]
    struct Conf {
        name: String,
        any: Json,
    }
    let read = || {
        for levels in [126, 127, 128, 129, 9_999] {
            let text = format!(r#"{{"name":"n","any":{},"other":{0}}}"#, nested(levels));
            let json = Json::parse(text.as_bytes()).unwrap();
            assert_eq!(json.compact(), text, "{levels} levels are printed as they were read");
            assert_eq!(Json::parse(json.pretty().as_bytes()).unwrap().compact(), text);
            let mut sorted = json.clone();
            sorted.sort_keys();
            let conf: Conf = json.decode().unwrap();
            assert_eq!((conf.name.as_str(), conf.any.compact()), ("n", nested(levels)));
        }
        assert!(Json::parse(nested(10_000).as_bytes()).is_ok());
        assert!(Json::parse(nested(10_001).as_bytes()).unwrap_err().details.contains("10000 levels"));
        let lists = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(Json::parse(lists.as_bytes()).unwrap().compact(), lists);
        // What is below is read as strictly as what is above.
        for bad in [",", "[1 2]", "{1:2}", "{\"a\" 1}", "\"\\x\"", "{\"a\":1,}", "[}"] {
            let text = nested(300).replacen('1', bad, 1);
            assert!(Json::parse(text.as_bytes()).is_err(), "{bad}");
        }
        for good in ["[ ]", "{ }", "[[],{},[1 , 2]]", "{\"b\":{}, \"c\":[ ]}", "\"]\"", "\"\\ud800\""] {
            let text = nested(300).replacen('1', good, 1);
            assert_eq!(Json::parse(text.as_bytes()).unwrap().compact(), text);
        }
    };
    // A sixteenth of a process's.
    std::thread::Builder::new().stack_size(512 << 10).spawn(read).unwrap().join().unwrap();
}

#[test]
fn whole_numbers_lose_their_fraction_and_exponent() {
    let text = r#"{"a":[1400.0,1e+09,-2.0,-0.0,1.5,1e-3,7,-7],"b":{"c":1e19,"d":1e300},"e":"1.0"}"#;
    let mut json = Json::parse(text.as_bytes()).unwrap();
    json.whole_numbers();
    let expected =
        r#"{"a":[1400,1000000000,-2,0,1.5,0.001,7,-7],"b":{"c":10000000000000000000,"d":1e300},"e":"1.0"}"#;
    assert_eq!(json, Json::parse(expected.as_bytes()).unwrap());
    assert_eq!(json.get("a"), Json::parse(expected.as_bytes()).unwrap().get("a"));
}

#[test]
fn half_a_surrogate_pair_is_a_replacement_character() {
    for (text, expected) in [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud800\ud800\udc00""#, "\u{fffd}\u{10000}"),
        (r#""\ud800\u0041""#, "\u{fffd}A"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        (r#""\ud83d\ude00\/\"\\\b\f\r\t\u0000""#, "\u{1f600}/\"\\\u{8}\u{c}\r\t\0"),
        ("\"\\ud800\u{e9}\"", "\u{fffd}\u{e9}"),
    ] {
        assert_eq!(Json::parse(text.as_bytes()).unwrap(), Json::String(expected.into()), "{text}");
    }
    let key = Json::parse(br#"{"a\ud800":1}"#).unwrap();
    assert_eq!(key.get("a\u{fffd}"), Some(&Json::Number(1.into())));
}

#[test]
fn what_is_no_document_is_refused_as_a_whole() {
    let (deep, open) = (nested(10_001), "[".repeat(100_000));
    let texts: [&[u8]; 31] = [
        b"",
        b" ",
        b"{",
        b"{\"a\":",
        b"{\"a\":1,}",
        b"{}{}",
        b"{} x",
        b"{}\0",
        b"// c\n{}",
        b"{'a':1}",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\\ud80\"}",
        b"{\"a\":\"\\ud80g\"}",
        b"{\"a\":\"\\x\"}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":\"\\",
        b"{\"a\" 1}",
        b"{\"a\":1 \"b\":2}",
        b"{,}",
        b"[1,]",
        b"[1}",
        b"[1 2]",
        b"nul",
        b"01",
        b"1.",
        b"+1",
        b"1e999",
        deep.as_bytes(),
        open.as_bytes(),
    ];
    for text in texts {
        let error = Json::parse(text).unwrap_err();
        assert_eq!(error.code, Code::DECODE);
        assert!(!error.details.is_empty(), "the details say where");
    }
}
