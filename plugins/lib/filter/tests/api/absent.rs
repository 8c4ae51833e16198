//! Hosts that lack something: no iptables, no nftables, no tool at all; and how many tools run where there are some.

use crate::host::{attachment, cidr, elements, enter, own_mounts, ruleset, run, saved, use_legacy_iptables};
use cni_filter::masquerade::{Backend, add, check, collect, remove, status, warning};
use cni_filter::{Filter, spoof};
use cni_types::{Code, FromText, IfName, Mac, Stale};

const TOOLS: &[&str] = &["nft", "iptables-restore", "iptables-legacy-restore"];

/// Hides every tool of the host from this thread, and what it starts.
fn hide_tools() {
    for dir in ["/usr/sbin", "/usr/local/sbin"] {
        run("mount", &["-t", "tmpfs", "tmpfs", dir]);
    }
}

/// Lets the kernel answer this thread as one without nfnetlink does.
fn hide_nftables() {
    const AF_NETLINK: u32 = 16;
    const NETLINK_NETFILTER: u32 = 12;
    let statement =
        |code: u32, k: u32| libc::sock_filter { code: u16::try_from(code).unwrap(), jt: 0, jf: 0, k };
    let load = |offset: u32| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset);
    let unless = |k: u32, skip: u8| libc::sock_filter {
        jf: skip,
        ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k)
    };
    // struct seccomp_data: the call's number at 0, its arguments from 16 on, 8 bytes each.
    let mut filter = [
        load(0),
        unless(u32::try_from(libc::SYS_socket).unwrap(), 5),
        load(16),
        unless(AF_NETLINK, 3),
        load(32),
        unless(NETLINK_NETFILTER, 1),
        statement(libc::BPF_RET, libc::SECCOMP_RET_ERRNO | u32::try_from(libc::EPROTONOSUPPORT).unwrap()),
        statement(libc::BPF_RET, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 8, filter: filter.as_mut_ptr() };
    // SAFETY: plain numbers.
    let locked = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` and the filter it points to live until the call returns; the kernel copies them.
    let filtered =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!((locked, filtered), (0, 0));
}

/// Puts scripts in front of the host's iptables tools that note each call in a file; gives the file.
fn count_tools() -> String {
    own_mounts();
    run("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
    run("mount", &["-t", "tmpfs", "tmpfs", "/usr/local/sbin"]);
    for tool in ["iptables", "ip6tables"] {
        for verb in ["restore", "save"] {
            let path = format!("/usr/local/sbin/{tool}-{verb}");
            std::fs::write(
                &path,
                format!("#!/bin/sh\necho {tool}-{verb} >> /run/calls\nexec /usr/sbin/{tool}-{verb} \"$@\"\n"),
            )
            .unwrap();
            run("chmod", &["755", &path]);
        }
    }
    std::fs::write("/run/calls", "").unwrap();
    "/run/calls".to_owned()
}

#[test]
fn without_tools_nftables_works_and_iptables_says_what_is_missing() {
    if !enter(TOOLS) {
        return;
    }
    own_mounts();
    hide_tools();
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("fd00::5/64")];
    assert_eq!(Backend::choose(&filter, None), Backend::Nftables);
    assert_eq!(Backend::choose(&filter, Some(Backend::Iptables)), Backend::Iptables);
    let error = add(&filter, Backend::Iptables, &id, &ips).unwrap_err();
    assert_eq!(error.code, Code::FILTER);
    assert!(error.msg.contains("cannot find iptables-restore"), "{error}");
    assert!(error.details.contains("or set ipMasqBackend to \"nftables\""), "{error}");
    let error = status(&filter, Backend::Iptables).unwrap_err();
    assert_eq!(error.code, Code::UNAVAILABLE);
    assert!(error.details.contains("cannot find iptables-restore"), "{error}");
    assert!(error.details.contains("or set ipMasqBackend to \"nftables\""), "{error}");
    status(&filter, Backend::Nftables).unwrap();
    add(&filter, Backend::Nftables, &id, &ips).unwrap();
    check(&filter, Backend::Nftables, &id, &ips).unwrap();
    check(&filter, Backend::Iptables, &id, &ips).unwrap();
    let other = attachment("net", "c2", "eth0");
    let error = check(&filter, Backend::Iptables, &other, &ips).unwrap_err();
    assert!(error.msg.contains("cannot find iptables-restore"), "{error}");
    spoof::add(&filter, &id, &IfName::new("veth0").unwrap(), Mac([2, 0, 0, 0, 0, 1])).unwrap();
    run("umount", &["/usr/sbin"]);
    assert_eq!(elements().len(), 2);
    run("mount", &["-t", "tmpfs", "tmpfs", "/usr/sbin"]);
    remove(&filter, &id, &[]).unwrap();
    spoof::remove(&filter, &id).unwrap();
    collect(&filter, &Stale::all(&id.network)).unwrap();
    run("umount", &["/usr/sbin"]);
    assert_eq!(elements(), []);
    assert!(!ruleset().contains("cni-br"));
}

#[test]
fn without_nftables_removing_succeeds_and_adding_says_why_not() {
    if !enter(TOOLS) {
        return;
    }
    let id = attachment("net", "c1", "eth0");
    std::thread::scope(|scope| {
        let body = || {
            use_legacy_iptables();
            hide_nftables();
            let filter = Filter::new();
            let error = add(&filter, Backend::Nftables, &id, &[cidr("10.1.0.5/16")]).unwrap_err();
            assert_eq!(error.code, Code::FILTER);
            assert!(error.msg.contains("the kernel has no nftables"), "{error}");
            let error = status(&filter, Backend::Nftables).unwrap_err();
            assert_eq!(error.code, Code::UNAVAILABLE);
            assert_eq!(Backend::choose(&filter, None), Backend::Iptables);
            remove(&filter, &id, &[]).unwrap();
            collect(&filter, &Stale::all(&id.network)).unwrap();
            spoof::remove(&filter, &id).unwrap();
            spoof::collect(&filter, &Stale::all(&id.network)).unwrap();
            assert_eq!(spoof::status(&filter).unwrap_err().code, Code::UNAVAILABLE);
            spoof::add(&filter, &id, &IfName::new("veth0").unwrap(), Mac([2, 0, 0, 0, 0, 1])).unwrap_err();
            add(&filter, Backend::Iptables, &id, &[cidr("10.1.0.5/16")]).unwrap();
            check(&filter, Backend::Iptables, &id, &[cidr("10.1.0.5/16")]).unwrap();
            assert_eq!(saved("iptables-legacy-save").len(), 4);
            remove(&filter, &id, &[]).unwrap();
            assert_eq!(saved("iptables-legacy-save").len(), 0);
        };
        scope.spawn(body).join().unwrap();
    });
}

#[test]
fn add_runs_one_tool_per_family_and_removing_none() {
    if !enter(TOOLS) {
        return;
    }
    let calls = count_tools();
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    let ips = [cidr("10.1.0.5/16"), cidr("fd00::5/64"), cidr("10.2.0.5/16")];
    add(&filter, Backend::Iptables, &id, &ips).unwrap();
    assert_eq!(std::fs::read_to_string(&calls).unwrap(), "iptables-restore\nip6tables-restore\n");
    add(&filter, Backend::Nftables, &id, &ips).unwrap();
    remove(&filter, &id, &[]).unwrap();
    remove(&filter, &id, &[ips[0].ip()]).unwrap();
    collect(&filter, &Stale::all(&id.network)).unwrap();
    assert_eq!(std::fs::read_to_string(&calls).unwrap().lines().count(), 2);
    assert_eq!(saved("/usr/sbin/iptables-save").len(), 0);
    assert_eq!(elements(), []);
    assert_eq!(warning(Backend::Nftables), None);
    // A legacy table without anything of ours costs no process either.
    run("iptables-legacy", &["-t", "nat", "-A", "POSTROUTING", "-j", "RETURN"]);
    let text = warning(Backend::Nftables).unwrap();
    assert!(text.contains("iptables-legacy-save"), "{text}");
    add(&filter, Backend::Nftables, &id, &ips).unwrap();
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(std::fs::read_to_string(&calls).unwrap().lines().count(), 2);
}

#[test]
fn probing_loads_no_legacy_table() {
    if !enter(TOOLS) {
        return;
    }
    let filter = Filter::new();
    let id = attachment("net", "c1", "eth0");
    Backend::choose(&filter, None);
    status(&filter, Backend::Iptables).unwrap();
    add(&filter, Backend::Iptables, &id, &[cidr("10.1.0.5/16")]).unwrap();
    remove(&filter, &id, &[]).unwrap();
    collect(&filter, &Stale::all(&id.network)).unwrap();
    assert_eq!(std::fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap(), "");
}

#[test]
fn without_the_capability_every_call_says_so() {
    if !enter(TOOLS) {
        return;
    }
    let id = attachment("net", "c1", "eth0");
    let body = || {
        let nobody: libc::c_long = 65_534;
        // SAFETY: plain numbers; the bare system call changes this short-lived thread only.
        assert_eq!(unsafe { libc::syscall(libc::SYS_setresuid, nobody, nobody, nobody) }, 0);
        let filter = Filter::new();
        let add = add(&filter, Backend::Nftables, &id, &[cidr("10.1.0.5/16")]);
        let results = [
            add,
            remove(&filter, &id, &[]),
            spoof::remove(&filter, &id),
            collect(&filter, &Stale::all(&id.network)),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(error.code, Code::FILTER);
            assert!(error.details.contains("EPERM") && error.details.contains("CAP_NET_ADMIN"), "{error}");
        }
        assert_eq!(status(&filter, Backend::Nftables).unwrap_err().code, Code::UNAVAILABLE);
    };
    std::thread::scope(|scope| scope.spawn(body).join().unwrap());
}

#[test]
fn the_backend_is_read_strictly() {
    assert_eq!(Backend::from_text("iptables").unwrap(), Backend::Iptables);
    assert_eq!(Backend::from_text("nftables").unwrap(), Backend::Nftables);
    for bad in ["", "nft", "IPTABLES", "iptables\n", "pf"] {
        let error = Backend::from_text(bad).unwrap_err();
        assert_eq!(error.code, Code::CONFIG);
        assert!(error.msg.contains("\"iptables\" or \"nftables\""), "{error}");
    }
}

/// Takes an extension from the tool.
fn hide_extension(missing: &str) {
    own_mounts();
    let dir =
        run("sh", &["-c", "dirname $(find /usr/lib /lib /usr/lib64 -name libxt_comment.so | head -n 1)"]);
    let dir = dir.trim();
    run("cp", &["-r", dir, "/run/xtables"]);
    run("rm", &[&format!("/run/xtables/libxt_{missing}.so")]);
    run("mount", &["--bind", "/run/xtables", dir]);
}

#[test]
fn without_an_extension_of_iptables_nftables_is_used_or_the_error_names_it() {
    if !enter(TOOLS) {
        return;
    }
    hide_extension("comment");
    let filter = Filter::new();
    let (id, ips) = (attachment("net", "c1", "eth0"), [cidr("10.1.0.5/16"), cidr("fd00::5/64")]);
    for error in [
        add(&filter, Backend::Iptables, &id, &ips).unwrap_err(),
        status(&filter, Backend::Iptables).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("match comment") && text.contains("ipMasqBackend to \"nftables\""), "{error}");
    }
    remove(&filter, &id, &[]).unwrap();
    add(&filter, None, &id, &ips).unwrap();
    assert_eq!((elements().len(), saved("iptables-save").len()), (2, 0));
    status(&filter, None).unwrap();
    check(&filter, None, &id, &ips).unwrap();
    remove(&filter, &id, &[]).unwrap();
    assert_eq!(elements(), []);
}
