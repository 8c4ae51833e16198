//! Whole lives in virtual time.

use super::*;
use crate::message::options::of;

const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 7);
const START: Duration = Duration::from_secs(5000);

struct World {
    machine: Machine,
    now: Duration,
}

impl World {
    fn new() -> Self {
        let machine = Machine::acquire(MAC, 0, Timing::default(), START, Random::seeded(7));
        Self { machine, now: START }
    }

    fn bound(lease: u8) -> Self {
        let mut world = Self::new();
        world.tick();
        world.hear(Kind::Offer, SERVER, ADDRESS, lease).unwrap();
        world.hear(Kind::Ack, SERVER, ADDRESS, lease).unwrap();
        world
    }

    /// Time passes until the machine has to do something.
    fn tick(&mut self) -> Vec<Act> {
        self.now = self.now.max(self.machine.deadline());
        self.machine.timer(self.now)
    }

    /// The same, until it sends.
    fn sends(&mut self) -> Send {
        for _ in 0..10 {
            match self.tick()[..] {
                [Act::Send(message)] => return message,
                [] => {}
                ref other => panic!("{other:?}"),
            }
        }
        panic!("it does not send any more");
    }

    fn hear(
        &mut self,
        kind: Kind,
        from: Ipv4Addr,
        address: Ipv4Addr,
        lease: u8,
    ) -> Result<Vec<Act>, Ignored> {
        let options = of(&[(1, &[255, 255, 255, 0]), (51, &[0, 0, 0, lease])]);
        let (xid, mac) = (self.machine.xid, MAC);
        self.machine
            .reply(self.now, &Reply { kind, xid, mac, address, server: Some(from), options, from: None })
    }

    fn since_start(&self) -> f64 {
        (self.now - START).as_secs_f64()
    }
}

#[test]
fn a_lease_is_asked_for_offered_requested_and_acknowledged() {
    let mut world = World::new();
    assert!(world.machine.listens());
    assert!(matches!(world.tick()[..], [Act::Send(Send { kind: Kind::Discover, to: None, .. })]));
    let acts = world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
    let [Act::Draft(draft), Act::Send(request)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!((draft.address, draft.server), (ADDRESS, SERVER));
    assert_eq!((request.requested, request.server, request.ciaddr), (Some(ADDRESS), Some(SERVER), None));
    let acts = world.hear(Kind::Ack, SERVER, ADDRESS, 80).unwrap();
    let [Act::Bound(binding)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(binding.times.expire, START + Duration::from_secs(80));
    assert!(!world.machine.listens());
}

#[test]
fn without_a_server_pauses_double_up_to_the_limit_and_then_it_is_over() {
    let mut world = World::new();
    let mut times = Vec::new();
    let heard = loop {
        match &world.tick()[..] {
            [Act::Send(message)] => {
                assert_eq!(
                    (message.kind, u64::from(message.secs)),
                    (Kind::Discover, (world.now - START).as_secs())
                );
                times.push(world.since_start());
            }
            [Act::Ended(End::NoMoreTries(heard))] => break heard.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(heard, "");
    assert!((world.since_start() - 208.0).abs() < 0.01, "-resendtimeout");
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (pause, wanted) in pauses.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 62.0, 62.0]) {
        assert!((pause - wanted).abs() <= 1.0_f64.min(wanted / 2.0) + 0.001, "{pauses:?}");
    }
    assert!((9..=12).contains(&times.len()), "{times:?}");
}

#[test]
fn an_offer_that_is_not_acknowledged_is_given_up() {
    let mut world = World::new();
    world.tick();
    let first = world.machine.xid;
    world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
    let mut requests = 1;
    while world.sends().kind == Kind::Request {
        requests += 1;
    }
    assert!(requests >= 3, "{requests}");
    assert!((10.0..10.1).contains(&world.since_start()), "-timeout after the offer: {}", world.since_start());
    assert_ne!(world.machine.xid, first);
}

#[test]
fn refusals_are_not_answered_at_once_for_ever() {
    let mut world = World::new();
    let (mut discovers, mut refusals) = (0, 0);
    let end = loop {
        match &world.tick()[..] {
            [Act::Send(Send { kind: Kind::Discover, .. })] => discovers += 1,
            [Act::Ended(end)] => break end.clone(),
            other => panic!("{other:?}"),
        }
        if world.hear(Kind::Offer, SERVER, ADDRESS, 80).is_ok() {
            assert_eq!(world.hear(Kind::Nak, SERVER, ADDRESS, 80), Ok(Vec::new()));
            refusals += 1;
        }
    };
    assert!(discovers < 40 && (5..15).contains(&refusals), "{discovers} {refusals}");
    assert_eq!(end, End::NoMoreTries("server 10.0.0.1 refuses 10.0.0.7".to_owned()));
}

#[test]
fn a_server_that_offers_and_does_not_acknowledge_keeps_nobody_from_another_one() {
    let mut world = World::new();
    world.tick();
    world.hear(Kind::Offer, OTHER, ADDRESS, 80).unwrap();
    while world.sends().kind == Kind::Request {}
    assert_eq!(world.hear(Kind::Offer, OTHER, ADDRESS, 80), Err(Ignored::Server), "not the same again");
    world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
    assert!(matches!(world.hear(Kind::Ack, SERVER, ADDRESS, 80).unwrap()[..], [Act::Bound(_)]));
}

#[test]
fn what_could_not_be_taken_is_not_asked_for() {
    let mut world = World::new();
    world.tick();
    let (xid, mac) = (world.machine.xid, MAC);
    for options in [of(&[]), of(&[(1, &[255, 0, 255, 0])]), of(&[(1, &[255, 255, 255, 0]), (51, &[0; 4])])] {
        let offer = Reply {
            kind: Kind::Offer,
            xid,
            mac,
            address: ADDRESS,
            server: Some(SERVER),
            options,
            from: None,
        };
        assert!(world.machine.reply(world.now, &offer).is_err());
    }
    world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
}

#[test]
fn what_does_not_belong_to_the_exchange_changes_nothing() {
    let mut world = World::new();
    world.tick();
    assert_eq!(world.hear(Kind::Ack, SERVER, ADDRESS, 80), Err(Ignored::Unexpected), "nothing was asked for");
    assert_eq!(world.hear(Kind::Offer, SERVER, Ipv4Addr::UNSPECIFIED, 80), Err(Ignored::Address));
    world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
    assert_eq!(world.hear(Kind::Offer, OTHER, ADDRESS, 80), Err(Ignored::Server), "a second server's offer");
    assert_eq!(world.hear(Kind::Nak, OTHER, ADDRESS, 80), Err(Ignored::Server));
    assert_eq!(world.hear(Kind::Ack, SERVER, OTHER, 80), Err(Ignored::OtherAddress));
    assert_eq!(world.hear(Kind::Ack, SERVER, ADDRESS, 0), Err(Ignored::LeaseTime));
    let options = of(&[]);
    let xid = world.machine.xid.wrapping_add(1);
    let stray = Reply { kind: Kind::Ack, xid, mac: MAC, address: ADDRESS, server: None, options, from: None };
    assert_eq!(world.machine.reply(world.now, &stray), Err(Ignored::NotOurs));
    world.hear(Kind::Ack, SERVER, ADDRESS, 80).unwrap();
    assert_eq!(world.hear(Kind::Ack, SERVER, ADDRESS, 80), Err(Ignored::Unexpected));
}

#[test]
fn half_way_the_server_is_asked_and_the_lease_goes_on() {
    let mut world = World::bound(80);
    let message = world.sends();
    assert!((37.0..=40.0).contains(&world.since_start()), "{}", world.since_start());
    assert_eq!(
        (message.kind, message.ciaddr, message.to),
        (Kind::Request, Some(ADDRESS), Some((SERVER, None)))
    );
    assert_eq!((message.requested, message.server), (None, None), "RFC 2131, table 5");
    let renewed_at = world.now;
    assert_eq!(world.hear(Kind::Ack, OTHER, ADDRESS, 80), Err(Ignored::Server));
    assert_eq!(world.hear(Kind::Ack, SERVER, OTHER, 80), Err(Ignored::OtherAddress));
    let acts = world.hear(Kind::Ack, SERVER, ADDRESS, 160).unwrap();
    let [Act::Bound(binding)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(binding.times.expire, renewed_at + Duration::from_secs(160));
}

#[test]
fn a_silent_server_is_asked_again_then_everybody_and_then_the_lease_expires() {
    let mut world = World::bound(80);
    let mut unicasts = Vec::new();
    let mut broadcasts = Vec::new();
    loop {
        match &world.tick()[..] {
            [Act::Send(message)] if message.to.is_some() => unicasts.push(world.since_start()),
            [Act::Send(_)] => broadcasts.push(world.since_start()),
            [] => {}
            [Act::Ended(End::Expired)] => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((79.99..80.01).contains(&world.since_start()));
    assert!(unicasts.len() >= 2 && unicasts.iter().all(|at| (37.0..70.0).contains(at)), "{unicasts:?}");
    assert!(broadcasts.len() >= 2 && broadcasts.iter().all(|at| (70.0..80.0).contains(at)), "{broadcasts:?}");
    assert!(unicasts.len() + broadcasts.len() < 16);
}

#[test]
fn any_server_may_rebind() {
    let mut world = World::bound(80);
    while world.sends().to.is_some() {}
    let acts = world.hear(Kind::Ack, OTHER, ADDRESS, 80).unwrap();
    let [Act::Bound(binding)] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!(binding.server, OTHER);
}

#[test]
fn between_two_attempts_nothing_listens() {
    let mut world = World::bound(250);
    world.sends();
    assert!(world.machine.listens());
    let asked = world.now;
    assert_eq!(world.tick(), []);
    assert_eq!(world.now - asked, Duration::from_secs(10));
    assert!(!world.machine.listens());
    assert_eq!(world.hear(Kind::Ack, SERVER, ADDRESS, 80), Err(Ignored::Unexpected));
}

#[test]
fn after_a_refusal_to_renew_the_same_address_is_asked_for_again() {
    let mut world = World::bound(80);
    world.sends();
    assert_eq!(world.hear(Kind::Nak, SERVER, ADDRESS, 0), Ok(Vec::new()));
    let message = world.sends();
    assert_eq!((message.kind, message.requested), (Kind::Discover, Some(ADDRESS)));
    assert_eq!(world.hear(Kind::Offer, SERVER, OTHER, 80), Err(Ignored::OtherAddress));
    world.hear(Kind::Offer, SERVER, ADDRESS, 80).unwrap();
    assert!(matches!(world.hear(Kind::Ack, SERVER, ADDRESS, 80).unwrap()[..], [Act::Bound(_)]));
}

#[test]
fn a_refused_lease_that_is_not_had_again_ends_with_its_time() {
    let mut world = World::bound(80);
    world.sends();
    world.hear(Kind::Nak, SERVER, ADDRESS, 0).unwrap();
    let end = loop {
        match &world.tick()[..] {
            [Act::Send(_)] => {}
            [Act::Ended(end)] => break end.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end, End::Refused("server 10.0.0.1 refuses to renew 10.0.0.7".to_owned()));
    assert!((79.99..80.01).contains(&world.since_start()), "{}", world.since_start());
}

#[test]
fn a_lease_from_before_goes_on_when_it_is_due_or_soon() {
    let binding = World::bound(80).machine.held.unwrap();
    for (later, first) in [(10, 40..41), (60, 60..65), (79, 79..80)] {
        let now = START + Duration::from_secs(later);
        let machine = Machine::resume(MAC, 0, Timing::default(), now, Random::seeded(1), binding.clone());
        let mut world = World { machine, now };
        assert_eq!(world.sends().ciaddr, Some(ADDRESS));
        assert!(first.contains(&(world.now - START).as_secs()), "{later}: {}", world.since_start());
    }
    let now = START + Duration::from_secs(81);
    let machine = Machine::resume(MAC, 0, Timing::default(), now, Random::seeded(1), binding);
    assert_eq!(World { machine, now }.tick(), [Act::Ended(End::Expired)]);
}

#[test]
fn two_second_leases_live_too() {
    let mut world = World::bound(2);
    for _ in 0..1000 {
        world.sends();
        world.hear(Kind::Ack, SERVER, ADDRESS, 2).unwrap();
    }
    assert!((930.0..=1000.0).contains(&world.since_start()), "{}", world.since_start());
}
