//! What the command line looks like.

/// What `cnitool help` prints.
pub(crate) const USAGE: &str = "\
cnitool attaches network namespaces to CNI networks, by hand.

  cnitool add    <network> <netns>   attach the namespace; prints the result
  cnitool check  <network> <netns>   compare the attachment with what add returned
  cnitool del    <network> <netns>   detach the namespace
  cnitool gc     --keep WHO [network…]   remove what dead containers have left
  cnitool restore [network…]         put back what a flushed packet filter took from living ones
  cnitool status <network>           ask whether an add could work now
  cnitool ls     [options]           every attachment of this node, and its state
  cnitool graph  [options]           the same as a picture
  cnitool check  --all               compare every attachment with what its add returned
  cnitool metrics [options]          the same as numbers, for Prometheus
  cnitool trace  [options] [FILE]    what plugins did, and where their time went
  cnitool debug  <network>           try it out, and say what is wrong: for reports
  cnitool demo   [conflist]          see it work, in namespaces of its own
  cnitool demo   --model MODEL       two nodes: overlay, routed or underlay
  cnitool version [DIR]              what is installed there, and whether runtimes are content with it
  cnitool install [options] DIR      put the plugins into the directory, also over running ones
  cnitool validate [FILE|DIR|-]...   what is wrong with network configurations, before a pod finds out
  cnitool schema                     the JSON Schema of network configurations, for editors
  cnitool completions <shell>        print what bash, zsh or fish needs to complete a command line

  -i, --ifname NAME                  interface name (default $CNI_IFNAME or eth0)
      --no-validate                  add says nothing about the configuration
      --version                      print the version and the specification's versions

  NETCONFPATH   directory of the network configurations (default /etc/cni/net.d)
  CNI_PATH      directories of the plugins, separated by ':' (default /opt/cni/bin)
  CNI_ARGS      arguments for the plugins: KEY=VALUE;KEY=VALUE
  CAP_ARGS      capability arguments for the plugins: a JSON object
  CNI_IFNAME    the interface's name in the namespace
";

/// The verbs with what they take.
pub(crate) const VERBS: [(&str, &str); 17] = [
    ("add", "[-i NAME] [--no-validate] <network> <netns>"),
    ("check", "[-i NAME] <network> <netns> | --all [--network NAME]"),
    ("del", "[-i NAME] <network> <netns>"),
    (
        "gc",
        "--keep crictl|podman|netns-dir=DIR|file=F|-|none [--dry-run] [--yes] [--grace SECONDS] [--every SECONDS] [<network>…]",
    ),
    ("restore", "[<network>…]"),
    ("status", "<network>"),
    ("ls", "[-o wide|json|name] [--network NAME] [--watch]"),
    ("graph", "[-o text|dot|mermaid|svg|json] [--network NAME]"),
    ("metrics", "[--textfile FILE | --listen [ADDRESS:]PORT]"),
    ("trace", "[-f] [--words | --otlp | --chart] [FILE]"),
    ("debug", "[--anonymous] <network> | --record FILE|off | --replay FILE"),
    ("demo", "[--model overlay|routed|underlay] [conflist]"),
    ("version", "[DIR]"),
    ("install", "[--from DIR] [--plugins a,b] [--only-missing | --force | --verify] [--stay] DIR"),
    ("validate", "[--json] [--strict] [--node] [FILE|DIR|-]..."),
    ("schema", ""),
    ("completions", "<shell>"),
];
