//! What arrives at the socket, and what a daemon of another suite answers.

use super::fuzz;
use crate::rpc::{Client, CmdArgs, Method, Server, Step};
use cni_types::{CniResult, Dns, IpConfig, Route};

const CONNECTED: &[u8] = b"HTTP/1.0 200 Connected to Go RPC\n\n";

/// What a client sends: the bytes of the golden vectors in `rpc/tests.rs`, and two calls on one connection.
fn requests() -> Vec<Vec<u8>> {
    let args = CmdArgs {
        container_id: "cid".to_owned(),
        netns: "/run/netns/cid".to_owned(),
        ifname: "eth0".to_owned(),
        args: "K8S_POD_NAME=web".to_owned(),
        stdin_data: b"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"type\":\"dhcp\"}}".to_vec(),
        ..CmdArgs::default()
    };
    let stream = |methods: &[Method]| {
        let mut client = Client::default();
        let mut stream = client.output();
        client.feed(CONNECTED).unwrap();
        methods.iter().for_each(|method| client.request(*method, &args));
        stream.extend(client.output());
        stream
    };
    vec![stream(&[Method::Release]), stream(&[Method::Allocate, Method::Release])]
}

fn replies() -> Vec<Vec<u8>> {
    let gateway = Some("192.0.2.1".parse().unwrap());
    let result = CniResult {
        ips: vec![IpConfig { interface: None, address: "192.0.2.7/24".parse().unwrap(), gateway }],
        routes: vec![Route { scope: Some(253), ..Route::new("0.0.0.0/0".parse().unwrap(), gateway) }],
        dns: Dns { nameservers: vec!["192.0.2.1".to_owned()], ..Dns::default() },
        ..CniResult::default()
    };
    let reply = |result: Result<CniResult, String>| {
        [CONNECTED, &Server::default().reply(Method::Allocate, 1, &result)].concat()
    };
    vec![reply(Ok(result)), reply(Ok(CniResult::default())), reply(Err("no more tries".to_owned()))]
}

#[test]
fn the_daemons_end() {
    let mut calls = 0;
    fuzz(&requests(), |mutator, input| {
        let mut server = Server::default();
        let mut rest = input;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + mutator.below(rest.len()));
            rest = after;
            if server.feed(piece).is_err() {
                return;
            }
            // Each step takes at least the bytes of one message.
            for step in 0.. {
                assert!(step <= input.len(), "more steps than bytes");
                match server.next_step() {
                    Ok(Some(Step::Call(call))) => {
                        calls += 1;
                        server.reply(call.method, call.seq, &Err(call.args.netns));
                    }
                    Ok(Some(Step::Send(_))) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    });
    assert!(calls > 0, "the mutations leave nothing to decode");
}

#[test]
fn the_plugins_end() {
    let (mut replies_read, mut results) = (0, 0);
    fuzz(&replies(), |mutator, input| {
        let mut client = Client::default();
        let mut rest = input;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + mutator.below(rest.len()));
            rest = after;
            if client.feed(piece).is_err() {
                return;
            }
            for step in 0.. {
                assert!(step <= input.len(), "more replies than bytes");
                match client.next_reply() {
                    Ok(Some(reply)) => {
                        replies_read += 1;
                        results += usize::from(reply.result.is_ok_and(|result| !result.ips.is_empty()));
                    }
                    Ok(None) => break,
                    Err(_) => return,
                }
            }
        }
    });
    assert!(replies_read > 0 && results > 0, "the mutations leave nothing to decode");
}
