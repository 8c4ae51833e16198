//! Real configurations with one mistake each: what is said, and where. `§` stands before the place.

use std::fs;
use std::path::Path;

use super::{Finding, validate};

/// Whether the schema refuses the mistake, too.
const SHAPE: bool = true;
const BEYOND: bool = false;

/// The base, a part of its text, what stands instead, the kind of mistake, what the message suggests, and whether it is
/// one of shape.
type Mutation = (&'static str, &'static str, &'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const TABLE: &[Mutation] = &[
    // Misspelt.
    ("bridge.conflist", "\"isGateway\"", "§\"isGatway\"", "unknown-key", "isGateway", SHAPE),
    ("bridge.conflist", "\"isGateway\"", "§\"is_gateway\"", "unknown-key", "isGateway", SHAPE),
    ("bridge.conflist", "\"isGateway\"", "§\"isgateway\"", "key-case", "isGateway", SHAPE),
    ("bridge.conflist", "\"isDefaultGateway\"", "§\"isDefaultGatway\"", "unknown-key", "isDefaultGateway", SHAPE),
    ("bridge.conflist", "\"isDefaultGateway\"", "§\"defaultGateway\"", "unknown-key", "isDefaultGateway", SHAPE),
    ("bridge.conflist", "\"ipMasq\"", "§\"ipMask\"", "unknown-key", "ipMasq", SHAPE),
    ("bridge.conflist", "\"ipMasq\"", "§\"ip-masq\"", "unknown-key", "ipMasq", SHAPE),
    ("bridge.conflist", "\"ipMasq\"", "§\"ipMasquerade\"", "unknown-key", "ipMasq", SHAPE),
    ("bridge.conflist", "\"hairpinMode\"", "§\"hairpin\"", "unknown-key", "hairpinMode", SHAPE),
    ("bridge.conflist", "\"hairpinMode\"", "§\"hairPinMode\"", "key-case", "hairpinMode", SHAPE),
    ("bridge.conflist", "\"hairpinMode\"", "§\"hairpin_mode\"", "unknown-key", "hairpinMode", SHAPE),
    ("bridge.conflist", "\"forceAddress\"", "§\"forceAdress\"", "unknown-key", "forceAddress", SHAPE),
    ("bridge.conflist", "\"mtu\"", "§\"mut\"", "unknown-key", "mtu", SHAPE),
    ("bridge.conflist", "\"bridge\": \"cni0\"", "§\"brige\": \"cni0\"", "unknown-key", "bridge", SHAPE),
    ("bridge.conflist", "\"rangeStart\"", "§\"rangStart\"", "unknown-key", "rangeStart", SHAPE),
    ("bridge.conflist", "\"rangeEnd\"", "§\"range_end\"", "unknown-key", "rangeEnd", SHAPE),
    ("bridge.conflist", "\"gateway\": \"10", "§\"gatway\": \"10", "unknown-key", "gateway", SHAPE),
    ("bridge.conflist", "\"subnet\": \"10", "§\"subet\": \"10", "unknown-key", "subnet", SHAPE),
    ("bridge.conflist", "\"ranges\"", "§\"range\"", "unknown-key", "ranges", SHAPE),
    ("bridge.conflist", "\"routes\"", "§\"route\"", "unknown-key", "routes", SHAPE),
    ("bridge.conflist", "\"dst\": \"0", "§\"dest\": \"0", "unknown-key", "dst", SHAPE),
    ("bridge.conflist", "\"dataDir\"", "§\"datadir\"", "key-case", "dataDir", SHAPE),
    ("bridge.conflist", "\"dataDir\"", "§\"dataDirectory\"", "unknown-key", "dataDir", SHAPE),
    ("bridge.conflist", "\"nameservers\"", "§\"nameserver\"", "unknown-key", "nameservers", SHAPE),
    ("bridge.conflist", "\"search\"", "§\"serach\"", "unknown-key", "search", SHAPE),
    ("bridge.conflist", "\"capabilities\": { \"portMappings\"", "§\"capabilites\": { \"portMappings\"", "unknown-key", "capabilities", SHAPE),
    ("bridge.conflist", "\"portMappings\"", "§\"portMapping\"", "unknown-capability", "portMappings", BEYOND),
    ("bridge.conflist", "\"portMappings\"", "§\"portmappings\"", "unknown-capability", "portMappings", BEYOND),
    ("bridge.conflist", "\"bandwidth\": true", "§\"bandwith\": true", "unknown-capability", "bandwidth", BEYOND),
    ("bridge.conflist", "\"mac\": true", "§\"macs\": true", "unknown-capability", "mac", BEYOND),
    ("bridge.conflist", "\"snat\"", "§\"sNAT\"", "key-case", "snat", SHAPE),
    ("bridge.conflist", "\"snat\"", "§\"snatt\"", "unknown-key", "snat", SHAPE),
    ("bridge.conflist", "\"ingressRate\"", "§\"ingresRate\"", "unknown-key", "ingressRate", SHAPE),
    ("bridge.conflist", "\"ingressPolicy\"", "§\"ingresPolicy\"", "unknown-key", "ingressPolicy", SHAPE),
    ("bridge.conflist", "\"backend\"", "§\"backends\"", "unknown-key", "backend", SHAPE),
    ("bridge.conflist", "\"sysctl\"", "§\"sysctls\"", "unknown-key", "sysctl", SHAPE),
    ("bridge.conflist", "\"type\": \"bridge\"", "\"type\": §\"brigde\"", "unknown-plugin", "bridge", BEYOND),
    ("bridge.conflist", "\"type\": \"portmap\"", "\"type\": §\"portmapper\"", "unknown-plugin", "portmap", BEYOND),
    ("bridge.conflist", "\"type\": \"bandwidth\"", "\"type\": §\"bandwith\"", "unknown-plugin", "bandwidth", BEYOND),
    ("bridge.conflist", "\"type\": \"host-local\"", "\"type\": §\"hostlocal\"", "unknown-plugin", "host-local", BEYOND),
    ("bridge.conflist", "\"type\": \"host-local\"", "\"type\": §\"host_local\"", "unknown-plugin", "host-local", BEYOND),
    ("bridge.conflist", "\"cniVersion\"", "§\"cniversion\"", "unknown-key", "cniVersion", SHAPE),
    ("bridge.conflist", "\"disableCheck\"", "§\"disableChek\"", "unknown-key", "disableCheck", BEYOND),
    ("vlans.conflist", "\"disableGC\"", "§\"disableGc\"", "unknown-key", "disableGC", BEYOND),
    ("bridge.conflist", "\"plugins\"", "§\"plugin\"", "unknown-key", "plugins", SHAPE),
    ("bridge.conflist", "\"name\"", "§\"nmae\"", "unknown-key", "name", SHAPE),
    ("vlans.conflist", "\"vlanTrunk\"", "§\"vlanTrunks\"", "unknown-key", "vlanTrunk", SHAPE),
    ("vlans.conflist", "\"macspoofchk\"", "§\"macspoofcheck\"", "unknown-key", "macspoofchk", SHAPE),
    ("vlans.conflist", "\"minID\"", "§\"minId\"", "key-case", "minID", SHAPE),
    ("vlans.conflist", "\"preserveDefaultVlan\"", "§\"preserveDefaultVLAN\"", "key-case", "preserveDefaultVlan", SHAPE),
    ("macvlan.conflist", "\"master\"", "§\"masters\"", "unknown-key", "master", SHAPE),
    ("macvlan.conflist", "\"addresses\"", "§\"adresses\"", "unknown-key", "addresses", SHAPE),
    ("macvlan.conflist", "\"address\": \"192", "§\"adress\": \"192", "unknown-key", "address", SHAPE),
    ("macvlan.conflist", "\"ips\"", "§\"ip\"", "unknown-capability", "ips", BEYOND),
    ("vlan.conf", "\"vlanId\"", "§\"vlanID\"", "key-case", "vlanId", BEYOND),
    ("vlan.conf", "\"vlanId\"", "§\"vlan\"", "unknown-key", "vlanId", BEYOND),
    ("vlan.conf", "\"linkInContainer\"", "§\"linkInContaner\"", "unknown-key", "linkInContainer", BEYOND),
    ("dhcp.conflist", "\"daemonSocketPath\"", "§\"daemonSocket\"", "unknown-key", "daemonSocketPath", SHAPE),
    ("dhcp.conflist", "\"vrfname\"", "§\"vrfName\"", "key-case", "vrfname", SHAPE),
    ("flannel.conflist", "\"delegate\"", "§\"delegates\"", "unknown-key", "delegate", SHAPE),
    ("flannel.conflist", "\"isDefaultGateway\"", "§\"isDefaultGatway\"", "unknown-key", "isDefaultGateway", SHAPE),
    ("flannel.conflist", "\"markMasqBit\"", "§\"markMaskBit\"", "unknown-key", "markMasqBit", SHAPE),
    ("device.conflist", "\"pciBusID\"", "§\"pciBusId\"", "key-case", "pciBusID", SHAPE),
    ("device.conflist", "\"txQLen\"", "§\"txQueueLen\"", "unknown-key", "txQLen", SHAPE),
    ("tap.conflist", "\"multiQueue\"", "§\"multi_queue\"", "unknown-key", "multiQueue", SHAPE),
    // Of the wrong type.
    ("bridge.conflist", "\"isGateway\": true", "\"isGateway\": §\"true\"", "wrong-type", "write true, without quotes", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true", "\"ipMasq\": §1", "wrong-type", "true or false", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §\"1450\"", "wrong-type", "write 1450, without quotes", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §1450.5", "wrong-type", "whole number", SHAPE),
    ("bridge.conflist", "\"bridge\": \"cni0\"", "\"bridge\": §[\"cni0\"]", "wrong-type", "leave out the brackets", SHAPE),
    ("bridge.conflist", "[{ \"subnet\": \"fd00:10:244:1::/64\" }]", "§{ \"subnet\": \"fd00:10:244:1::/64\" }", "wrong-type", "two brackets", SHAPE),
    ("bridge.conflist", "\"routes\": [{ \"dst\": \"0.0.0.0/0\" }, { \"dst\": \"::/0\" }]", "\"routes\": §{ \"dst\": \"0.0.0.0/0\" }", "wrong-type", "write [ … ] around it", SHAPE),
    ("bridge.conflist", "{ \"dst\": \"0.0.0.0/0\" }", "§\"0.0.0.0/0\"", "wrong-type", "an object", SHAPE),
    ("bridge.conflist", "[\"10.96.0.10\"]", "§\"10.96.0.10\"", "wrong-type", "write [ … ] around it", SHAPE),
    ("bridge.conflist", "{ \"nameservers\": [\"10.96.0.10\"], \"search\": [\"cluster.local\"] }", "§[\"10.96.0.10\"]", "wrong-type", "an object", SHAPE),
    ("bridge.conflist", "{ \"portMappings\": true }", "§[\"portMappings\"]", "wrong-type", "an object", SHAPE),
    ("bridge.conflist", "\"portMappings\": true", "\"portMappings\": §\"true\"", "wrong-type", "write true, without quotes", SHAPE),
    ("bridge.conflist", "10000000", "§\"10M\"", "wrong-type", "a whole number", SHAPE),
    ("bridge.conflist", "\"512\"", "§512", "wrong-type", "write \"512\"", SHAPE),
    ("bridge.conflist", "\"disableCheck\": false", "\"disableCheck\": §\"no\"", "wrong-type", "true or false", SHAPE),
    ("bridge.conflist", "\"cniVersion\": \"1.0.0\"", "\"cniVersion\": §1.0", "wrong-type", "a text", SHAPE),
    ("bridge.conflist", "\"name\": \"k8s-pod-network\"", "\"name\": §7", "wrong-type", "a text", SHAPE),
    ("vlans.conflist", "\"vlan\": 100", "\"vlan\": §\"100\"", "wrong-type", "write 100, without quotes", SHAPE),
    ("vlans.conflist", "[{ \"id\": 200 }, { \"minID\": 300, \"maxID\": 310 }]", "[§200]", "wrong-type", "an object", SHAPE),
    ("macvlan.conflist", "{ \"address\": \"2001:db8::10/64\" }", "§\"2001:db8::10/64\"", "wrong-type", "an object", SHAPE),
    ("dhcp.conflist", "\"table\": 100", "\"table\": §\"blue\"", "wrong-type", "a whole number", SHAPE),
    ("flannel.conflist", "\"mtu\": 1450", "\"mtu\": §\"1450\"", "wrong-type", "write 1450, without quotes", SHAPE),
    ("tap.conflist", "\"owner\": 107", "\"owner\": §\"qemu\"", "wrong-type", "a whole number", SHAPE),
    ("device.conflist", "\"allmulti\": true", "\"allmulti\": §\"on\"", "wrong-type", "true or false", SHAPE),
    ("device.conflist", "\"pciBusID\": \"0000:3b:00.1\"", "\"pciBusID\": §3", "wrong-type", "write \"3\"", SHAPE),
    // Out of range, or no such word or text.
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §67", "out-of-range", "68–65535", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §65536", "out-of-range", "68–65535", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §-1", "out-of-range", "68–65535", SHAPE),
    ("bridge.conflist", "1000000,", "§7,", "out-of-range", "8–34359738359", SHAPE),
    ("vlans.conflist", "\"vlan\": 100", "\"vlan\": §4095", "out-of-range", "0–4094", SHAPE),
    ("vlans.conflist", "\"id\": 200", "\"id\": §0", "out-of-range", "1–4094", SHAPE),
    ("vlan.conf", "\"vlanId\": 5", "\"vlanId\": §5000", "out-of-range", "0–4094", BEYOND),
    ("dhcp.conflist", "\"priority\": 100", "\"priority\": §-1", "out-of-range", "0–4294967295", SHAPE),
    ("flannel.conflist", "\"markMasqBit\": 14", "\"markMasqBit\": §32", "out-of-range", "0–31", SHAPE),
    ("device.conflist", "\"txQLen\": 2000", "\"txQLen\": §-5", "out-of-range", "0–4294967295", SHAPE),
    ("tap.conflist", "\"owner\": 107", "\"owner\": §-2", "out-of-range", "0–4294967295", SHAPE),
    ("bridge.conflist", "\"same-bridge\"", "§\"same-brigde\"", "unknown-word", "same-bridge", SHAPE),
    ("bridge.conflist", "\"backend\": \"iptables\"", "\"backend\": §\"nftable\"", "unknown-word", "nftables", SHAPE),
    ("macvlan.conflist", "\"mode\": \"bridge\"", "\"mode\": §\"brige\"", "unknown-word", "bridge", SHAPE),
    ("macvlan.conflist", "\"mode\": \"bridge\"", "\"mode\": §\"l2\"", "unknown-word", "\"passthru\"", SHAPE),
    ("dhcp.conflist", "\"mode\": \"l2\"", "\"mode\": §\"L2\"", "unknown-word", "l2", SHAPE),
    ("dhcp.conflist", "\"mode\": \"l2\"", "\"mode\": §\"bridge\"", "unknown-word", "\"l3s\"", SHAPE),
    ("bridge.conflist", "\"bridge\": \"cni0\"", "\"bridge\": §\"cni-bridge-of-k8s\"", "bad-value", "15 bytes", SHAPE),
    ("bridge.conflist", "\"bridge\": \"cni0\"", "\"bridge\": §\"cni 0\"", "bad-value", "invalid character", SHAPE),
    ("bridge.conflist", "\"10.244.1.0/24\"", "§\"10.244.1.0\"", "bad-value", "such as 10.244.1.0/24", SHAPE),
    ("bridge.conflist", "\"10.244.1.0/24\"", "§\"10.244.1.0/33\"", "bad-value", "0–32", SHAPE),
    ("bridge.conflist", "\"10.244.1.10\"", "§\"10.244.1.010\"", "bad-value", "invalid IP address", SHAPE),
    ("bridge.conflist", "\"gateway\": \"10.244.1.1\"", "\"gateway\": §\"10.244.1.1/24\"", "bad-value", "without the prefix length, 10.244.1.1", SHAPE),
    ("bridge.conflist", "\"dst\": \"0.0.0.0/0\"", "\"dst\": §\"default\"", "bad-value", "0.0.0.0/0", SHAPE),
    ("bridge.conflist", "\"net.core.somaxconn\"", "§\"kernel.msgmax\"", "bad-value", "net.", BEYOND),
    ("bridge.conflist", "\"10.96.0.10\"", "§\"dns.local\"", "bad-value", "an IP address", BEYOND),
    ("bridge.conflist", "\"10.96.0.10\"", "§\"10.96.0.10:53\"", "bad-value", "an IP address", BEYOND),
    ("bridge.conflist", "\"k8s-pod-network\"", "§\"k8s/pods\"", "bad-value", "letters", SHAPE),
    ("vlans.conflist", "\"02:11:22:33:44:55\"", "§\"02:11:22:33:44\"", "bad-value", "six two-digit", SHAPE),
    ("vlans.conflist", "\"02:11:22:33:44:55\"", "§\"03:11:22:33:44:55\"", "bad-value", "one interface", SHAPE),
    ("macvlan.conflist", "\"192.168.1.10/24\"", "§\"192.168.1.10\"", "bad-value", "192.168.1.10/24", SHAPE),
    ("dhcp.conflist", "\"/run/cni/dhcp.sock\"", "§\"run/cni/dhcp.sock\"", "bad-value", "absolute path", SHAPE),
    ("dhcp.conflist", "\"option\": \"host-name\"", "\"option\": §\"hostname\"", "bad-value", "host-name", BEYOND),
    ("device.conflist", "\"0000:3b:00.1\"", "§\"3b:00.1\"", "bad-value", "0000:3b:00.1", SHAPE),
    ("bridge.conflist", "\"cniVersion\": \"1.0.0\"", "\"cniVersion\": §\"1.2.0\"", "unknown-version", "1.1.0", SHAPE),
    ("bridge.conflist", "\"cniVersion\": \"1.0.0\"", "\"cniVersion\": §\"v1.0.0\"", "unknown-version", "1.0.0", SHAPE),
    // In the wrong place.
    ("bridge.conflist", "\"ipMasq\": true,", "§\"subnet\": \"10.0.0.0/24\",", "wrong-place", "plugins[0].ipam", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"routes\": [],", "wrong-place", "plugins[0].ipam", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"mac\": \"02:11:22:33:44:55\",", "wrong-place", "args.cni", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"ingressRate\": 1000,", "wrong-place", "bandwidth", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"sysctl\": {},", "wrong-place", "tuning", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"disableCheck\": true,", "wrong-place", "the list itself", SHAPE),
    ("bridge.conflist", "\"dataDir\": \"/run/cni-ipam-state\"", "§\"isGateway\": true", "wrong-place", "plugins[0]", SHAPE),
    ("bridge.conflist", "\"dataDir\": \"/run/cni-ipam-state\"", "§\"dns\": {}", "wrong-place", "plugins[0]", SHAPE),
    ("bridge.conflist", "\"snat\": true", "§\"portMappings\": []", "wrong-place", "runtimeConfig", SHAPE),
    ("bridge.conflist", "\"disableCheck\": false,", "§\"ipam\": {},", "wrong-place", "in plugins", BEYOND),
    ("bridge.conflist", "\"disableCheck\": false,", "§\"mtu\": 1500,", "wrong-place", "in plugins", BEYOND),
    ("bridge.conflist", "\"snat\": true", "§\"runtimeConfig\": { \"portMappings\": [] }", "runtime-config", "capabilities", BEYOND),
    ("vlans.conflist", "\"args\": { \"cni\": { \"mac\": \"02:11:22:33:44:55\" } }", "\"args\": { §\"mac\": \"02:11:22:33:44:55\" }", "wrong-place", "args.cni", BEYOND),
    ("flannel.conflist", "\"hairpinMode\": true", "§\"ipam\": {}", "wrong-place", "beside delegate", SHAPE),
    ("flannel.conflist", "\"hairpinMode\": true", "§\"name\": \"x\"", "wrong-place", "leave it out", SHAPE),
    ("device.conflist", "\"type\": \"host-device\"", "\"type\": §\"static\"", "wrong-place", "ipam.type", SHAPE),
    ("ptp.conflist", "\"type\": \"host-local\"", "\"type\": §\"bridge\"", "wrong-place", "host-local", SHAPE),
    // Missing, or in the wrong combination.
    ("bridge.conflist", "\"cniVersion\": \"1.0.0\",", "", "missing-key", "cniVersion", SHAPE),
    ("bridge.conflist", "\"name\": \"k8s-pod-network\",", "", "missing-key", "name", SHAPE),
    ("bridge.conflist", "\"type\": \"portmap\",", "", "missing-key", "type", SHAPE),
    ("bridge.conflist", "{ \"subnet\": \"fd00:10:244:1::/64\" }", "§{ \"gateway\": \"fd00::1\" }", "missing-key", "subnet", SHAPE),
    ("bridge.conflist", "{ \"dst\": \"::/0\" }", "§{ \"gw\": \"fd00:10:244:1::1\" }", "missing-key", "dst", SHAPE),
    ("bridge.conflist", "\"ingressRate\": 10000000,\n      \"ingressBurst\"", "§\"ingressBurst\"", "needs-key", "ingressRate", SHAPE),
    ("bridge.conflist", "\"ingressRate\": 10000000,\n      \"ingressBurst\"", "\"ingressRate\": 0,\n      §\"ingressBurst\"", "needs-key", "ingressRate", SHAPE),
    ("bridge.conflist", "\"hairpinMode\": true", "§\"hairpinMode\": true, \"promiscMode\": true", "excludes-key", "leave one out", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "§\"disableContainerInterface\": true", "excludes-key", "ipam", SHAPE),
    ("bridge.conflist", "\"type\": \"portmap\",\n      \"capabilities\": { \"portMappings\": true }", "\"type\": §\"portmap\"", "missing-capability", "portMappings", BEYOND),
    ("bridge.conflist", "\"portMappings\": true }", "\"portMappings\": false }", "missing-capability", "portMappings", BEYOND),
    ("bridge.conflist", "\"type\": \"bandwidth\",\n      \"ingressRate\": 10000000,\n      \"ingressBurst\": 1000000,\n      \"capabilities\": { \"bandwidth\": true }", "\"type\": §\"bandwidth\"", "missing-capability", "bandwidth", BEYOND),
    ("bridge.conflist", "\"forceAddress\": false,", "\"capabilities\": { §\"portMappings\": true },", "unused-capability", "portmap does", BEYOND),
    ("bridge.conflist", "\"gateway\": \"10.244.1.1\"", "\"gateway\": §\"10.244.2.1\"", "gateway-outside-subnet", "10.244.1.0/24", BEYOND),
    ("bridge.conflist", "\"gateway\": \"10.244.1.1\"", "\"gateway\": §\"10.244.1.0\"", "bad-value", "no host's address", BEYOND),
    ("bridge.conflist", "\"10.244.1.10\"", "§\"10.244.2.10\"", "bad-range", "10.244.1.0–10.244.1.255", BEYOND),
    ("bridge.conflist", "\"10.244.1.10\"", "§\"10.244.1.210\"", "bad-range", "swap", BEYOND),
    ("bridge.conflist", "\"10.244.1.0/24\"", "§\"10.244.1.1/24\"", "bad-range", "10.244.1.0/24", BEYOND),
    ("bridge.conflist", "\"10.244.1.0/24\"", "§\"10.244.1.0/31\"", "bad-range", "0–30", BEYOND),
    ("bridge.conflist", "\"fd00:10:244:1::/64\"", "§\"10.244.0.0/16\"", "overlap", "10.244.1.0/24", BEYOND),
    ("bridge.conflist", "\"fd00:10:244:1::/64\" }", "\"fd00:10:244:1::/64\" }, { \"subnet\": §\"10.9.0.0/16\" }", "bad-range", "a set of its own", BEYOND),
    ("bridge.conflist", "{ \"dst\": \"::/0\" }", "{ \"dst\": \"::/0\", \"gw\": §\"10.244.1.1\" }", "bad-route", "families", BEYOND),
    ("bridge.conflist", "{ \"dst\": \"0.0.0.0/0\" }", "{ \"dst\": \"0.0.0.0/0\", \"gw\": §\"10.245.1.1\" }", "gateway-outside-subnet", "10.244.1.0/24", BEYOND),
    ("bridge.conflist", "\"type\": \"host-local\",", "", "missing-key", "\"type\": \"host-local\"", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "\"ipMasq\": true, §\"ipMasq\": false,", "duplicate-key", "line 12", BEYOND),
    ("device.conflist", "\"type\": \"tuning\", \"mtu\": 9000, \"txQLen\": 2000, \"allmulti\": true", "\"type\": §\"tap\"", "chain-order", "host-device has made already", BEYOND),
    ("bridge.conflist", "\"type\": \"firewall\",\n      \"backend\": \"iptables\",\n      \"ingressPolicy\": \"same-bridge\"", "\"type\": §\"portmap\", \"capabilities\": { \"portMappings\": true }", "twice", "portmap", BEYOND),
    ("vlans.conflist", "\"maxID\": 310", "\"maxID\": §299", "bad-range", "swap", BEYOND),
    ("vlans.conflist", "{ \"minID\": 300, \"maxID\": 310 }", "{ §\"minID\": 300 }", "needs-key", "maxID", SHAPE),
    ("vlans.conflist", "{ \"id\": 200 }", "§{}", "missing-key", "minID and maxID", BEYOND),
    ("vlans.conflist", "\"vlan\": 100,\n      \"vlanTrunk\": [{ \"id\": 200 }, { \"minID\": 300, \"maxID\": 310 }],\n      \"preserveDefaultVlan\": true", "\"preserveDefaultVlan\": §true", "needs-key", "vlan", BEYOND),
    ("vlans.conflist", "\"vlan\": 100", "§\"isGateway\": true", "needs-ipam", "ipam", BEYOND),
    ("vlans.conflist", "\"vlan\": 100", "§\"ipMasq\": true", "needs-ipam", "ipam", BEYOND),
    ("vlans.conflist", "\"cniVersion\": \"1.1.0\",\n  \"name\": \"trunk-net\",\n  \"disableGC\": true", "\"cniVersion\": \"1.0.0\",\n  \"name\": \"trunk-net\",\n  \"disableGC\": §true", "old-version", "1.1.0", BEYOND),
    ("macvlan.conflist", "\"cniVersion\": \"0.3.1\"", "\"cniVersion\": §\"0.2.0\"", "old-version", "0.3.0", BEYOND),
    ("macvlan.conflist", "\"gateway\": \"192.168.1.1\"", "\"gateway\": §\"192.168.2.1\"", "gateway-outside-subnet", "192.168.1.0/24", BEYOND),
    ("macvlan.conflist", "\"192.168.1.10/24\"", "§\"192.168.1.0/24\"", "bad-value", "no host's address", BEYOND),
    ("macvlan.conflist", "{ \"type\": \"sbr\" }", "{ \"type\": §\"bandwidth\", \"ingressRate\": 10000 }", "chain-order", "bridge and ptp", BEYOND),
    ("macvlan.conflist", "{ \"type\": \"sbr\" }", "{ \"type\": \"firewall\", \"ingressPolicy\": §\"isolated\" }", "chain-order", "bridges", BEYOND),
    ("macvlan.conflist", "{ \"address\": \"2001:db8::10/64\" }", "§{ \"gateway\": \"2001:db8::1\" }", "missing-key", "address", SHAPE),
    ("vlan.conf", "\"master\": \"eth0\",", "", "missing-key", "master", BEYOND),
    ("vlan.conf", "\"vlanId\": 5,", "", "missing-key", "vlanId", BEYOND),
    ("vlan.conf", "\"subnet\": \"10.1.1.0/24\",\n    \"rangeStart\"", "§\"rangeStart\"", "needs-key", "subnet", BEYOND),
    ("vlan.conf", "\"rangeStart\": \"10.1.1.20\"", "\"rangeStart\": §\"10.1.2.20\"", "bad-range", "10.1.1.0–10.1.1.255", BEYOND),
    ("dhcp.conflist", "\"vrfname\": \"blue\", ", "", "missing-key", "vrfname", SHAPE),
    ("dhcp.conflist", "\"type\": \"ipvlan\",\n      \"master\": \"eth1\",", "\"type\": \"ipvlan\", \"capabilities\": { §\"mac\": true },", "unused-capability", "macvlan", BEYOND),
    ("device.conflist", "\"pciBusID\": \"0000:3b:00.1\",", "", "missing-key", "deviceID", BEYOND),
    ("device.conflist", ", \"addresses\": [{ \"address\": \"10.9.0.5/24\" }]", "", "missing-capability", "addresses", BEYOND),
    ("flannel.conflist", "\"backend\": \"iptables\",\n      \"markMasqBit\": 14", "\"backend\": \"nftables\",\n      \"externalSetMarkChain\": §\"KUBE-MARK-MASQ\"", "excludes-key", "iptables", BEYOND),
    ("flannel.conflist", "\"markMasqBit\": 14", "\"markMasqBit\": 14, §\"externalSetMarkChain\": \"KUBE-MARK-MASQ\"", "excludes-key", "markMasqBit", SHAPE),
    ("flannel.conflist", "\"markMasqBit\": 14", "\"conditionsV4\": §[\"ip\", \"daddr\", \"10.0.0.1\"]", "excludes-key", "nftables", BEYOND),
    ("ptp.conflist", "\"ipam\": {\n        \"type\": \"host-local\",\n        \"dataDir\": \"/run/cni-ipam-state\",\n        \"routes\": [{ \"dst\": \"0.0.0.0/0\" }],\n        \"ranges\": [[{ \"subnet\": \"10.244.0.0/24\" }]]\n      }", "\"ipam\": {}", "missing-key", "ipam", SHAPE),
    ("ptp.conflist", ",\n        \"ranges\": [[{ \"subnet\": \"10.244.0.0/24\" }]]", "", "missing-key", "ipRanges", BEYOND),
    ("ptp.conflist", "\"ipMasq\": false", "\"ipMasqBackend\": §\"nftables\"", "needs-key", "ipMasq", BEYOND),
    ("macvlan.conflist", "\"plugins\": [", "\"plugins\": [ { \"type\": §\"sbr\" },", "chain-order", "bridge", BEYOND),
    ("tap.conflist", "\"plugins\": [", "\"plugins\": [{ \"type\": §\"bandwidth\", \"egressRate\": 80000 },", "chain-order", "bridge", BEYOND),
    // What a keyboard, an editor or another language does to it.
    ("bridge.conflist", "\"ipMasq\": true", "\"ipMasq\": §1", "wrong-type", "write true", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true", "\"ipMasq\": §0", "wrong-type", "write false", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §\"1450\"", "wrong-type", "write 1450, without quotes", SHAPE),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §1450.5", "wrong-type", "whole number", SHAPE),
    ("bridge.conflist", "\"isGateway\"", "§\"isGatew\u{430}y\"", "unknown-key", "U+0430 in it is no ASCII); did you mean isGateway?", SHAPE),
    ("bridge.conflist", "\"ipMasq\"", "§\"ipMasq\u{200b}\"", "unknown-key", "U+200B in it is no ASCII); did you mean ipMasq?", SHAPE),
    ("bridge.conflist", "\"ipMasq\"", "§\"ipMasq \"", "unknown-key", "ipMasq", SHAPE),
    ("bridge.conflist", "\"type\": \"bridge\"", "\"type\": §\"bridg\u{435}\"", "unknown-plugin", "U+0435", BEYOND),
    ("bridge.conflist", "\"type\": \"bridge\"", "\"type\": §\"Bridge\"", "unknown-plugin", "bridge", BEYOND),
    ("bridge.conflist", "\"type\": \"portmap\"", "\"type\": §\"portmap \"", "unknown-plugin", "portmap", BEYOND),
    ("bridge.conflist", "\"type\": \"host-local\"", "\"type\": §\"host-l\u{43e}cal\"", "unknown-plugin", "U+043E", BEYOND),
    ("bridge.conflist", "\"gateway\": \"10.244.1.1\"", "\"gateway\": §\"10.244.1\u{ff0e}1\"", "bad-value", "invalid IP address", SHAPE),
    ("bridge.conflist", "\"type\": \"bridge\",", "\"comment\": \"日本語 𝄞 é\", \"type\": \"bridge\", §\"isGatway\": true,", "unknown-key", "isGateway", SHAPE),
    ("bridge.conflist", "\"type\": \"bridge\",\n", "\"type\": \"bridge\",\r\n\t\t§\"isGatway\": true,\r\n", "unknown-key", "isGateway", SHAPE),
    // Nothing, or something else, where an object, a list or a value is meant.
    ("bridge.conflist", "\"plugins\": [", "\"plugins\": [ §[ { \"type\": \"loopback\" } ],", "wrong-type", "must be an object", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"plugins\": [{ \"type\": \"portmap\" }],", "wrong-place", "the list itself", SHAPE),
    ("bridge.conflist", "{\n      \"type\": \"bridge\"", "§{\n      \"type\": null", "missing-key", "type", SHAPE),
    ("bridge.conflist", "{ \"subnet\": \"10.244.1.0/24\"", "§{ \"subnet\": null", "missing-key", "subnet", SHAPE),
    ("ptp.conflist", "[[{ \"subnet\": \"10.244.0.0/24\" }]]", "[§[]]", "bad-range", "no range in the set", BEYOND),
    ("bridge.conflist", "\"type\": \"host-local\",", "\"type\": \"host-local\", \"subnet\": §\"\",", "bad-value", "must be a network", BEYOND),
    ("bridge.conflist", "\"portMappings\": true", "\"portMappings\": §\"true\"", "wrong-type", "write true, without quotes", SHAPE),
    ("bridge.conflist", "{ \"portMappings\": true }", "§[\"portMappings\"]", "wrong-type", "must be an object", SHAPE),
    ("bridge.conflist", "\"ipMasq\": true,", "\"args\": §\"IP=10.0.0.1\",", "wrong-type", "must be an object", SHAPE),
    ("bridge.conflist", "\"nameservers\": [\"10.96.0.10\"]", "\"nameservers\": §\"10.96.0.10\"", "wrong-type", "write [ … ] around it", SHAPE),
    ("bridge.conflist", "\"nameservers\": [\"10.96.0.10\"]", "§\"servers\": [\"10.96.0.10\"]", "unknown-key", "nothing reads it", SHAPE),
    ("bridge.conflist", "\"10.96.0.10\"", "§\"10.96.0.10:53\"", "bad-value", "not an IP address", BEYOND),
    // What a runtime writes, and what it overrules.
    ("bridge.conflist", "\"ipMasq\": true,", "§\"prevResult\": {},", "runtime-config", "the plugins before", BEYOND),
    ("bridge.conflist", "\"ipMasq\": true,", "§\"cni.dev/valid-attachments\": [],", "runtime-config", "GC", BEYOND),
    ("bridge.conflist", "\"ipMasq\": true,", "\"cniVersion\": §\"0.4.0\",", "overruled", "1.0.0", BEYOND),
    ("bridge.conflist", "\"ipMasq\": true,", "\"args\": { \"cni\": { §\"ip\": \"10.244.1.5\" } },", "unknown-key", "ips", BEYOND),
    // Addresses that do not fit together.
    ("bridge.conflist", "\"gateway\": \"10.244.1.1\"", "\"gateway\": §\"fd00:10:244:1::1\"", "gateway-outside-subnet", "10.244.1.0/24", BEYOND),
    ("bridge.conflist", "\"mtu\": 1450", "\"mtu\": §1200", "out-of-range", "IPv6 needs 1280", BEYOND),
    ("bridge.conflist", "\"10.244.1.10\"", "§\"10.244.1.0\"", "bad-value", "the network itself", BEYOND),
    ("bridge.conflist", "\"10.244.1.200\"", "§\"10.244.1.255\"", "bad-value", "broadcast", BEYOND),
    ("ptp.conflist", "\"10.244.0.0/24\"", "\"10.244.0.0/24\", \"rangeEnd\": §\"10.244.0.1\"", "bad-range", "the gateway", BEYOND),
    ("ptp.conflist", "\"10.244.0.0/24\"", "§\"224.0.0.0/24\"", "bad-range", "groups", BEYOND),
    ("ptp.conflist", "\"10.244.0.0/24\"", "§\"127.1.0.0/24\"", "bad-range", "those of lo", BEYOND),
    ("ptp.conflist", "\"10.244.0.0/24\"", "§\"fe80::/64\"", "bad-value", "not routed", BEYOND),
    ("macvlan.conflist", "\"192.168.1.10/24\", \"gateway\": \"192.168.1.1\"", "§\"239.1.1.1/24\"", "bad-range", "groups", BEYOND),
    ("bridge.conflist", "{ \"dst\": \"0.0.0.0/0\" }", "{ \"dst\": §\"10.1.2.3/8\" }", "bad-route", "10.0.0.0/8", BEYOND),
    ("bridge.conflist", "{ \"dst\": \"0.0.0.0/0\" }", "{ \"dst\": \"0.0.0.0/0\", \"gw\": §\"10.244.1.2\" }", "excludes-key", "isDefaultGateway", BEYOND),
];

/// Where a `§` is missing, the place is that of this text.
fn place(base: &str, code: &str, mutated: &str) -> usize {
    let at = |text: &str| mutated.find(text).unwrap();
    match (base, code) {
        (_, "missing-capability") if base == "bridge.conflist" => at("\"portmap\""),
        ("device.conflist", "missing-capability") => at("\"static\""),
        ("device.conflist", _) => at("\"host-device\""),
        ("vlan.conf", _) => at("\"vlan\""),
        ("dhcp.conflist", _) => at("\"vrf\""),
        ("ptp.conflist", _) if mutated.contains("host-local") => at("\"host-local\""),
        ("ptp.conflist", _) => at("\"ptp\""),
        _ if !mutated.contains("\"portmap\"") => {
            mutated.find("\"portMappings\"").map_or(0, |at| mutated[..at].rfind("\n    {").unwrap() + 5)
        }
        _ if !mutated.contains("host-local") => at("\"ipam\": {") + 8,
        _ => 0,
    }
}

#[test]
fn each_mistake_is_found_in_its_place_with_what_was_meant() {
    let bases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/validate/bases");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
    let _ = fs::remove_dir_all(&dir);
    let mut files = Vec::new();
    let mut expected = Vec::new();
    for (number, (base, old, new, .., is_shape)) in TABLE.iter().enumerate() {
        let text = fs::read_to_string(bases.join(base)).unwrap();
        assert!(text.contains(old), "{base} has no {old}");
        let mutated = text.replacen(old, new, 1);
        let at = mutated.find('§').unwrap_or_else(|| place(base, TABLE[number].3, &mutated));
        let before = &mutated[..at];
        let line = before.matches('\n').count() + 1;
        expected.push((line, before.rsplit('\n').next().unwrap().chars().count() + 1));
        // The script that asks another validator finds here what its answers have to be.
        let dir = dir.join(if *is_shape { "shape" } else { "beyond" });
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join(format!("{number:03}-{base}"));
        fs::write(&file, mutated.replace('§', "")).unwrap();
        files.push(file);
    }
    assert!(TABLE.len() >= 160, "{}", TABLE.len());
    let (_, findings) = validate(&["--json"], &files);
    let mut wrong = Vec::new();
    for (number, (mutation, place)) in TABLE.iter().zip(expected).enumerate() {
        let (base, old, new, code, meant, _) = mutation;
        let here: Vec<&Finding> =
            findings.iter().filter(|f| f.file == files[number].to_str().unwrap()).collect();
        let serious = here.iter().filter(|finding| finding.severity != "note");
        let is_told = serious
            .clone()
            .any(|f| f.code == *code && (f.line, f.column) == place && f.message.contains(meant));
        // What follows from the mistake is no second one.
        if !is_told || serious.count() > 2 {
            let said: Vec<_> = here
                .iter()
                .map(|f| format!("  {}:{} {} {}\n", f.line, f.column, f.code, f.message))
                .collect();
            wrong.push(format!(
                "{number} {base}: {old} -> {new}\n  wanted {place:?} {code} … {meant}\n{}",
                said.concat()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), TABLE.len(), wrong.join("\n"));
}
