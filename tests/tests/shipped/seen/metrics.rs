//! `metrics`, as Prometheus reads them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use cni_tests::{ANCHOR, Place, Service, needs, run};
use serde_json::Value;

use super::Seen;

/// The value of the sample with exactly these labels.
fn sample(text: &str, labelled: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(labelled)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {labelled} in {text}")).parse().unwrap()
}

#[test]
fn the_numbers_are_the_nodes_and_a_file_has_them_whole() {
    let seen = Seen::new();
    seen.attach_with(
        "web",
        "cart",
        r#"{"portMappings":[{"hostPort":8081,"containerPort":80,"protocol":"tcp"}]}"#,
    );
    seen.attach("p2p", "one");
    seen.attach("p2p", "gone").remove_netns();
    let text = seen.text("metrics");
    for (labelled, value) in [
        (r#"cni_attachments{network="web",state="ok"}"#, 1.),
        (r#"cni_attachments{network="p2p",state="ok"}"#, 1.),
        (r#"cni_attachments{network="p2p",state="no namespace"}"#, 1.),
        (r#"cni_attachments{network="p2p",state="leaked"}"#, 0.),
        (r#"cni_leaked_things{network="p2p",part="addresses of IPAM"}"#, 1.),
        (r#"cni_mapped_ports{network="web",protocol="tcp"}"#, 1.),
        // Of eight addresses, one is the network's, one everybody's, one the gateway's.
        (r#"cni_addresses_used{network="p2p",range="10.33.0.0/29"}"#, 2.),
        (r#"cni_addresses_free{network="p2p",range="10.33.0.0/29"}"#, 3.),
        (r#"cni_network_ready{network="p2p"}"#, 1.),
        (r#"cni_network_ready{network="web"}"#, 1.),
    ] {
        assert!((sample(&text, labelled) - value).abs() < f64::EPSILON, "{labelled}: {text}");
    }
    for pod in ["a", "b", "c"] {
        seen.attach("p2p", pod);
    }
    assert_eq!(seen.text("metrics --textfile /run/cni.prom"), "");
    let text = fs::read_to_string("/run/cni.prom").unwrap();
    assert!(sample(&text, r#"cni_addresses_free{network="p2p",range="10.33.0.0/29"}"#) < 1., "{text}");
    assert!(sample(&text, r#"cni_network_ready{network="p2p"}"#) < 1., "a full range: {text}");
    let left: Vec<_> = fs::read_dir("/run").unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("draft")), "{left:?}");
    assert!(!seen.cnitool("metrics --textfile /run/none/cni.prom").status.success());
}

/// What GC came to, and what the plugins took.
#[test]
fn gc_and_the_trace_are_counted() {
    let seen = Seen::new();
    seen.trace();
    assert!(!seen.text("metrics").contains("\ncni_gc_finished"), "there was no GC");
    seen.attach("p2p", "one");
    assert!(!seen.cnitool("add p2p /run/netns/one").status.success(), "twice");
    seen.attach("p2p", "gone").remove_netns();
    seen.text("gc --keep netns-dir=/run/netns --yes --dry-run");
    assert!(!seen.text("metrics").contains("\ncni_gc_finished"), "a dry run is none");
    seen.text("gc --keep netns-dir=/run/netns --yes");
    let text = seen.text("metrics");
    for (labelled, value) in [
        ("cni_gc_failed", 0.),
        ("cni_gc_removed", 1.),
        ("cni_gc_spared", 0.),
        (r#"cni_run_seconds_count{plugin="ptp",verb="ADD"}"#, 3.),
        (r#"cni_run_seconds_count{plugin="ptp",verb="DEL"}"#, 1.),
        (r#"cni_run_seconds_bucket{plugin="ptp",verb="ADD",le="+Inf"}"#, 3.),
        (r#"cni_run_failures_total{plugin="ptp",verb="ADD",code="100"}"#, 1.),
    ] {
        assert!((sample(&text, labelled) - value).abs() < f64::EPSILON, "{labelled}: {text}");
    }
    let succeeded = sample(&text, "cni_gc_succeeded_timestamp_seconds");
    assert!(!seen.cnitool("gc --keep file=/run/none --yes").status.success());
    let text = seen.text("metrics");
    assert!((sample(&text, "cni_gc_failed") - 1.).abs() < f64::EPSILON, "{text}");
    assert!((sample(&text, "cni_gc_succeeded_timestamp_seconds") - succeeded).abs() < f64::EPSILON, "{text}");
    fs::write("/run/cni/gc.json", "{").unwrap();
    fs::write("/run/cni/log.json", [0xff; 4096]).unwrap();
    let text = seen.text("metrics");
    assert!(!text.contains("\ncni_gc_finished") && !text.contains(r#"verb="ADD""#), "{text}");
}

/// The address that the server says it listens on.
fn listening(server: &Service) -> String {
    let line = server.line(&["metrics on http://"]);
    line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned()
}

fn ask(address: &str, request: &[u8]) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(request).unwrap();
    let _ = client.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    // One that asks for nothing sensible may be hung up on.
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn slow_and_bad_clients_keep_nobody_from_the_metrics() {
    let seen = Seen::new();
    seen.attach("web", "cart");
    let server = Service::start(&mut seen.command("metrics --listen 0"));
    let address = listening(&server);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    // More than it serves at once: they are given up, and then it is our turn.
    let slow: Vec<_> = (0..40).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let answer = ask(&address, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("cni_attachments{"), "{answer}");
    drop(slow);
    for (request, status) in [
        (&b"GET / HTTP/1.0\r\n\r\n"[..], "200"),
        (b"GET /other HTTP/1.1\r\n\r\n", "404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "405"),
        (b"nonsense\r\n\r\n", "400"),
        (b"GET /metrics HTTP/1.1\r\n", "400"),
        (b"\xff\xfe\x00\r\n\r\n", "400"),
    ] {
        let answer = ask(&address, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    ask(&address, &vec![b'x'; 1 << 20]);
    let answer = ask(&address, b"GET /metrics?a=b HTTP/1.1\r\n\r\n");
    assert!(answer.contains("cni_gather_seconds"), "{answer}");
}

#[test]
fn debians_prometheus_scrapes_them_and_knows_the_alerts() {
    needs!(Prometheus);
    let seen = Seen::new();
    seen.trace();
    seen.attach("web", "cart");
    seen.text("gc --keep netns-dir=/run/netns --yes");
    let done = run(seen.host.command("promtool").args(["check", "metrics"]), seen.text("metrics").as_bytes());
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    let rules = format!("{ANCHOR}/packaging/prometheus/cni-alerts.yaml");
    seen.host.run(&format!("promtool check rules {rules}"));

    let exporter = Service::start(&mut seen.command("metrics --listen 0"));
    let conf = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{rules}]\n\
         scrape_configs: [{{job_name: cni, static_configs: [{{targets: [\"{}\"]}}]}}]\n",
        listening(&exporter)
    );
    fs::write("/run/prometheus.yml", conf).unwrap();
    let mut prometheus = seen.host.command("prometheus");
    prometheus.args(["--config.file=/run/prometheus.yml", "--storage.tsdb.path=/run/prometheus"]);
    let prometheus = Service::start(prometheus.arg("--web.listen-address=127.0.0.1:9090"));
    prometheus.line(&["Server is ready to receive web requests"]);
    let query = |what: &str| -> Value {
        let answer = ask("127.0.0.1:9090", format!("GET /api/v1/{what} HTTP/1.0\r\n\r\n").as_bytes());
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let value = loop {
        let answer = query("query?query=cni_attachments%7Bnetwork%3D%22web%22,state%3D%22ok%22%7D");
        if let Some(value) = answer["data"]["result"][0]["value"][1].as_str() {
            break value.to_owned();
        }
    };
    assert_eq!(value, "1");
    let names = query("rules").to_string();
    for name in [
        "CniLeaked",
        "CniDamaged",
        "CniAddressesRunOut",
        "CniNetworkNotReady",
        "CniUnseen",
        "CniGcFails",
        "CniGcStands",
        "CniPluginsFail",
        "CniPluginsSlow",
    ] {
        assert!(names.contains(name), "{names}");
    }
}

/// What the dashboard and the alerts ask for is there.
#[test]
fn every_metric_that_is_asked_for_is_given() {
    let seen = Seen::new();
    seen.attach_with(
        "web",
        "cart",
        r#"{"portMappings":[{"hostPort":8081,"containerPort":80,"protocol":"tcp"}]}"#,
    );
    seen.attach("p2p", "gone").remove_netns();
    let given = seen.text("metrics");
    for file in ["cni-alerts.yaml", "cni-dashboard.json"] {
        let text = fs::read_to_string(format!("{ANCHOR}/packaging/prometheus/{file}")).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let asked: Vec<_> = words.filter(|word| word.starts_with("cni_")).collect();
        assert!(asked.len() >= 5, "{file}: {asked:?}");
        for name in asked {
            let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let name = of_histogram.unwrap_or(name);
            assert!(given.contains(&format!("# TYPE {name} ")), "{file} asks for {name}");
        }
    }
    let dashboard = fs::read(format!("{ANCHOR}/packaging/prometheus/cni-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() >= 5);
}
