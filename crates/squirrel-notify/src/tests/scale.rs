//! Ten thousand alerts at once, and more than there is room for.

use std::collections::BTreeSet;

use super::World;
use crate::{MAX_ALERTS, MAX_HISTORY};

fn storm(world: &mut World, alerts: usize) {
    for number in 0..alerts {
        world.act(&format!("fire a/host=h{number}"));
    }
}

#[test]
fn ten_thousand_alerts_are_one_message_and_one_end() {
    let mut world = World::new("");
    storm(&mut world, 10_000);
    world.step();
    world.restart(&world.notifier.save());
    for seen in world.alerts.values_mut() {
        seen.over = Some(world.start + world.time);
    }
    world.play("10m");
    let told: Vec<_> = world.told.iter().map(|one| (one.reason, one.alerts.len(), one.more)).collect();
    assert_eq!(told, [(crate::Reason::New, 50, 9_950), (crate::Reason::Resolved, 50, 9_950)]);
    assert!(world.told.iter().all(|one| one.common_labels.get("alertname").is_some_and(|name| name == "a")));
}

#[test]
fn ten_thousand_groups_are_each_told_once() {
    let mut world = World::new("[grouping]\nby = [\"...\"]");
    storm(&mut world, 10_000);
    world.play("1m");
    let groups: BTreeSet<_> = world.told.iter().map(|one| one.group_key.clone()).collect();
    let ids: BTreeSet<_> = world.told.iter().map(|one| one.id).collect();
    assert_eq!((world.told.len(), groups.len(), ids.len()), (10_000, 10_000, 10_000));
    assert_eq!(world.notifier.history().count(), MAX_HISTORY);
}

#[test]
fn alerts_beyond_the_limit_are_counted_and_said_and_there_is_room_again_later() {
    let mut world = World::new("");
    storm(&mut world, MAX_ALERTS + 10);
    world.step();
    let counts = world.notifier.counts();
    assert_eq!((counts.alerts, counts.refused), (MAX_ALERTS, 10));
    let lost = world.notifier.history().filter(|entry| entry.event == crate::Event::Lost).count();
    assert!(lost <= 1);
    world.alerts.clear();
    world.play("15m \n 15m fire b \n 16m");
    assert!(world.outcome.last().is_some_and(|last| last.ends_with("new b+")), "{:?}", world.outcome.last());
}
