//! Faults at every point of a verb, one after the other, and what is left afterwards: nothing.

use crate::{Case, Container, HeldLock, Host, IpamScript, LIMIT, Place, Trace};

/// Every step that changes something outside the process goes through one of these.
const STEPS: [&str; 14] = [
    "sendto", "sendmsg", "setns", "openat", "write", "clone3", "ioctl", "mkdir", "linkat", "rename",
    "renameat", "unlink", "unlinkat", "vfork",
];

/// Runs `body` once for every call of every step, with a trace that kills the plugin (or its IPAM plugin) there and a
/// text that says where.
///
/// # Panics
/// When next to nothing was killed.
pub fn kill_at_each_step(body: impl Fn(&Trace, &str)) {
    kill_at_each(&STEPS, body);
}

/// The same for these system calls.
///
/// # Panics
/// When next to nothing was killed.
pub fn kill_at_each(steps: &[&str], body: impl Fn(&Trace, &str)) {
    // `strace` counts each system call by itself.
    let kills = steps.iter().map(|step| {
        let killed = |n: &usize| {
            let trace =
                Trace::new(&[&format!("trace={step}"), &format!("inject={step}:signal=KILL:when={n}")]);
            body(&trace, &format!("killed at {step} {n}"));
            trace.lines().iter().any(|line| line.contains("killed by SIGKILL"))
        };
        (1..500).take_while(killed).count()
    });
    let kills: Vec<_> = kills.collect();
    assert!(kills.iter().sum::<usize>() > 5, "nothing was killed: {kills:?}");
}

/// Runs `act` at each kill on a container of its own; then the host must be as it was.
fn for_each_kill(case: &Case, act: impl Fn(&Host, &Container, &Trace)) {
    let host = case.host();
    let before = host.after_one_container(case.plugin, &case.conf);
    kill_at_each_step(|trace, when| {
        let pod = host.container("pod");
        act(&host, &pod, trace);
        host.snapshot().assert_same_as(&before, &format!("{} was {when}", case.plugin));
    });
}

impl Case {
    /// An ADD whose n-th netlink request is refused leaves nothing.
    ///
    /// # Panics
    /// When it leaves something.
    pub fn refuse_each_request(&self) {
        let (plugin, host) = (self.plugin, self.host());
        host.after_one_container(plugin, &self.conf);
        let trace = Trace::new(&["trace=sendto"]).without_children();
        let pod = host.container("pod-00");
        self.call(&host).under(&trace.command()).add(&self.conf, &pod, "eth0").result();
        self.del(&host, &pod).done();
        let before = host.snapshot();
        let requests = trace.request_lengths();
        assert!(requests.len() > 3, "{requests:?}");
        let mut refused = 0;
        for (n, length) in requests.into_iter().enumerate() {
            let trace = Trace::refusing(n + 1, length);
            let pod = host.container(&format!("pod-{:02}", n + 1));
            let outcome = self.call(&host).under(&trace.command()).add(&self.conf, &pod, "eth0");
            if outcome.exit == Some(0) {
                // A request ADD can do without.
                self.del(&host, &pod).done();
            } else {
                let error = outcome.error();
                assert!(
                    pod.find_link("eth0").is_none(),
                    "{plugin}, request {n}: {error:?}\n{:?}",
                    trace.lines()
                );
                refused += 1;
            }
            host.snapshot().assert_same_as(&before, &format!("{plugin}, request {n}: {outcome:?}"));
            pod.remove_netns();
        }
        assert!(refused > 3, "{plugin}: only {refused} refusals made ADD fail");
    }

    /// An ADD that cannot enter a namespace, or has no thread that would, has one answer and leaves nothing: at the
    /// n-th try of each thread, and everywhere from the moment on when IPAM is asked.
    ///
    /// # Panics
    /// When it dies, or leaves something.
    pub fn refuse_each_visit(&self) {
        let host = self.host();
        let before = host.after_one_container(self.plugin, &self.conf);
        let mut failed = Vec::new();
        for (call, errno) in [("setns", "EPERM"), ("clone3", "EAGAIN")] {
            for n in 1..6 {
                let when = format!("{call} {n}");
                let trace =
                    Trace::new(&[&format!("trace={call}"), &format!("inject={call}:error={errno}:when={n}")]);
                let pod = host.container("pod");
                let outcome = self.call(&host).under(&trace.command()).add(&self.conf, &pod, "eth0");
                if outcome.exit == Some(0) {
                    self.del(&host, &pod).done();
                } else {
                    failed.push((when.clone(), outcome.error().code));
                }
                assert_eq!(pod.ip("link show").len(), 1, "{}, {when}: {outcome:?}", self.plugin);
                host.snapshot().assert_same_as(&before, &format!("{}, {when}: {outcome:?}", self.plugin));
                pod.remove_netns();
            }
        }
        assert!(failed.contains(&("setns 1".to_owned(), 8)) && failed.len() > 1, "{failed:?}");
        self.refuse_late_visits();
    }

    /// The same from the moment on when IPAM is asked: the IPAM plugin sees to that.
    fn refuse_late_visits(&self) {
        for n in 1..4 {
            let host = self.host();
            let inject = format!("inject=setns:error=EPERM:when={n}");
            let ipam = IpamScript::that_runs(
                &host,
                &format!(
                    "strace -f -qq -o /run/late -e trace=setns -e {inject} -p $PPID </dev/null >/dev/null 2>&1 &
                    until grep -q '^TracerPid:.[1-9]' /proc/$PPID/status; do :; done
                    echo '{{\"cniVersion\":\"1.0.0\",\"ips\":[{{\"address\":\"10.9.0.2/24\",\"gateway\":\"10.9.0.1\"}},\
                    {{\"address\":\"fd00:9::2/64\",\"gateway\":\"fd00:9::1\"}}]}}'"
                ),
            );
            let case = self.with(|conf| ipam.for_conf(conf));
            let pod = host.container("pod");
            let outcome = case.add(&host, &pod);
            match n {
                1 => outcome.error().says(8, &[pod.netns().to_str().unwrap(), "EPERM"]),
                _ => drop(outcome.result()),
            }
            if n > 1 {
                case.del(&host, &pod).done();
            }
            assert_eq!(pod.ip("link show").len(), 1, "{}: {outcome:?}", self.plugin);
        }
    }

    /// A DEL after an ADD that was killed at its n-th step leaves nothing on the host, also one without the namespace;
    /// with it, nothing in the container.
    ///
    /// # Panics
    /// When it leaves something.
    pub fn kill_each_step_of_add(&self) {
        for_each_kill(self, |host, pod, trace| {
            self.call(host).under(&trace.command()).add(&self.conf, pod, "eth0");
            self.call(host).without("CNI_NETNS").del(&self.conf, pod, "eth0").done();
            self.del(host, pod).done();
            assert_eq!(pod.ip("link show").len(), 1, "{} left a link, whatever its name", self.plugin);
            pod.remove_netns();
        });
    }

    /// A second DEL finishes what one that was killed at its n-th step began.
    ///
    /// # Panics
    /// When something is left.
    pub fn kill_each_step_of_del(&self) {
        for_each_kill(self, |host, pod, trace| {
            let result = self.add(host, pod).result();
            let with_result = self.with(|conf| conf.prev(&result));
            with_result.call(host).under(&trace.command()).del(&with_result.conf, pod, "eth0");
            with_result.del(host, pod).done();
            assert!(pod.find_link("eth0").is_none());
            pod.remove_netns();
        });
    }

    /// A GC after an ADD that was killed at its n-th step, and whose container is gone, leaves nothing.
    ///
    /// # Panics
    /// When it leaves something.
    pub fn kill_each_step_of_add_before_gc(&self) {
        let case = self.with(|conf| conf.version("1.1.0"));
        for_each_kill(&case, |host, pod, trace| {
            case.call(host).under(&trace.command()).add(&case.conf, pod, "eth0");
            pod.remove_netns();
            case.call(host).gc(&case.conf, &[]).done();
        });
    }

    /// With the lock of its IPAM plugin held, ADD gives up with an error that names the holder, and leaves nothing.
    ///
    /// # Panics
    /// Otherwise.
    pub fn hold_the_ipam_lock(&self) {
        let host = self.host();
        let before = host.after_one_container(self.plugin, &self.conf);
        let path = "/var/lib/cni/networks/net/lock";
        let lock = HeldLock::new(path);
        let pod = host.container("pod");
        let started = std::time::Instant::now();
        self.add(&host, &pod).error().says(11, &[path, &lock.pid().to_string()]);
        assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
        assert!(pod.find_link("eth0").is_none());
        drop(lock);
        host.snapshot().assert_same_as(&before, "an ADD that gave up");
        self.add(&host, &pod).result();
    }

    /// With IPAM's disk full, ADD says so and leaves nothing.
    ///
    /// # Panics
    /// Otherwise.
    pub fn fill_the_disk(&self) {
        let host = self.host();
        let before = host.after_one_container(self.plugin, &self.conf);
        let pod = host.container("pod");
        host.sh("mkdir /run/full && mount -t tmpfs -o size=4k tmpfs /run/full");
        host.try_run("dd if=/dev/zero of=/run/full/fill bs=4k count=4");
        let error = self.with(|conf| conf.ipam("dataDir", "/run/full")).add(&host, &pod).error();
        assert!(error.text.contains("ENOSPC") || error.text.contains("No space left"), "{error:?}");
        assert!(pod.find_link("eth0").is_none());
        host.snapshot().assert_same_as(&before, "a full disk");
    }
}
