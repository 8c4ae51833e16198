//! Waiting for moments of [`clock::now`](crate::clock::now). The event loop's own timers stand still while the machine
//! is suspended, and leases do not. One timer of the kernel's for all leases, set to the earliest moment.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use cni_types::{Doing, Result};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::spawn_local;

use crate::clock;

/// Who waits until when; the number tells two of the same moment apart.
type Waiting = BTreeMap<(Duration, u64), Waker>;

/// The timer, and who waits for it.
pub(super) struct Alarm {
    timer: AsyncFd<Timer>,
    waiting: RefCell<Waiting>,
    count: Cell<u64>,
}

/// The kernel's.
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// One that waits no longer when it is dropped.
struct Waiter<'a> {
    alarm: &'a Alarm,
    key: (Duration, u64),
}

impl Alarm {
    /// Makes the timer, and a task that wakes whoever it is time for.
    ///
    /// # Errors
    /// Code 5 when the kernel gives none.
    pub(super) fn start() -> Result<Rc<Self>> {
        let make = || {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = Timer(TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?);
            // SAFETY: a Timer's descriptor is open, and the same, until it is dropped.
            unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }
                .map_err(|e| e.into_parts().1)
        };
        let timer = make().doing("cannot make a timer")?;
        let alarm = Rc::new(Self { timer, waiting: RefCell::default(), count: Cell::new(0) });
        spawn_local(ring(Rc::clone(&alarm)));
        Ok(alarm)
    }

    /// Waits until that moment.
    pub(super) async fn until(&self, moment: Duration) {
        self.count.set(self.count.get().wrapping_add(1));
        let entry = Waiter { alarm: self, key: (moment, self.count.get()) };
        poll_fn(|cx| {
            if clock::now() >= moment {
                return Poll::Ready(());
            }
            let is_first = {
                let mut waiting = self.waiting.borrow_mut();
                waiting.insert(entry.key, cx.waker().clone());
                waiting.keys().next() == Some(&entry.key)
            };
            if is_first {
                self.set(moment);
            }
            Poll::Pending
        })
        .await;
    }

    fn set(&self, moment: Duration) {
        // Zero would be no time at all; it is long past.
        let moment = TimeSpec::from(moment.max(Duration::from_nanos(1)));
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
        // The kernel refuses only what is no time.
        let _ = self.timer.get_ref().0.set(Expiration::OneShot(moment), flags);
    }

    /// Wakes those it is time for, and sets the timer for the next.
    fn wake(&self) {
        let later = self.waiting.borrow_mut().split_off(&(clock::now(), u64::MAX));
        self.waiting.replace(later).into_values().for_each(Waker::wake);
        let next = self.waiting.borrow().keys().next().map(|(moment, _)| *moment);
        if let Some(moment) = next {
            self.set(moment);
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.alarm.waiting.borrow_mut().remove(&self.key);
    }
}

/// Goes on until the event loop ends.
async fn ring(alarm: Rc<Alarm>) -> io::Result<()> {
    loop {
        // The read clears the timer; what it says, how often it rang, is always once.
        let read = alarm.timer.readable().await?.try_io(|timer| Ok(timer.get_ref().0.wait()?));
        if read.is_ok() {
            alarm.wake();
        }
    }
}
