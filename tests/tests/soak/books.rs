//! Who holds which address, by what the plugins have answered.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::Value;

/// Addresses and their holders. An address leaves the books before it is given back, so that whoever gets it next finds
/// it free.
#[derive(Default)]
pub(crate) struct Books(Mutex<HashMap<String, String>>);

impl Books {
    /// A pod got the addresses of a result.
    ///
    /// # Panics
    /// When one has a holder.
    pub(crate) fn take(&self, network: &str, result: &Value, pod: &str) {
        let mut held = self.0.lock().unwrap();
        for ip in result["ips"].as_array().expect("addresses") {
            let address = format!("{network} {}", ip["address"].as_str().unwrap());
            let former = held.insert(address.clone(), pod.to_owned());
            assert!(former.is_none(), "{address} was given to {pod} while {former:?} holds it");
        }
    }

    /// A pod is about to give its addresses back.
    pub(crate) fn give(&self, pod: &str) {
        self.0.lock().unwrap().retain(|_, holder| holder != pod);
    }

    /// How many are held.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}
