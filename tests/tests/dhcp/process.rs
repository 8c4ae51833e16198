//! The daemon as a process: flags, files, what systemd gives it and hears from it.

use std::fs;
use std::path::Path;

use cni_tests::{
    DHCP_SOCKET, Finished, Host, Notified, Place, Service, Suite, activated, listener, needs, run,
};

use crate::{add, address, conf, del, kea, server};

#[test]
fn socket_and_pidfile_come_and_go() {
    let host = Host::new();
    let daemon = host.dhcp_daemon(&["-pidfile", "/run/dhcp.pid"]);
    assert_eq!(fs::read_to_string("/run/dhcp.pid").unwrap(), daemon.pid().to_string());
    host.plugin("dhcp").status(&conf()).done();
    assert!(daemon.end("TERM").success());
    assert!(!Path::new(DHCP_SOCKET).exists() && !Path::new("/run/dhcp.pid").exists());
    // Killed, it leaves both, and the next one does not mind.
    host.dhcp_daemon(&["--pidfile=/run/dhcp.pid"]).end("KILL");
    assert!(Path::new(DHCP_SOCKET).exists());
    host.plugin("dhcp").status(&conf()).error().says(50, &[DHCP_SOCKET]);
    let daemon = host.dhcp_daemon(&["--pidfile=/run/dhcp.pid"]);
    assert_eq!(fs::read_to_string("/run/dhcp.pid").unwrap(), daemon.pid().to_string());
    host.plugin("dhcp").status(&conf()).done();
    assert!(daemon.end("INT").success());
}

#[test]
fn a_pid_file_is_written_through_no_link_and_everything_has_its_mode() {
    let host = Host::new();
    host.sh("echo precious > /run/victim; ln -s /run/victim /run/dhcp.pid");
    let done = ends(&host, &["-pidfile", "/run/dhcp.pid"]);
    assert!(!done.status.success() && done.stderr.contains("/run/dhcp.pid"), "{done:?}");
    assert_eq!(fs::read_to_string("/run/victim").unwrap(), "precious\n");
    host.run("rm /run/dhcp.pid");
    let shell = ["sh", "-c", "umask 0; exec \"$0\" \"$@\""];
    let socket = "/run/own/dhcp.sock";
    let _daemon = host.dhcp_daemon_under(&shell, &["-pidfile", "/run/dhcp.pid", "-socketpath", socket]);
    let modes = host.run(&format!("stat -c %a /run/own {socket} /run/dhcp.pid"));
    assert_eq!(modes.split_whitespace().collect::<Vec<_>>(), ["700", "660", "644"]);
}

/// The daemon with these flags, which ends by itself.
fn ends(host: &Host, flags: &[&str]) -> Finished {
    run(&mut host.dhcp_daemon_command(Suite::Ours, flags), b"")
}

#[test]
fn wrong_flags_are_told() {
    let host = Host::new();
    let cases: [(&[&str], &str); 7] = [
        (&["-pidfile", "relative.pid"], "relative.pid"),
        (&["-nonsense"], "nonsense"),
        (&["-timeout"], "timeout"),
        (&["-timeout", "soon"], "soon"),
        (&["-timeout=-3s"], "-3s"),
        (&["-broadcast=maybe"], "maybe"),
        (&["-socketpath", "/proc/none/dhcp.sock"], "/proc/none"),
    ];
    for (flags, part) in cases {
        let done = ends(&host, flags);
        assert!(!done.status.success() && done.stderr.contains(part), "{flags:?}: {done:?}");
        assert!(!done.stderr.contains("panicked"), "{done:?}");
    }
    let help = ends(&host, &["-help"]);
    for flag in ["pidfile", "hostprefix", "socketpath", "broadcast", "timeout", "resendmax", "resendtimeout"]
    {
        assert!(help.stderr.contains(&format!("-{flag}")), "{flag}: {help:?}");
    }
}

#[test]
fn a_second_daemon_does_not_take_the_socket_away() {
    let host = Host::new();
    let _daemon = host.dhcp_daemon(&[]);
    let second = ends(&host, &[]);
    assert!(!second.status.success() && second.stderr.contains(DHCP_SOCKET), "{second:?}");
    host.plugin("dhcp").status(&conf()).done();
}

#[test]
fn systemd_gives_the_socket_and_hears_when_the_daemon_is_ready() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    let notified = Notified::new();
    let mut command = host.dhcp_daemon_command(Suite::Ours, &[]);
    notified.tell(&mut command);
    // A plugin may connect before there is a daemon.
    let socket = listener(DHCP_SOCKET);
    let daemon = Service::start(&mut activated(socket, &command));
    let pod = host.container("pod");
    let result = add(&host, &pod);
    notified.ready();
    kea.holds(&[address(&result)]);
    del(&host, &pod);
    assert!(daemon.end("TERM").success());
    let stopping = notified.next_message();
    assert!(stopping.lines().any(|line| line == "STOPPING=1"), "{stopping}");
    assert!(Path::new(DHCP_SOCKET).exists(), "the socket is systemd's");
}

#[test]
fn more_than_one_socket_is_an_error() {
    let host = Host::new();
    let command = host.dhcp_daemon_command(Suite::Ours, &[]);
    let script = "exec 3<&0 4<&0; LISTEN_FDS=2 LISTEN_PID=$$ exec \"$@\"";
    let mut shell = host.command("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    let done = run(&mut shell, b"");
    assert!(!done.status.success() && done.stderr.contains("2"), "{done:?}");
    assert!(!Path::new(DHCP_SOCKET).exists());
}

#[test]
fn the_prefix_stands_before_socket_and_namespaces() {
    needs!(Kea);
    let host = Host::new();
    let kea = kea(&server(&host), [600, 300, 500]);
    host.run("mkdir -p /run/prefix/run/netns");
    let _daemon = host.dhcp_daemon(&["-hostprefix", "/run/prefix"]);
    assert!(Path::new("/run/prefix/run/cni/dhcp.sock").exists());
    let pod = host.container("pod");
    host.sh("touch /run/prefix/run/netns/pod && mount --bind /run/netns/pod /run/prefix/run/netns/pod");
    let conf = conf().ipam("daemonSocketPath", "/run/prefix/run/cni/dhcp.sock");
    host.plugin("bridge").add(&conf, &pod, "eth0").result();
    kea.holds_count(1);
    host.plugin("bridge").del(&conf, &pod, "eth0").done();
    kea.holds(&[]);
    let missing = host.container("missing");
    let error = host.plugin("bridge").add(&conf, &missing, "eth0").error();
    error.says(8, &["/run/prefix/run/netns/missing"]);
}
