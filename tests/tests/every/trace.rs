//! What a run leaves behind where a trace is wanted, what it costs where none is, and what people make of it.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use cni_tests::{Conf, Container, Host, Place, Suite, Trace, needs, run};
use serde_json::Value;

const LOG: &str = "/run/log.json";

fn lines() -> Vec<Value> {
    let text = fs::read_to_string(LOG).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn cnitool(host: &Host, words: &[&str]) -> String {
    let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
    let done = run(cnitool.args(words), b"");
    assert!(done.status.success(), "{words:?}: {}", done.stderr);
    String::from_utf8(done.stdout).unwrap()
}

fn bridge() -> Conf {
    Conf::bridge().version("1.1.0").set("isGateway", true)
}

/// The calls of a plugin, in order: the name of each, and what it opens.
fn calls(host: &Host, log: Option<&str>) -> Vec<String> {
    let trace = Trace::new(&["trace=all"]).without_children();
    let mut call = host.plugin("loopback").under(&trace.command());
    if let Some(log) = log {
        call = call.env("CNI_LOG", log);
    }
    call.status(&Conf::loopback().version("1.1.0")).done();
    let name = |line: &String| {
        let (name, rest) = line.split_once('(')?;
        Some(if name == "openat" { format!("{name} {}", rest.split('"').nth(1)?) } else { name.to_owned() })
    };
    trace.lines().iter().filter_map(name).collect()
}

/// Off is one look for the file of switches, and with `CNI_LOG=off` not even that; the start makes up for it: what were
/// two
/// `rt_sigaction` and a `rt_sigprocmask` is the latter alone.
#[test]
fn off_costs_no_call() {
    needs!(Strace);
    let host = Host::new();
    let (mut quiet, off) = (calls(&host, None), calls(&host, Some("off")));
    assert!(quiet.len() > 10 && !quiet.iter().any(|call| call == "rt_sigaction"), "{quiet:?}");
    let is_look = |call: &String| call == "openat /run/cni/log.conf";
    assert_eq!(quiet.iter().filter(|call| is_look(call)).count(), 1, "{quiet:?}");
    quiet.retain(|call| !is_look(call));
    assert_eq!(quiet, off);
}

/// On, a run and the delegates in its process have one append: what is switched on for a day must not be felt.
#[test]
fn on_costs_one_append() {
    needs!(Strace);
    let host = Host::new();
    host.plugin("bridge").env("CNI_LOG", LOG).add(&bridge(), &host.container("first"), "eth0").result();
    let seen = |pod: &str, log: &str| {
        let trace = Trace::new(&["trace=!mmap,munmap,mremap,brk,futex"]);
        let call = host.plugin("bridge").under(&trace.command()).env("CNI_LOG", log);
        call.add(&bridge(), &host.container(pod), "eth0").result();
        trace.lines()
    };
    let (off, on) = (seen("off", "off"), seen("on", LOG));
    let of_log: Vec<_> = on.iter().filter(|call| call.contains(LOG)).collect();
    assert_eq!(of_log.len(), 1, "{of_log:?}");
    assert_eq!(
        on.iter().filter(|call| call.contains(r#"write"#) && call.contains(r#"{\"time\""#)).count(),
        1
    );
    assert_eq!(lines().len(), 4, "each run has its line");
    let name = |call: &str| {
        let words = call.split([' ', '(']).find(|word| word.contains(|c: char| c.is_ascii_lowercase()));
        words.unwrap_or_default().to_owned()
    };
    let count = |calls: &[String], wanted: &str| {
        calls.iter().filter(|call| !call.contains("resumed") && name(call) == wanted).count()
    };
    for call in ["getrandom", "clock_gettime", "getpid", "fstatfs", "pread64", "write"] {
        assert!(count(&on, call) <= count(&off, call) + 1, "{call}: {on:#?}");
    }
    assert!(!on.iter().any(|call| call.contains("/proc/self/stat")), "{on:#?}");
}

/// Every run has a line; what takes time is named; a delegate's run is part of the phase that asked for it.
#[test]
fn a_run_says_where_its_time_went() {
    let host = Host::new();
    let pod = host.container("pod");
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = |context: &str| {
        host.plugin("bridge").env("CNI_LOG", LOG).env("TRACEPARENT", context).env("SECRET", "hunter2")
    };
    call(parent).add(&bridge(), &pod, "eth0").result();
    let runs = lines();
    assert_eq!(runs.len(), 2, "{runs:?}");
    let (ipam, bridge_run) = (&runs[0], &runs[1]);
    assert_eq!((&ipam["plugin"], &bridge_run["plugin"]), (&"host-local".into(), &"bridge".into()));
    for run in &runs {
        for (name, value) in [
            ("verb", "ADD"),
            ("network", "net"),
            ("container_id", "pod"),
            ("ifname", "eth0"),
            ("outcome", "done"),
        ] {
            assert_eq!(run[name], value, "{run}");
        }
        assert_eq!(run["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let phases = run["phases"].as_array().unwrap();
        let sum: u64 = phases.iter().map(|phase| phase["alone_ns"].as_u64().unwrap()).sum();
        assert!(sum <= run["took_ns"].as_u64().unwrap(), "{run}");
    }
    assert_eq!(bridge_run["parent_span_id"], "00f067aa0ba902b7");
    let phases = bridge_run["phases"].as_array().unwrap();
    let phase =
        |name: &str| phases.iter().find(|phase| phase["name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(ipam["parent_span_id"], phase("delegate host-local")["span_id"]);
    for name in ["start", "configuration", "namespace", "netlink", "sysctl", "bridge", "veth pair", "answer"]
    {
        phase(name);
    }
    // One that is malformed is none; what fails says why.
    call("00-nonsense-01").add(&bridge(), &pod, "eth0").error();
    let runs = lines();
    let failed = runs.last().unwrap();
    assert!(failed["parent_span_id"].is_null() && failed["trace_id"] != "0".repeat(32), "{failed}");
    assert!(failed["outcome"] == "error" && failed["code"].as_u64().unwrap() > 0, "{failed}");
    assert!(!fs::read_to_string(LOG).unwrap().contains("hunter2"));
}

/// A load takes from all phases alike, so one of a few runs shows what is named.
#[test]
fn nearly_all_of_a_chains_add_is_explained() {
    let host = Host::new();
    fs::create_dir_all("/run/net.d").unwrap();
    let list = r#"{"cniVersion":"1.1.0","name":"net","plugins":[
        {"type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local","subnet":"10.22.0.0/24"}},
        {"type":"firewall","backend":"nftables"}]}"#;
    fs::write("/run/net.d/10-net.conflist", list).unwrap();
    let pod = host.container("pod");
    let tool = |verb: &str, pod: &Container| {
        let mut cnitool = host.command(Suite::Ours.source().join("cnitool").to_str().unwrap());
        cnitool.args([verb, "net"]).arg(pod.netns()).env("NETCONFPATH", "/run/net.d");
        cnitool.env("CNI_PATH", Suite::Ours.source()).env("CNI_LOG", LOG);
        let done = run(&mut cnitool, b"");
        assert!(done.status.success(), "{}", done.stderr);
    };
    let mut best: f64 = 0.0;
    for _ in 0..5 {
        fs::remove_file(LOG).ok();
        tool("add", &pod);
        let runs = lines();
        assert_eq!(runs.len(), 4, "{runs:?}");
        assert!(runs.iter().all(|run| run["trace_id"] == runs[0]["trace_id"]), "{runs:?}");
        let took = |run: &Value| run["took_ns"].as_f64().unwrap();
        let named = |run: &Value| -> f64 {
            run["phases"].as_array().unwrap().iter().map(|phase| phase["alone_ns"].as_f64().unwrap()).sum()
        };
        let unnamed: f64 = runs.iter().map(|run| took(run) - named(run)).sum();
        best = best.max(1.0 - unnamed / took(runs.last().unwrap()));
        let svg = cnitool(&host, &["trace", "--chart", LOG]);
        assert!(
            svg.contains("bridge ADD") && svg.contains("host-local ADD") && svg.contains("delegate"),
            "{svg}"
        );
        tool("del", &pod);
    }
    assert!(best >= 0.95, "{best}");
}

/// Whatever is wrong with the place, the plugin does its work and does not wait.
#[test]
fn a_trace_that_cannot_be_written_fails_nothing() {
    let host = Host::new();
    host.sh("mkdir -p /run/full /run/dir; mount -t tmpfs -o size=64k none /run/full; mkfifo /run/fifo; ln -s /run/x /run/link
             head -c 70000 /dev/zero > /run/full/fill 2>/dev/null || true");
    for (number, place) in [
        "/run/dir",
        "/run/missing/log",
        "/run/fifo",
        "/run/link",
        "/dev/full",
        "/proc/version",
        "/run/full/log",
        "journal",
        "relative",
    ]
    .into_iter()
    .enumerate()
    {
        let pod = host.container(&format!("pod{number}"));
        let call =
            || host.plugin("bridge").env("CNI_LOG", place).env("CNI_RECORD", place).env("CNI_DEBUG", "1");
        call().add(&bridge(), &pod, "eth0").result();
        call().del(&bridge(), &pod, "eth0").done();
    }
    assert!(!Path::new("/run/x").exists() && !Path::new("/run/missing").exists());
}

/// The file works without touching the runtime; the journal gets a datagram in its own format; a record has what a call
/// was given and nothing else of the environment.
#[test]
fn switches_of_the_node_the_journal_and_records() {
    let host = Host::new();
    let pod = host.container("pod");
    fs::create_dir_all("/run/systemd/journal").unwrap();
    let journal = UnixDatagram::bind("/run/systemd/journal/socket").unwrap();
    fs::create_dir_all("/run/cni").unwrap();
    fs::write("/run/cni/log.conf", "CNI_LOG=journal\nCNI_RECORD=/run/record\n").unwrap();
    host.plugin("bridge").env("SECRET", "hunter2").add(&bridge(), &pod, "eth0").result();
    let mut buffer = vec![0; 64 << 10];
    let mut next = || {
        let length = journal.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let entries = [next(), next()];
    assert!(entries[1].contains("\nCNI_PLUGIN=bridge\nCNI_COMMAND=ADD\n"), "{entries:?}");
    let message = entries[1].lines().find_map(|line| line.strip_prefix("MESSAGE=")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(message).unwrap()["outcome"], "done");
    let record = fs::read_to_string("/run/record").unwrap();
    let calls: Vec<Value> = record.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let plugins: Vec<_> = calls.iter().map(|call| call["plugin"].as_str().unwrap()).collect();
    assert_eq!(plugins, ["bridge", "host-local"]);
    assert_eq!(calls[0]["env"]["CNI_CONTAINERID"], "pod");
    assert_eq!(serde_json::from_str::<Value>(calls[0]["stdin"].as_str().unwrap()).unwrap()["bridge"], "br0");
    assert!(!record.contains("hunter2"));
    let mode = host.run("stat -c %a /run/record");
    assert_eq!(mode.trim(), "600");
}

/// A run and the delegates in it are one tree of spans.
#[test]
fn the_spans_of_a_run_are_one_tree() {
    let host = Host::new();
    let pod = host.container("pod");
    host.plugin("bridge").env("CNI_LOG", LOG).add(&bridge(), &pod, "eth0").result();
    let otlp: Value = serde_json::from_str(&cnitool(&host, &["trace", "--otlp", LOG])).unwrap();
    let spans: Vec<&Value> = otlp["resourceSpans"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|resource| resource["scopeSpans"][0]["spans"].as_array().unwrap())
        .collect();
    let ids: Vec<_> = spans.iter().map(|span| &span["spanId"]).collect();
    let roots = spans.iter().filter(|span| !ids.contains(&&span["parentSpanId"])).count();
    assert_eq!(roots, 1, "{otlp}");
    assert!(spans.iter().all(|span| span["traceId"].as_str().unwrap().len() == 32));
}
