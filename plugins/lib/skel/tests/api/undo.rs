//! The journal: backwards, all of it, whatever fails.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cni_skel::Undo;
use cni_types::Error;

#[test]
fn steps_run_backwards_and_a_failing_one_stops_nothing() {
    let log = RefCell::new(Vec::new());
    let mut undo = Undo::new();
    for name in ["a", "b", "c", "d"] {
        let log = &log;
        undo.push(name, move || {
            log.borrow_mut().push(name);
            match name {
                "b" => Err(Error::config("b")),
                "c" => panic!("c"),
                _ => Ok(()),
            }
        });
    }
    drop(undo);
    assert_eq!(*log.borrow(), ["d", "c", "b", "a"]);
}

#[test]
fn a_panic_of_the_plugin_takes_everything_back_though_a_step_panics_too() {
    let log = RefCell::new(Vec::new());
    let add = || {
        let mut undo = Undo::new();
        undo.push("first", || {
            log.borrow_mut().push("first");
            Ok(())
        });
        undo.push("second", || panic!("in the journal"));
        panic!("in the plugin");
    };
    assert!(catch_unwind(AssertUnwindSafe(add)).is_err());
    assert_eq!(*log.borrow(), ["first"]);
}

#[test]
fn a_commit_takes_nothing_back() {
    let ran = RefCell::new(false);
    let mut undo = Undo::new();
    undo.push("x", || {
        *ran.borrow_mut() = true;
        Ok(())
    });
    undo.commit();
    assert!(!*ran.borrow());
}
