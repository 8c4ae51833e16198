//! Conversion between the version families, where the golden files do not reach.

use cni_types::{CniResult, Code, Json, ResultForm, SpecVersion};

/// What a document of version `from` becomes under `to`, as compact JSON without its version.
fn convert(from: &str, text: &str, to: &str) -> cni_types::Result<String> {
    let [from, to] = [from, to].map(|v| SpecVersion::find(v).unwrap());
    let out = CniResult::from_json(&Json::parse(text.as_bytes()).unwrap(), from)?.to_json(to)?;
    assert!(!out.ends_with('\n') && out.starts_with("{\n    \"cniVersion\": \""), "{out}");
    let compact = serde_json::from_str::<serde_json::Value>(&out).unwrap();
    let mut compact = compact.as_object().unwrap().clone();
    assert_eq!(compact.remove("cniVersion").unwrap(), to.as_str());
    Ok(serde_json::to_string(&compact).unwrap())
}

#[test]
fn rules() {
    for (from, text, to, wanted) in [
        // A route whose family has no address has no block to go to.
        (
            "1.1.0",
            r#"{"ips":[{"address":"10.0.0.2/24"}],"routes":[{"dst":"::/0","gw":"::1"},{"dst":"0.0.0.0/0","table":0}]}"#,
            "0.2.0",
            r#"{"dns":{},"ip4":{"ip":"10.0.0.2/24","routes":[{"dst":"0.0.0.0/0"}]}}"#,
        ),
        (
            "0.4.0",
            r#"{"ips":[{"version":"6","address":"::2/64"}]}"#,
            "0.1.0",
            r#"{"dns":{},"ip6":{"ip":"::2/64"}}"#,
        ),
        // ip4 before ip6, whatever their order in the document.
        (
            "0.2.0",
            r#"{"ip6":{"ip":"::2/64","routes":[{"dst":"::/0"}]},"ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"}]}}"#,
            "1.0.0",
            r#"{"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1"},{"address":"::2/64"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1"},{"dst":"::/0"}]}"#,
        ),
        // The version key follows the address, wrong or not.
        (
            "0.3.1",
            r#"{"ips":[{"version":"6","address":"10.0.0.2/24"}]}"#,
            "0.3.0",
            r#"{"dns":{},"ips":[{"address":"10.0.0.2/24","version":"4"}]}"#,
        ),
        (
            "1.1.0",
            r#"{"ips":[{"address":"::ffff:10.0.0.2/120","gateway":"::ffff:a00:1"}]}"#,
            "0.4.0",
            r#"{"dns":{},"ips":[{"address":"10.0.0.2/24","gateway":"10.0.0.1","version":"4"}]}"#,
        ),
        // Index 0, no index, table and scope 0, no table and scope; zeros that mean unset.
        (
            "0.4.0",
            r#"{"interfaces":[{"name":"a","mac":"","sandbox":""}],"ips":[{"interface":0,"address":"10.0.0.2/24"},{"address":"10.0.0.3/24"}],"routes":[{"dst":"10.0.0.0/8","table":0,"scope":0,"mtu":0,"advmss":0,"priority":0},{"dst":"10.0.0.0/8","table":null,"scope":null,"gw":""}]}"#,
            "1.1.0",
            r#"{"interfaces":[{"name":"a"}],"ips":[{"address":"10.0.0.2/24","interface":0},{"address":"10.0.0.3/24"}],"routes":[{"dst":"10.0.0.0/8","scope":0,"table":0},{"dst":"10.0.0.0/8"}]}"#,
        ),
        // What 1.1.0 brought to interfaces is printed in 1.1.0 only; routes have the same keys in every version.
        (
            "1.1.0",
            r#"{"interfaces":[{"name":"a","mtu":9000,"socketPath":"/s","pciID":"0000:00:1f.6"}]}"#,
            "1.1.0",
            r#"{"interfaces":[{"mtu":9000,"name":"a","pciID":"0000:00:1f.6","socketPath":"/s"}]}"#,
        ),
        (
            "1.0.0",
            r#"{"interfaces":[{"name":"a","mtu":9000,"socketPath":"/s","pciID":"0000:00:1f.6"}],"routes":[{"dst":"10.0.0.0/8","mtu":1400,"advmss":1360,"priority":5,"table":7,"scope":253}]}"#,
            "1.0.0",
            r#"{"interfaces":[{"name":"a"}],"routes":[{"advmss":1360,"dst":"10.0.0.0/8","mtu":1400,"priority":5,"scope":253,"table":7}]}"#,
        ),
        // An entry that is null stays so and keeps its place.
        (
            "1.0.0",
            r#"{"interfaces":[null,{"name":"a"}],"ips":[{"interface":1,"address":"10.0.0.2/24"}]}"#,
            "0.4.0",
            r#"{"dns":{},"interfaces":[null,{"name":"a"}],"ips":[{"address":"10.0.0.2/24","interface":1,"version":"4"}]}"#,
        ),
        (
            "1.1.0",
            r#"{"interfaces":[{"name":"a","mtu":9000}]}"#,
            "0.4.0",
            r#"{"dns":{},"interfaces":[{"name":"a"}]}"#,
        ),
        // dns: any one part is enough to print it, none is not, and before 1.0.0 it is always there.
        ("1.1.0", r#"{"dns":{"options":["a"]}}"#, "1.1.0", r#"{"dns":{"options":["a"]}}"#),
        ("1.1.0", r#"{"dns":{"search":[],"domain":""}}"#, "1.1.0", "{}"),
        ("1.1.0", "null", "1.1.0", "{}"),
        ("0.3.0", "{}", "0.3.0", r#"{"dns":{}}"#),
    ] {
        assert_eq!(convert(from, text, to).unwrap(), wanted, "{from} to {to}: {text}");
    }
}

#[test]
fn a_result_without_addresses_has_no_legacy_form() {
    for version in SpecVersion::ALL {
        let printed = CniResult::default().to_json(version);
        if version.form() == ResultForm::Legacy {
            let error = printed.unwrap_err();
            assert_eq!((error.code, error.msg.as_str()), (Code(2), "cannot convert: no valid IP addresses"));
        } else {
            assert!(printed.is_ok());
        }
    }
}
