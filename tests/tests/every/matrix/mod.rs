//! Every part of every plugin under every verb, out of the plugins' own lists: a part that is added to a plugin is in
//! here by itself, and a plugin or a shared part for which nobody has said how it is tried makes the tests fail.

mod cases;

use cni_part::{Held, Host as PartHost, Owned, PartPlugin, Whose};
use cni_skel::Detachment;
use cni_tests::{Conf, Container, Host, Outcome, Trace, kill_at_each};
use cni_types::{AttachmentId, ContainerId, IfName, Json, Network, NetworkName, SpecVersion};
use serde_json::Value;

use self::cases::{DELEGATES, Try, disturb, tries};

/// The configuration as the plugin gets it.
fn network(conf: &Conf) -> Network {
    let bytes = conf.text().into_bytes();
    let json = Json::parse(&bytes).unwrap();
    let name = NetworkName::new(json.get_str("name").unwrap()).unwrap();
    Network::new(name, SpecVersion::CURRENT, json, bytes)
}

fn id(conf: &Conf, pod: &Container) -> AttachmentId {
    let container_id = ContainerId::new(pod.id()).unwrap();
    AttachmentId { network: network(conf).name, container_id, ifname: IfName::new("eth0").unwrap() }
}

/// What all that the plugin could ever have made says that there is.
fn held(plugin: &PartPlugin, conf: &Conf) -> Vec<Held> {
    let each = plugin.owned.iter().map(|owned| owned.held(&PartHost::new(), &network(conf)).unwrap());
    each.flatten().collect()
}

/// An attachment, made by the plugin and, where it works in a chain, by the bridge before it.
struct Attached<'a> {
    host: &'a Host,
    plugin: &'static PartPlugin,
    case: &'a Try,
    pod: Container,
    result: Value,
}

impl<'a> Attached<'a> {
    fn new(host: &'a Host, plugin: &'static PartPlugin, case: &'a Try) -> Self {
        let pod = host.container("pod");
        let conf = case.before(host, &pod);
        let result = host.plugin(plugin.name).add(&conf, &pod, "eth0").result();
        Self { host, plugin, case, pod, result }
    }

    fn conf(&self) -> Conf {
        self.case.conf.clone().prev(&self.result)
    }

    fn check(&self) -> Outcome {
        self.host.plugin(self.plugin.name).check(&self.conf(), &self.pod, "eth0")
    }

    fn del(&self) {
        self.host.plugin(self.plugin.name).del(&self.conf(), &self.pod, "eth0").done();
        self.case.after(self.host, &self.pod);
        self.pod.remove_netns();
    }

    /// Takes an owned thing away, behind the plugin's back.
    fn take(&self, owned: &dyn Owned) {
        // A delegate is asked in the environment of a process.
        if let Some((_, delegate)) = DELEGATES.iter().find(|(name, _)| *name == owned.name()) {
            self.host.plugin(delegate).del(&self.conf(), &self.pod, "eth0").done();
            return;
        }
        let detachment = Detachment {
            id: id(&self.case.conf, &self.pod),
            netns: Some(self.pod.netns()),
            network: network(&self.conf()),
        };
        owned.remove(&PartHost::new(), &Whose::Attachment(&detachment)).unwrap();
    }
}

/// CHECK says 103 of each part that was taken away or disturbed, whether it is the attachment's or shared. DEL then
/// leaves nothing, and the next ADD puts right what is shared.
fn each_part_that_is_not_as_it_was_made_is_named(plugin: &'static PartPlugin) {
    for case in tries(plugin.name) {
        let host = case.host();
        Attached::new(&host, plugin, &case).del();
        let before = host.snapshot();
        for part in (plugin.parts)(&network(&case.conf)).unwrap() {
            let what = format!("{} of {}", part.name(), plugin.name);
            let attached = Attached::new(&host, plugin, &case);
            attached.check().done();
            match part.owned() {
                Some(owned) => attached.take(owned),
                None if !disturb(part.name(), &host, &attached.pod) => continue,
                None => {}
            }
            let error = attached.check().error();
            assert_eq!(error.code, 103, "{what}: {error:?}");
            attached.del();
            assert_eq!(held(plugin, &case.conf), [], "{what} after DEL");
            Attached::new(&host, plugin, &case).del();
            host.snapshot().assert_same_as(&before, &what);
        }
    }
}

/// What a part owns is in the plugin's other list; what GC takes away is what `held` says there is.
fn what_a_part_owns_is_held_and_goes(plugin: &'static PartPlugin) {
    for case in tries(plugin.name) {
        let host = case.host();
        Attached::new(&host, plugin, &case).del();
        let attached = Attached::new(&host, plugin, &case);
        let owner = id(&case.conf, &attached.pod);
        for part in (plugin.parts)(&network(&case.conf)).unwrap() {
            let Some(part) = part.owned() else { continue };
            let name = part.name();
            let listed = plugin.owned.iter().any(|owned| owned.includes(name));
            assert!(listed, "{name} of {} is never taken away", plugin.name);
            let held = part.held(&PartHost::new(), &network(&case.conf)).unwrap();
            assert!(held.iter().all(|held| owner.owns(&held.owner)), "{name} of {}: {held:?}", plugin.name);
        }
        let was = held(plugin, &case.conf);
        host.plugin(plugin.name).gc(&case.conf, &[(&attached.pod, "eth0")]).done();
        assert_eq!(held(plugin, &case.conf), was, "{}: GC of a valid attachment", plugin.name);
        host.plugin(plugin.name).gc(&case.conf, &[]).done();
        assert_eq!(held(plugin, &case.conf), [], "{}: GC of a stale attachment", plugin.name);
        let leaves_it = !case.conf.text().contains("\"ipam\"") && was.is_empty();
        assert!(!leaves_it || attached.check().exit == Some(0), "{}: GC takes what is not held", plugin.name);
        attached.del();
    }
}

/// An ADD that was killed anywhere, then GC: nothing is held any more.
fn a_killed_add_holds_nothing_after_gc(plugin: &'static PartPlugin) {
    let Some(case) = tries(plugin.name).pop() else { return };
    let host = case.host();
    Attached::new(&host, plugin, &case).del();
    kill_at_each(&["sendto", "openat", "rename"], |trace, when| {
        let pod = host.container("pod");
        let conf = case.before(&host, &pod);
        host.plugin(plugin.name).under(&trace.command()).add(&conf, &pod, "eth0");
        host.plugin(plugin.name).gc(&case.conf, &[]).done();
        assert_eq!(held(plugin, &case.conf), [], "{} was {when}", plugin.name);
        case.after(&host, &pod);
        pod.remove_netns();
    });
}

/// An ADD with one address, and again with another: DEL, which is told the last, leaves nothing of the first.
fn an_add_again_with_another_address_holds_nothing_after_del(plugin: &'static PartPlugin) {
    for case in tries(plugin.name).into_iter().filter(|_| plugin.is_chained) {
        let host = case.host();
        Attached::new(&host, plugin, &case).del();
        let before = host.snapshot();
        let mut attached = Attached::new(&host, plugin, &case);
        let other =
            attached.result.to_string().replace("10.22.0.", "10.22.0.1").replace("fd00:22::", "fd00:22::1");
        let other = serde_json::from_str(&other).unwrap();
        let again = host.plugin(plugin.name).add(&case.conf.clone().prev(&other), &attached.pod, "eth0");
        if again.exit == Some(0) {
            attached.result = again.result();
        }
        attached.del();
        assert_eq!(held(plugin, &case.conf), [], "{}", plugin.name);
        host.snapshot().assert_same_as(&before, plugin.name);
    }
}

/// STATUS is fine, and says 50 where what ADD needs is not there: the IPAM plugin, or the kernel's netlink.
fn status_says_what_is_missing(plugin: &'static PartPlugin) {
    for case in tries(plugin.name) {
        let host = case.host();
        host.plugin(plugin.name).status(&case.conf).done();
        let parts = (plugin.parts)(&network(&case.conf)).unwrap();
        if parts.iter().any(|part| part.name() == DELEGATES[0].0 && part.owned().is_some()) {
            let call = host.plugin(plugin.name).env("CNI_PATH", "/nowhere");
            call.status(&case.conf).error().says(50, &["host-local"]);
        }
        let refused = Trace::new(&["trace=socket", "inject=socket:error=EMFILE"]);
        let outcome = host.plugin(plugin.name).under(&refused.command()).status(&case.conf);
        if refused.lines().iter().any(|line| line.contains("INJECTED")) {
            let error = outcome.error();
            assert_eq!(error.code, 50, "{}: {error:?}", plugin.name);
        }
    }
}

/// One test per fold, for the plugins of a list.
macro_rules! folds {
    ($place:ident, $plugins:path, needs $need:tt, $($fold:ident),+) => {
        mod $place {
            $(#[test]
            fn $fold() {
                cni_tests::needs! $need;
                $plugins().for_each(crate::matrix::$fold);
            })+
        }
    };
}

folds!(
    here,
    crate::matrix::cases::here,
    needs(Iptables, Strace),
    each_part_that_is_not_as_it_was_made_is_named,
    what_a_part_owns_is_held_and_goes,
    a_killed_add_holds_nothing_after_gc,
    an_add_again_with_another_address_holds_nothing_after_del,
    status_says_what_is_missing
);

// What these have on a host is in their containers, and their own tests kill them in the VM: nothing for GC.
folds!(
    what_the_kernel_may_lack,
    crate::matrix::cases::in_the_vm,
    needs(Dummy, Ipvlan, Vlan, Vrf),
    each_part_that_is_not_as_it_was_made_is_named,
    what_a_part_owns_is_held_and_goes,
    an_add_again_with_another_address_holds_nothing_after_del,
    status_says_what_is_missing
);
