//! `ls` and `check --all`.

use std::fs;

use cni_tests::{Place, Service, needs, run};
use serde_json::Value;

use super::{RESULTS, Seen};

const PORT: &str = r#"{"portMappings":[{"hostPort":8081,"containerPort":80,"protocol":"tcp"}]}"#;

fn state(entry: &Value) -> String {
    format!("{}: {}", entry["state"].as_str().unwrap(), entry["why"].as_str().unwrap_or_default())
}

#[test]
fn an_attachment_is_shown_as_the_kernel_has_it() {
    let seen = Seen::new();
    let pod = seen.attach_with("web", "cart", PORT);
    seen.attach("p2p", "limited");
    let entry = seen.of("cart");
    let link = pod.link("eth0");
    assert_eq!(entry["mac"], link["address"]);
    let global =
        |list: Vec<String>| list.into_iter().filter(|ip| !ip.starts_with("fe80")).collect::<Vec<_>>();
    let addresses: Vec<String> = serde_json::from_value(entry["addresses"].clone()).unwrap();
    assert_eq!(addresses, global(pod.addresses("eth0")));
    let ports = seen.host.json("ip -j link show master web0");
    assert_eq!(entry["hostLink"], ports[0]["ifname"]);
    assert_eq!((&entry["podNamespace"], &entry["network"]), (&"shop".into(), &"web".into()));
    assert_eq!((&entry["ports"][0], &entry["netns"]), (&"8081→80/tcp".into(), &"/run/netns/cart".into()));
    assert_eq!(seen.of("limited")["ingressRate"], 10_000_000);
    assert_eq!(seen.list().iter().map(state).collect::<Vec<_>>(), ["ok: ", "ok: "]);
    assert_eq!(seen.text("ls -o name --network web").lines().count(), 1);
}

/// One fault after the other, each with the words that tell it.
#[test]
fn every_state_is_told() {
    let seen = Seen::new();
    let says = |pod: &str, words: &[&str]| {
        let state = state(&seen.of(pod));
        assert!(words.iter().all(|word| state.contains(word)), "{pod}: {state}");
    };
    let stripped = seen.attach("web", "stripped");
    stripped.run("ip address flush dev eth0");
    says("stripped", &["damaged: ", "eth0 has lost 10.22.0.2", "eth0 has lost fd00:22::2"]);
    let down = seen.attach("web", "down");
    down.run("ip link set eth0 down");
    says("down", &["damaged: ", "eth0 is down"]);
    seen.attach("web", "unplugged");
    let end = seen.of("unplugged")["hostLink"].as_str().unwrap().to_owned();
    seen.host.run(&format!("ip link set {end} nomaster"));
    says("unplugged", &["damaged: ", "is no port of a bridge"]);
    seen.attach("web", "robbed");
    let address = seen.of("robbed")["addresses"][0].as_str().unwrap().replace("/24", "");
    fs::remove_file(format!("/var/lib/cni/networks/web/{address}")).unwrap();
    says("robbed", &["damaged: ", &format!("{address} is not reserved for it")]);
    let gone = seen.attach("web", "gone");
    gone.remove_netns();
    says("gone", &["no namespace: "]);
    let unmounted = seen.attach("web", "unmounted");
    unmounted.unmount_netns();
    says("unmounted", &["no namespace: "]);
    fs::remove_file(unmounted.netns()).unwrap();
    // Another namespace under the same path.
    seen.attach("web", "other").remove_netns();
    seen.host.container("other");
    says("other", &["damaged: no eth0 in /run/netns/other"]);
    seen.attach("p2p", "free");
    let end = seen.of("free")["hostLink"].as_str().unwrap().to_owned();
    seen.host.run(&format!("tc qdisc delete dev {end} root"));
    says("free", &["damaged: ", "has no limit"]);
    let open = seen.attach_with("web", "open", PORT);
    says("open", &["ok: "]);
    seen.host.run("nft flush ruleset");
    says("open", &["damaged: ", "masquerade"]);
    drop(open);
}

/// Links that are nobody's, more of them than one answer of the kernel has, change nothing of what is shown.
#[test]
fn a_thousand_links_of_nobody_are_passed_over() {
    let seen = Seen::new();
    seen.attach("web", "cart");
    seen.attach("p2p", "limited");
    let verbs = ["ls -o json", "graph", "gc --keep netns-dir=/run/netns --dry-run"];
    let shown = || verbs.map(|verb| seen.text(verb));
    let before = shown();
    let pairs: String =
        (0..500).map(|n| format!("link add left{n} type veth peer name right{n}\n")).collect();
    fs::write("/run/pairs", pairs).unwrap();
    seen.host.run("ip -batch /run/pairs");
    assert_eq!(shown(), before);
    assert!(seen.text("metrics").contains("cni_attachments{network=\"web\",state=\"ok\"} 1\n"));
}

#[test]
fn what_has_no_file_is_alive_or_leaked() {
    let seen = Seen::new();
    seen.attach("web", "alive");
    let leaked = seen.attach("web", "leaked");
    for pod in ["alive", "leaked"] {
        fs::remove_file(seen.file(pod)).unwrap();
    }
    leaked.remove_netns();
    // The host's end goes with the namespace, which the kernel takes down by and by.
    let (alive, leaked) = loop {
        let mut list = seen.list();
        assert_eq!(list.len(), 2, "{list:#?}");
        list.sort_by_key(|entry| entry["state"].as_str().unwrap().to_owned());
        if list[0]["state"] == "leaked" {
            break (list.remove(1), list.remove(0));
        }
    };
    assert_eq!(alive["state"], "no cache");
    assert_eq!(alive["addresses"][0], "10.22.0.2/24");
    let held: Vec<_> = leaked["held"].as_array().unwrap().iter().map(|thing| &thing["what"]).collect();
    assert!(held.contains(&&"10.22.0.3".into()) && held.contains(&&"fd00:22::3".into()), "{held:?}");
    assert!(fs::exists("/var/lib/cni/networks/web/10.22.0.3").unwrap());
}

#[test]
fn a_cache_of_others_and_broken_files_are_named_and_hide_nothing() {
    let seen = Seen::new();
    assert_eq!(seen.list(), Vec::<Value>::new(), "no cache at all");
    seen.attach("web", "good");
    seen.attach("web", "cut");
    let whole = fs::read(seen.file("cut")).unwrap();
    fs::write(seen.file("cut"), &whole[..whole.len() / 2]).unwrap();
    for (name, text) in [
        ("a-b-eth0", "".to_owned()),
        ("c-d-eth0", r#"{"kind":"cniCacheV2"}"#.into()),
        ("e-f-eth0", r#"{"cniVersion":"0.4.0","ips":[]}"#.into()),
        ("g-h-eth0", r#"{"kind":"cniCacheV1","config":"!"}"#.into()),
        ("i-j-eth0", "[".repeat(100_000)),
    ] {
        fs::write(format!("{RESULTS}/{name}"), text).unwrap();
    }
    let list = seen.list();
    assert_eq!(
        list.iter().map(|entry| &entry["state"]).filter(|state| *state == "damaged").count(),
        6,
        "{list:#?}"
    );
    // What the file cannot say any more, the name and the host still do.
    let cut = list.iter().find(|entry| entry["state"] == "damaged" && entry["network"] == "web").unwrap();
    assert!(state(cut).contains("cannot be used") && cut["held"].as_array().unwrap().len() >= 2, "{cut:#}");
    assert_eq!(seen.of("good")["state"], "ok");
    let done = seen.cnitool("check --all");
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!((done.status.code(), text.matches("cannot be used").count()), (Some(1), 6), "{text}");
    assert_eq!(text.matches(" ok\n").count(), 1, "{text}");
}

#[test]
fn check_of_all_tells_each_that_differs_and_its_status_says_so() {
    let seen = Seen::new();
    let cart = seen.attach_with("web", "cart", PORT);
    seen.attach("p2p", "other");
    let text = seen.text("check --all");
    assert_eq!(text.matches(" ok\n").count(), 2, "{text}");
    seen.host.run("nft flush ruleset");
    let done = seen.cnitool("check --all");
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!((done.status.code(), text.matches("(CNI error code 103)").count()), (Some(1), 1), "{text}");
    assert!(seen.cnitool("check --all --network p2p").status.success());
    cart.remove_netns();
    let text = String::from_utf8(seen.cnitool("check --all").stdout).unwrap();
    assert!(text.contains("/run/netns/cart: it does not exist"), "{text}");
}

/// What can be seen is shown, what is missing is said.
#[test]
fn without_permission_nothing_is_guessed() {
    needs!(UserIds);
    let seen = Seen::new();
    seen.attach("web", "cart");
    seen.open_to_all();
    let as_nobody = |arguments: &str| {
        let ours = seen.command(arguments);
        let mut command = seen.host.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(ours.get_program()).args(ours.get_args());
        command.env("NETCONFPATH", super::NETWORKS).env("CNI_PATH", "/run/cni-tests/ours");
        run(&mut command, b"")
    };
    let done = as_nobody("ls");
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success() && done.stderr.contains("cannot be seen: the result cache"),
        "{}",
        done.stderr
    );
    assert!(text.contains("unknown: the cache cannot be read") && !text.contains("leaked"), "{text}");
    let document: Value = serde_json::from_slice(&as_nobody("ls -o json").stdout).unwrap();
    assert!(document["missing"].as_array().unwrap().len() > 1, "{document:#}");
    for arguments in ["graph", "metrics"] {
        assert!(as_nobody(arguments).status.success(), "{arguments}");
    }
}

#[test]
fn lines_fit_the_terminal_and_colour_is_for_it_alone() {
    let seen = Seen::new();
    seen.attach_with("web", "a-pod-with-a-name-that-is-rather-long", PORT);
    seen.attach("web", "bad").run("ip link set eth0 down");
    let cnitool = cni_tests::Suite::Ours.source().join("cnitool");
    for columns in [60, 100, 200] {
        let shell = format!("stty cols {columns}; {} ls 2> /dev/null", cnitool.display());
        let mut command = seen.host.command("script");
        command
            .args(["-qec", &shell, "/dev/null"])
            .env("NETCONFPATH", super::NETWORKS)
            .env_remove("NO_COLOR");
        let text = String::from_utf8(run(&mut command, b"").stdout).unwrap();
        let red = text.lines().filter(|line| line.starts_with("\x1b[31m")).count();
        assert_eq!(red, 1, "{text:?}");
        let plain = text.replace("\x1b[31m", "").replace("\x1b[0m", "");
        assert_eq!(plain.lines().count(), 3, "{plain}");
        assert!(plain.lines().all(|line| line.trim_end().chars().count() <= columns), "{columns}: {plain}");
    }
    let piped = seen.text("ls -o wide");
    assert!(
        !piped.contains('\x1b') && piped.contains("shop/a-pod-with-a-name-that-is-rather-long"),
        "{piped}"
    );
}

#[test]
fn a_watch_says_what_comes_changes_and_goes() {
    let seen = Seen::new();
    let watch = Service::start(&mut seen.command("ls --watch"));
    watch.line(&["NETWORK", "STATE"]);
    let pod = seen.attach("web", "cart");
    watch.line(&["+ web/cnitool-", "10.22.0.2/24"]);
    watch.line(&["web/cnitool-", "10.22.0.2/24", " ok"]);
    seen.text("del web /run/netns/cart");
    watch.line(&["- web/cnitool-"]);
    drop(pod);
    watch.end("TERM");
}
