#!/usr/bin/env python3
"""Tests the chart with Helm's own engine and Kubernetes' schemas, strictly; needs helm-python-sdk, kubernetes-validate
and PyYAML from PyPI. With --write it writes the plain manifest, which has to equal the chart with its own values."""
import pathlib
import sys
import tempfile

import helm_python as helm
from kubernetes_validate import utils as kubernetes
import yaml

here = pathlib.Path(__file__).resolve().parent.parent
CHART, MANIFEST = here / "chart", here / "manifest.yaml"
HEAD = ("# The plugins on every node, with the chart's own values (packaging/chart). For another directory than /opt/cni/bin,\n"
        "# change hostPath; set the image to where yours is.\n")
DIRS = {"kubeadm": "/opt/cni/bin", "k0s": "/opt/cni/bin", "rke2": "/opt/cni/bin", "bottlerocket": "/opt/cni/bin",
        "talos": "/opt/cni/bin", "flatcar": "/opt/cni/bin", "kind": "/opt/cni/bin", "minikube": "/opt/cni/bin",
        "k3s": "/var/lib/rancher/k3s/data/cni", "microk8s": "/var/snap/microk8s/current/opt/cni/bin",
        "gke": "/home/kubernetes/bin", "openshift": "/var/lib/cni/bin"}
passed = failed = 0


def case(name, good, why=""):
    global passed, failed
    passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
    if not good:
        print(f"FAILED: {name}: {why}")


def render(values=None, name="cni-plugins", namespace="kube-system"):
    """The rendered objects, without those that came out empty; and their text."""
    with helm.Chart.load(str(CHART)) as chart:
        texts = [text for path, text in sorted(chart.render(values, name=name, namespace=namespace).items())
                 if path.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one], "".join(texts)


def pods(objects):
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in objects}


def lint():
    report = helm.lint(str(CHART), strict=True, namespace="kube-system")
    bad = [m for m in report["messages"] if m["severity"] > 1] + report["errors"]
    case("lint", not bad, bad)


def kinds():
    """Every value that changes a template, held against every schema that a cluster of this age has."""
    full = {"distribution": "k3s", "plugins": ["bridge", "host-local"], "force": True, "dhcp": {"enabled": True}, "gc": {"enabled": True},
            "image": {"repository": "registry.example/cni", "digest": "sha256:" + "0" * 64, "pullSecrets": [{"name": "s"}]},
            "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}, "affinity": {"nodeAffinity": {}}}
    for values in (None, full, {"onlyMissing": True}, {"resources": {}, "tolerations": [], "nodeSelector": {}}):
        for version in kubernetes.all_versions()[-8:]:
            for one in render(values)[0]:
                try:
                    kubernetes.validate(one, version, strict=True)
                    case("schema", True)
                except Exception as e:  # the library has a type for each way to be wrong
                    case(f"schema {version} {values}", False, e)


def places():
    for distribution, directory in DIRS.items():
        [spec] = pods(render({"distribution": distribution})[0]).values()
        case(distribution, spec["volumes"][0]["hostPath"]["path"] == directory, spec["volumes"])
    [spec] = pods(render({"distribution": "k3s", "binDir": "/srv/cni"})[0]).values()
    case("binDir wins", spec["volumes"][0]["hostPath"]["path"] == "/srv/cni", spec["volumes"])


def confinement():
    for name, spec in pods(render({"dhcp": {"enabled": True}, "gc": {"enabled": True}})[0]).items():
        [container] = spec["containers"]
        context = container["securityContext"]
        case(f"{name}: read-only root, no capabilities but dhcp's and gc's",
             context["readOnlyRootFilesystem"] and context["capabilities"]["drop"] == ["ALL"]
             and not context["allowPrivilegeEscalation"] and ("add" in context["capabilities"]) == name.endswith(("dhcp", "gc")),
             context)
        case(f"{name}: no token", spec["automountServiceAccountToken"] is False)
    [gc] = [spec for name, spec in pods(render({"gc": {"enabled": True}})[0]).items() if name.endswith("gc")]
    case("gc keeps whoever has a namespace", gc["containers"][0]["args"] ==
         ["gc", "--keep", "netns-dir=/run/netns", "--yes", "--every", "900"], gc["containers"][0]["args"])
    [spec] = pods(render()[0]).values()
    case("one hostPath", len(spec["volumes"]) == 1, spec["volumes"])


def selectors():
    for one in render({"dhcp": {"enabled": True}, "gc": {"enabled": True}}, name="other")[0]:
        wanted, has = one["spec"]["selector"]["matchLabels"], one["spec"]["template"]["metadata"]["labels"]
        case("selector", wanted.items() <= has.items(), (wanted, has))
    names = [one["metadata"]["name"] for one in render({"dhcp": {"enabled": True}}, name="other")[0]]
    case("names", sorted(names) == ["other-cni-plugins", "other-cni-plugins-dhcp"], names)


def refused():
    for values in ({"distribution": "k4s"}, {"binDir": "opt/cni/bin"}, {"binDir": "/opt//bin"}, {"plugins": ["brigde"]},
                   {"onlyMissing": True, "force": True}, {"image": {"digest": "sha256:1"}}, {"isGatway": True},
                   {"force": "yes"}, {"dhcp": {"enable": True}}, {"gc": {"everySeconds": 0}}, {"image": {"pullPolicy": "Sometimes"}}):
        try:
            render(values)
            case(f"refused: {values}", False, "it was taken")
        except helm.HelmError:
            case("refused", True)


def manifest(write):
    objects, text = render()
    if write:
        MANIFEST.write_text(HEAD + text.strip() + "\n")
    case("manifest equals chart", list(yaml.safe_load_all(MANIFEST.read_text())) == objects,
         "packaging/test/chart.py --write")


def package():
    with tempfile.TemporaryDirectory() as directory:
        archive = helm.package(str(CHART), destination=directory)
        version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
        case("package", archive.endswith(f"cni-plugins-{version}.tgz"), archive)
        with open(archive, "rb") as data, helm.Chart.load_archive(data.read()) as chart:
            case("package loads", chart.name == "cni-plugins")


lint(); kinds(); places(); confinement(); selectors(); refused(); manifest("--write" in sys.argv); package()
print(f"chart: {passed} passed, {failed} failed")
sys.exit(failed > 0)
