//! What is said of a route's keys is what is read and written.

use cni_types::{Cidr, Form, Formed, Route};

#[test]
fn the_declared_keys_are_those_of_serde() {
    let dst: Cidr = "10.0.0.0/8".parse().unwrap();
    let gw = Some("10.0.0.1".parse().unwrap());
    let full = Route { dst, gw, mtu: 1, advmss: 1, priority: 1, table: Some(1), scope: Some(1) };
    let written = serde_json::to_value(full).unwrap();
    let Form::Object(keys) = Route::FORM else { unreachable!("a route is an object") };
    let mut declared: Vec<_> = keys.iter().map(|key| key.name).collect();
    declared.sort_unstable();
    let mut names: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(declared, names);
}
