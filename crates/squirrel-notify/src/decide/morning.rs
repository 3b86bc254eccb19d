//! What quiet hours held back, told when they end.

use std::collections::BTreeMap;

use squirrel_model::Timestamp;

use crate::group::{Draft, Line, News};
use crate::message::Envelope;
use crate::notifier::Notifier;
use crate::{Notification, Reason, Texts};

/// The key of messages that tell what quiet hours held back.
const HELD_KEY: &str = "quiet hours";

/// What quiet hours held back of one group, for one channel.
struct Held {
    key: String,
    news: News,
    repeat: Vec<u64>,
}

impl Notifier {
    /// In the morning: what was held back for a channel is one message, if it is of more than one group. (That of
    /// a single group is told as ever, and so stays in its thread.)
    pub(super) fn tell_held(&mut self, at: Timestamp, now_ms: i64, out: &mut Vec<Notification>) {
        let mut held: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        let none = Line::default();
        for (key, group) in &self.groups {
            for channel in self.channels_of(group) {
                let line = group.lines.get(&channel).unwrap_or(&none);
                let routed = self.is_routed(group, &channel);
                let news = News { flapping: Vec::new(), ..group.news(line, routed, &self.records) };
                let route = group.route.and_then(|place| self.plan.routes.get(place)).filter(|_| routed);
                let repeats =
                    route.zip(line.sent_ms).is_some_and(|(route, sent)| now_ms.saturating_sub(sent) >= route.repeat_ms);
                let repeat = if repeats { self.unattended(group, line) } else { Vec::new() };
                if !news.is_empty() || !repeat.is_empty() {
                    held.entry(channel).or_default().push(Held { key: key.clone(), news, repeat });
                }
            }
        }
        for (channel, parts) in held {
            if parts.len() == 1 {
                // Its waiting is over as well.
                for part in parts {
                    let Some(group) = self.groups.get_mut(&part.key) else { continue };
                    let route = group.route.and_then(|place| self.plan.routes.get(place));
                    let waited_ms = route.map_or(0, |route| route.wait_ms);
                    let line = group.lines.entry(channel.clone()).or_default();
                    line.news_ms = Some(now_ms.saturating_sub(waited_ms));
                }
                continue;
            }
            let draft = |part: &Held| {
                let alerts = part.news.fresh.iter().chain(&part.news.over).chain(&part.repeat).copied();
                Draft { reason: Reason::Held, fresh: part.news.fresh.clone(), alerts: alerts.collect() }
            };
            let mut whole = Draft { reason: Reason::Held, fresh: Vec::new(), alerts: Vec::new() };
            for part in parts.iter().map(draft) {
                whole.fresh.extend(part.fresh);
                whole.alerts.extend(part.alerts);
            }
            for list in [&mut whole.fresh, &mut whole.alerts] {
                list.sort_unstable();
                list.dedup();
            }
            let sequence = self.messages;
            let envelope =
                Envelope { channel: &channel, group_key: HELD_KEY, group_labels: Texts::new(), sequence, at };
            out.push(self.message(envelope, &whole));
            for part in &parts {
                let Some(mut group) = self.groups.remove(&part.key) else { continue };
                let mut line = group.lines.remove(&channel).unwrap_or_default();
                self.note(now_ms, &mut line, &draft(part));
                group.lines.insert(channel.clone(), line);
                self.groups.insert(part.key.clone(), group);
            }
        }
    }
}
