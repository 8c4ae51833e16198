//! STATUS.

use serde_json::{Value, json};

use crate::run::{Call, DataDir};

fn conf(data: &DataDir, ipam: Value) -> Value {
    let mut conf = data.conf(ipam);
    conf["cniVersion"] = "1.1.0".into();
    conf
}

fn status(conf: &Value) -> crate::run::Reply {
    Call::new("STATUS", "").run(conf)
}

#[test]
fn status_is_quiet_when_an_add_would_work_and_leaves_nothing() {
    let data = DataDir::new();
    let conf = conf(&data, json!({ "subnet": "10.1.2.0/29" }));
    status(&conf).done();
    assert!(!data.network().exists());
    Call::new("ADD", "a").run(&conf).ips();
    let before = data.files();
    status(&conf).done();
    assert_eq!(data.files(), before);
}

#[test]
fn a_full_range_is_code_50() {
    let data = DataDir::new();
    let two = json!({ "ranges": [[{"subnet": "10.1.3.0/24"}], [{"subnet": "10.1.2.0/29"}]] });
    let conf = conf(&data, two);
    for i in 0..5 {
        status(&conf).done();
        Call::new("ADD", &format!("c{i}")).run(&conf).ips();
    }
    let (code, text) = status(&conf).error();
    assert_eq!(code, 50);
    assert!(text.starts_with("range set 1 has no IP addresses available: 10.1.2.1-10.1.2.6;"), "{text}");
    assert!(text.contains("used 5, free 0") && text.contains(data.network().to_str().unwrap()), "{text}");
    Call::new("DEL", "c0").run(&conf).done();
    status(&conf).done();
}

#[test]
fn what_add_cannot_do_without_is_named() {
    let data = DataDir::new();
    let (code, text) =
        status(&conf(&data, json!({ "subnet": "10.1.2.0/29", "resolvConf": "/nonexistent" }))).error();
    assert!(code == 50 && text.contains("/nonexistent"), "{text}");
    assert_eq!(status(&conf(&data, json!({ "subnet": "10.1.2.0/31" }))).error().0, 7);
    std::fs::write(data.network(), "").unwrap();
    let (code, text) = status(&conf(&data, json!({ "subnet": "10.1.2.0/29" }))).error();
    assert!(code == 50 && text.contains(data.network().to_str().unwrap()), "{text}");
    let mut dangling = conf(&data, json!({ "subnet": "10.1.2.0/29" }));
    let link = data.path().join("link");
    std::os::unix::fs::symlink("/nonexistent/data", &link).unwrap();
    dangling["ipam"]["dataDir"] = link.to_str().unwrap().into();
    let (code, text) = status(&dangling).error();
    assert!(code == 50 && text.contains("it is not a directory"), "{text}");
}

/// The ranges may come from the runtime alone, which gives them to ADD: STATUS then knows none, and probes the rest.
#[test]
fn status_needs_no_ranges_when_the_runtime_gives_them() {
    let data = DataDir::new();
    let mut conf = conf(&data, json!({}));
    assert_eq!(status(&conf).error().0, 7);
    conf["capabilities"] = json!({ "ipRanges": false });
    assert_eq!(status(&conf).error().0, 7);
    conf["capabilities"] = json!({ "ipRanges": true });
    status(&conf).done();
    assert_eq!(Call::new("ADD", "a").run(&conf).error().0, 7, "an ADD needs ranges");
    assert!(!data.network().exists());

    let mut add = conf.clone();
    add["runtimeConfig"] = json!({ "ipRanges": [[{ "subnet": "10.1.2.0/30" }]] });
    assert_eq!(Call::new("ADD", "a").run(&add).ips(), ["10.1.2.2/30"]);
    let before = data.files();
    status(&conf).done();
    assert_eq!(data.files(), before);
    assert_eq!(status(&add).error().0, 50, "ranges that are there are looked at");
    std::fs::remove_dir_all(data.network()).unwrap();
    std::fs::write(data.network(), "").unwrap();
    assert_eq!(status(&conf).error().0, 50, "the data directory is probed");
}
