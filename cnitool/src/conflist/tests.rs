use cni_types::Code;

use super::*;

fn parse(text: &str) -> Result<NetworkList> {
    NetworkList::parse(text.as_bytes())
}

#[test]
fn a_list_of_plugins() {
    let list = parse(
        r#"{"cniVersion":"1.0.0","name":"n","disableCheck":"TRUE","disableGC":true,
            "plugins":[{"type":"bridge"},{"Type":"portmap","capabilities":{"portMappings":true,"x":false}}]}"#,
    )
    .unwrap();
    assert_eq!((list.name.as_str(), list.spec_version().unwrap()), ("n", SpecVersion::V1_0_0));
    assert!(list.disable_check && list.disable_gc && !list.only_inlined);
    let names: Vec<_> = list.plugins.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["bridge", "portmap"]);
    assert!(list.plugins[1].has_capability("portMappings"));
    assert!(!list.plugins[1].has_capability("x") && !list.plugins[0].has_capability("portMappings"));
}

#[test]
fn the_highest_known_version_is_chosen() {
    let version = |keys: &str| parse(&format!(r#"{{"name":"n",{keys}"plugins":[{{"type":"t"}}]}}"#));
    for (keys, expected) in [
        ("", ""),
        (r#""cniVersion":"0.3.1","#, "0.3.1"),
        (r#""cniVersion":"0.3.1","cniVersions":["1.0.0","0.4.0"],"#, "1.0.0"),
        (r#""cniVersion":"1.1.0","cniVersions":["1.0.0"],"#, "1.1.0"),
        (r#""cniVersions":["1.0.0","7.0.0"],"#, "1.0.0"),
        (r#""cniVersion":"7.0.0","cniVersions":[],"#, "7.0.0"),
    ] {
        assert_eq!(version(keys).unwrap().version, expected, "{keys}");
    }
    assert_eq!(version(r#""cniVersion":"7.0.0","#).unwrap().spec_version().unwrap_err().code, Code::CONFIG);
}

#[test]
fn an_old_file_of_one_plugin_becomes_a_list() {
    let list =
        NetworkList::from_single(br#"{"cniVersion":"0.4.0","name":"n","type":"ptp","mtu":1400}"#).unwrap();
    assert_eq!((list.name.as_str(), list.version.as_str()), ("n", "0.4.0"));
    assert_eq!(list.plugins[0].object.get("mtu"), Some(&Json::Number(1400.into())));
    assert_eq!(NetworkList::parse(&list.bytes).unwrap(), list);
}

#[test]
fn plugins_get_what_libcni_prints() {
    let list = parse(
        r#"{"name":"n","plugins":[{"type":"t","z":1,"mtu":1400.0,"b":{"rate":1e+09,"x":0.5},"z":[2.0],
            "prevResult":null,"capabilities":{"mac":true,"ips":null},"deep":DEEP}]}"#
            .replace("DEEP", &format!("{}1.0{}", "[".repeat(9_000), "]".repeat(9_000)))
            .as_str(),
    )
    .unwrap();
    let text = list.plugins[0].object.compact();
    assert!(text.contains(r#""b":{"rate":1000000000,"x":0.5}"#), "{}", &text[..200]);
    assert!(text.contains(r#""mtu":1400,"#) && text.ends_with(r#""type":"t","z":[2]}"#), "the last z counts");
    assert_eq!(list.capabilities(), ["mac"]);
}

#[test]
fn keys_that_all_plugins_share_are_typed_when_the_file_is_read() {
    for (keys, gist) in [
        (
            r#""capabilities":{"mac":"true"}"#,
            r#"key "capabilities.mac": invalid type: string "true", expected a boolean"#,
        ),
        (r#""capabilities":{"mac":1}"#, "capabilities.mac"),
        (r#""capabilities":["mac"]"#, "\"capabilities\""),
        (r#""Capabilities":"mac""#, "\"capabilities\""),
        (r#""ipam":"x""#, "\"ipam\""),
        (r#""ipam":["x"]"#, "\"ipam\""),
        (r#""ipam":{"type":1}"#, "ipam.type"),
        (r#""dns":{"nameservers":"10.0.0.1"}"#, "dns.nameservers"),
        (r#""dns":{"domain":1}"#, "dns.domain"),
        (r#""dns":{"search":[1]}"#, "dns.search[0]"),
        (r#""dns":{"options":{}}"#, "dns.options"),
        (r#""dns":"x""#, "\"dns\""),
        (r#""prevResult":"x""#, "\"prevResult\""),
        (r#""prevResult":[]"#, "\"prevResult\""),
        (r#""cniVersion":1"#, "\"cniVersion\""),
        (r#""name":1"#, "\"name\""),
        (r#""cni.dev/valid-attachments":"x""#, "cni.dev/valid-attachments"),
        (r#""cni.dev/valid-attachments":[{"containerID":1}]"#, "containerID"),
    ] {
        let object = format!(r#"{{"type":"t",{keys}}}"#);
        let list = format!(r#"{{"cniVersion":"1.1.0","name":"n","plugins":[{object}]}}"#);
        for error in [parse(&list).unwrap_err(), PluginConf::parse(object.as_bytes()).unwrap_err()] {
            assert_eq!(error.code, Code::DECODE, "{keys}: {error}");
            assert!(error.to_string().contains(gist), "{keys}: {error}");
        }
    }
    for keys in [r#""ipam":null"#, r#""dns":null,"capabilities":null"#, r#""ipam":{}"#, r#""prevResult":{}"#]
    {
        parse(&format!(r#"{{"name":"n","plugins":[{{"type":"t",{keys}}}]}}"#)).unwrap();
    }
}

#[test]
fn bad_lists_say_what_is_wrong() {
    for (text, code, gist) in [
        ("", 6, "not valid JSON"),
        ("[]", 6, "JSON object"),
        (r#"{"plugins":[{"type":"t"}]}"#, 7, "name"),
        (r#"{"name":1,"plugins":[{"type":"t"}]}"#, 6, "\"name\""),
        (r#"{"name":"../x","plugins":[{"type":"t"}]}"#, 7, "name"),
        (r#"{"name":"n","plugins":[]}"#, 7, "no plugins"),
        (r#"{"name":"n","plugins":{}}"#, 6, "\"plugins\""),
        (r#"{"name":"n","plugins":[1]}"#, 6, "object"),
        (r#"{"name":"n","plugins":[{}]}"#, 7, "\"type\""),
        (r#"{"name":"n","plugins":[{"type":1}]}"#, 6, "\"type\""),
        (r#"{"name":"n","plugins":[{"type":"../x"}]}"#, 7, "plugin name"),
        (r#"{"name":"n","cniVersion":1,"plugins":[{"type":"t"}]}"#, 6, "cniVersion"),
        (r#"{"name":"n","cniVersions":["x"],"plugins":[{"type":"t"}]}"#, 7, "invalid version"),
        (r#"{"name":"n","cniVersions":"1.0.0","plugins":[{"type":"t"}]}"#, 6, "cniVersions"),
        (r#"{"name":"n","disableGC":"yes","plugins":[{"type":"t"}]}"#, 6, "disableGC"),
        (r#"{"name":"n","disableCheck":1,"plugins":[{"type":"t"}]}"#, 6, "disableCheck"),
        (r#"{"name":"n","loadOnlyInlinedPlugins":true}"#, 7, "loadOnlyInlinedPlugins"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code, Code(code), "{text}: {error}");
        assert!(error.to_string().contains(gist), "{text}: {error}");
    }
    assert_eq!(NetworkList::parse(b"{\"name\":\"\xff\"}").unwrap_err().code, Code::DECODE);
}
