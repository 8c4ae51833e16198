#!/usr/bin/python3
"""What packaging/test/runtimes needs of crictl, which Debian does not have, over containerd's own CRI: `pods -o json`,
`runp NAME [HOSTPORT]`, `stopp ID`, `rmp ID`. Called crictl there, since cnitool runs that. The environment's CRI is the socket."""
import json
import os
import sys

import grpc


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    at = 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        else:
            length = number()
            yield key >> 3, data[at:at + length]
            at += length


channel = grpc.insecure_channel("unix://" + os.environ["CRI"])


def call(name, request):
    return channel.unary_unary("/runtime.v1.RuntimeService/" + name)(request, timeout=120)


verb, args = sys.argv[1], sys.argv[2:]
if verb == "pods":
    items = []
    for _, pod in fields(call("ListPodSandbox", b"")):
        values = dict(fields(pod))
        items.append({"id": values[1].decode(), "state": "SANDBOX_NOTREADY" if values.get(3) else "SANDBOX_READY"})
    print(json.dumps({"items": items}))
elif verb == "runp":
    metadata = field(1, args[0]) + field(2, "uid-" + args[0]) + field(3, "default")
    ports = field(5, field(2, 80) + field(3, int(args[1]))) if args[1:] else b""
    config = field(1, metadata) + field(2, args[0]) + field(3, "/tmp") + ports + field(8, b"")
    print(dict(fields(call("RunPodSandbox", field(1, config))))[1].decode())
elif verb == "stopp":
    call("StopPodSandbox", field(1, args[0]))
elif verb == "rmp":
    call("RemovePodSandbox", field(1, args[0]))
else:
    sys.exit("there is no " + verb)
