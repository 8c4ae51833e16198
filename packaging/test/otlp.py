"""packaging/test/otlp.py LINES OTLP: whether OTLP, a request of OTLP/HTTP in JSON, is one by the protocol's own messages, with
nothing unknown in it, and says what LINES, a trace's lines, say.

JSON of protocol buffers has bytes in base64; the OTLP specification has ids in hexadecimal digits instead. They are the one
thing that is rewritten before the strict reader sees them."""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def in_base64(value):
    if isinstance(value, list):
        return [in_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: id_in_base64(key, item) if key in IDS else in_base64(item) for key, item in value.items()}


def id_in_base64(key, digits):
    assert digits == digits.lower() and len(digits) == 2 * IDS[key], f"{key} {digits}"
    assert any(bytes.fromhex(digits)), f"{key} is zero"
    return base64.b64encode(bytes.fromhex(digits)).decode()


lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
document = json.load(open(sys.argv[2], encoding="utf-8"))
request = ExportTraceServiceRequest()
json_format.ParseDict(in_base64(document), request, ignore_unknown_fields=False)

spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
assert len(spans) == sum(1 + len(line["phases"]) for line in lines), len(spans)
by_id = {span.span_id: span for span in spans}
assert len(by_id) == len(spans), "two spans have one id"
for span in spans:
    assert span.name and span.kind == Span.SPAN_KIND_INTERNAL
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span
    outer = by_id.get(span.parent_span_id)
    assert outer is None or outer.trace_id == span.trace_id, span
for line in lines:
    span = by_id[bytes.fromhex(line["span_id"])]
    assert span.name == f'{line["plugin"]} {line["verb"]}'
    assert span.end_time_unix_nano - span.start_time_unix_nano == line["took_ns"]
    assert (span.status.code == Status.STATUS_CODE_ERROR) == (line["outcome"] == "error")
for resource in request.resource_spans:
    names = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert names["service.name"] and names["service.namespace"] == "cni", names
print(f"{len(spans)} spans of {len(lines)} runs are OTLP")
