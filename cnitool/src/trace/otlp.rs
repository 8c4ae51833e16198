//! Runs as OTLP in JSON (`opentelemetry/proto/trace/v1/trace.proto`, in the mapping of the OTLP specification: ids in
//! hexadecimal digits, 64-bit numbers as strings).

use serde_json::{Value, json};

use super::run::Run;

/// `SPAN_KIND_INTERNAL`
const INTERNAL: u32 = 1;
/// `STATUS_CODE_OK`, `STATUS_CODE_ERROR`
const OK: u32 = 1;
const ERROR: u32 = 2;

/// The body of a request to `/v1/traces`: a resource for each plugin.
pub(super) fn document(runs: &[Run]) -> String {
    let mut plugins: Vec<&str> = runs.iter().map(|run| run.plugin.as_str()).collect();
    plugins.sort_unstable();
    plugins.dedup();
    let resources = plugins.into_iter().map(|plugin| {
        let runs: Vec<_> = runs.iter().filter(|run| run.plugin == plugin).collect();
        let version = runs.first().map(|run| run.version.clone()).unwrap_or_default();
        json!({
            "resource": { "attributes": [
                attribute("service.namespace", "cni"),
                attribute("service.name", plugin),
                attribute("service.version", &version),
            ]},
            "scopeSpans": [{
                "scope": { "name": "cni", "version": version },
                "spans": runs.iter().flat_map(|run| spans(run)).collect::<Vec<_>>(),
            }],
        })
    });
    json!({ "resourceSpans": resources.collect::<Vec<_>>() }).to_string()
}

/// The run's span, and one for each phase.
fn spans(run: &Run) -> Vec<Value> {
    let began = run.began();
    let attributes = [
        ("cni.command", &run.verb),
        ("cni.network", &run.network),
        ("cni.container_id", &run.container_id),
        ("cni.ifname", &run.ifname),
        ("cni.netns", &run.netns),
    ];
    let mut attributes: Vec<_> = attributes
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(key, text)| attribute(key, text))
        .collect();
    let mut status = json!({ "code": OK });
    if run.failed() {
        attributes.push(json!({ "key": "cni.code", "value": { "intValue": run.code.to_string() } }));
        status = json!({ "code": ERROR, "message": run.msg });
    }
    let mut whole = json!({
        "traceId": run.trace_id,
        "spanId": run.span_id,
        "name": format!("{} {}", run.plugin, run.verb),
        "kind": INTERNAL,
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": (began + run.took_ns).to_string(),
        "attributes": attributes,
        "status": status,
    });
    if !run.parent_span_id.is_empty() {
        whole["parentSpanId"] = run.parent_span_id.clone().into();
    }
    let phases = run.phases.iter().enumerate().map(|(number, phase)| {
        let outer = run.around(number).map_or(&run.span_id, |outer| &run.phases[outer].span_id);
        json!({
            "traceId": run.trace_id,
            "spanId": phase.span_id,
            "parentSpanId": outer,
            "name": phase.name,
            "kind": INTERNAL,
            "startTimeUnixNano": (began + phase.at_ns).to_string(),
            "endTimeUnixNano": (began + phase.at_ns + phase.took_ns).to_string(),
        })
    });
    std::iter::once(whole).chain(phases).collect()
}

fn attribute(key: &str, text: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": text } })
}
