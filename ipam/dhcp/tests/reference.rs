//! Our codec against Debian's build of the reference, in both roles.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};

use cni_tests::{Conf, Host, LIMIT, Outcome, Place, Service, needs};
use cni_types::{CniResult, Dns, IpConfig, Route};
use ipam_dhcp::rpc::{Call, Client, CmdArgs, Method, Reply, Server, Step};
use serde_json::{Value, json};

const SOCKET: &str = "/run/cni-dhcp-test.sock";

fn conf() -> Conf {
    Conf::new(json!({
        "cniVersion": "1.0.0", "name": "net", "type": "bridge",
        "ipam": { "type": "dhcp", "daemonSocketPath": SOCKET },
    }))
}

/// Answers one call of the reference's client with `result`; what was asked, and what the client made of the answer.
fn answer(verb: &str, result: Result<CniResult, String>) -> (CmdArgs, Method, Outcome) {
    let host = Host::new();
    let listener = UnixListener::bind(SOCKET).unwrap();
    let serving = std::thread::spawn(move || serve(&listener, &result));
    let pod = host.container("pod");
    let plugin = host.reference("dhcp").env("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAME=web");
    let outcome = match verb {
        "ADD" => plugin.add(&conf(), &pod, "eth0"),
        _ => plugin.del(&conf(), &pod, "eth0"),
    };
    let (args, method) = serving.join().unwrap();
    (args, method, outcome)
}

fn serve(listener: &UnixListener, result: &Result<CniResult, String>) -> (CmdArgs, Method) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut server = Server::default();
    loop {
        match server.next_step().unwrap() {
            Some(Step::Send(bytes)) => stream.write_all(&bytes).unwrap(),
            Some(Step::Call(Call { seq, method, args })) => {
                stream.write_all(&server.reply(method, seq, result)).unwrap();
                return (args, method);
            }
            None => {
                let mut bytes = [0; 100];
                let count = stream.read(&mut bytes).unwrap();
                assert_ne!(count, 0, "the client hung up");
                server.feed(&bytes[..count]).unwrap();
            }
        }
    }
}

fn result() -> CniResult {
    let address = "192.0.2.7/24".parse().unwrap();
    let gateway = Some("192.0.2.1".parse().unwrap());
    CniResult {
        ips: vec![IpConfig { interface: None, address, gateway }],
        routes: vec![
            Route::new("0.0.0.0/0".parse().unwrap(), gateway),
            Route {
                mtu: 1400,
                priority: 9,
                scope: Some(253),
                ..Route::new("10.0.0.0/8".parse().unwrap(), None)
            },
        ],
        dns: Dns { nameservers: vec!["192.0.2.1".to_owned()], ..Dns::default() },
        ..CniResult::default()
    }
}

#[test]
fn its_client_reads_our_result() {
    needs!(Reference);
    let (args, method, outcome) = answer("ADD", Ok(result()));
    assert_eq!((method, &*args.container_id, &*args.netns), (Method::Allocate, "pod", "/run/netns/pod"));
    assert_eq!((&*args.ifname, &*args.args), ("eth0", "IgnoreUnknown=1;K8S_POD_NAME=web"));
    let sent: Value = serde_json::from_slice(&args.stdin_data).unwrap();
    assert_eq!(sent, serde_json::from_str::<Value>(&conf().text()).unwrap());
    let printed = outcome.result();
    assert_eq!(printed["ips"], json!([{ "address": "192.0.2.7/24", "gateway": "192.0.2.1" }]));
    // What its version does not know of a route it leaves out.
    assert_eq!(
        printed["routes"],
        json!([{ "dst": "0.0.0.0/0", "gw": "192.0.2.1" }, { "dst": "10.0.0.0/8" }])
    );
    assert_eq!(printed["dns"], json!({ "nameservers": ["192.0.2.1"] }));
}

#[test]
fn its_client_reads_our_errors_and_the_success_of_a_release() {
    needs!(Reference);
    let (_, method, outcome) = answer("DEL", Ok(CniResult::default()));
    assert_eq!(method, Method::Release);
    outcome.done();
}

#[test]
fn its_client_tells_our_error() {
    needs!(Reference);
    let (_, _, outcome) = answer("ADD", Err("no more tries".to_owned()));
    let error = outcome.error();
    assert!(error.text.contains("error calling DHCP.Allocate: no more tries"), "{error:?}");
}

/// The reference's daemon; it listens already.
fn daemon(host: &Host) -> Service {
    let listener = UnixListener::bind(SOCKET).unwrap();
    let mut shell = host.command("sh");
    shell.args(["-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"]);
    let flags = ["daemon", "-timeout", "100ms", "-resendmax", "1s"];
    let executable = cni_tests::Suite::Reference.source().join("dhcp");
    Service::start(shell.arg(executable).args(flags).stdin(OwnedFd::from(listener)))
}

/// Sends requests on one connection and waits for the reply of each.
fn ask(requests: &[(Method, &CmdArgs)]) -> Vec<Reply> {
    let mut stream = UnixStream::connect(SOCKET).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut client = Client::default();
    let reply = |&(method, args): &(Method, &CmdArgs)| {
        client.request(method, args);
        loop {
            stream.write_all(&client.output()).unwrap();
            if let Some(reply) = client.next_reply().unwrap() {
                return reply;
            }
            let mut bytes = [0; 100];
            let count = stream.read(&mut bytes).unwrap();
            assert_ne!(count, 0, "the daemon hung up");
            client.feed(&bytes[..count]).unwrap();
        }
    };
    requests.iter().map(reply).collect()
}

#[test]
fn its_daemon_understands_our_requests() {
    needs!(Reference);
    let host = Host::new();
    let _daemon = daemon(&host);
    let args = CmdArgs {
        container_id: "pod".to_owned(),
        netns: "/run/netns/none".to_owned(),
        ifname: "eth0".to_owned(),
        stdin_data: conf().text().into_bytes(),
        ..CmdArgs::default()
    };
    let nonsense = CmdArgs { stdin_data: b"{".to_vec(), ..args.clone() };
    let replies = ask(&[(Method::Release, &args), (Method::Allocate, &args), (Method::Allocate, &nonsense)]);
    assert_eq!(replies[0], Reply { seq: 0, result: Ok(CniResult::default()) });
    let errors: Vec<_> = replies[1..].iter().map(|reply| reply.result.clone().unwrap_err()).collect();
    assert!(errors[0].contains("/run/netns/none"), "{errors:?}");
    assert!(errors[1].contains("JSON"), "{errors:?}");
    assert_eq!((replies[1].seq, replies[2].seq), (1, 2));
}
