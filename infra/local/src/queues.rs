//! SQS as far as the system uses it: send over the wire; receive, delete and redrive for the poller.

use crate::{Call, Reply, kept::Kept};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub received: u32,
    /// Not to be delivered before this second.
    pub visible_at: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    counter: u64,
    queues: BTreeMap<String, Vec<Message>>,
}

/// What the template says of a queue.
#[derive(Debug, Clone)]
pub struct Rules {
    pub visibility: i64,
    pub dead_letters: Option<(String, u32)>,
}

#[derive(Debug, Clone)]
pub struct Queues {
    state: Kept<State>,
    rules: BTreeMap<String, Rules>,
}

impl Queues {
    pub fn new(state: Kept<State>, rules: BTreeMap<String, Rules>) -> Self {
        state.change(|s| {
            for name in rules.keys() {
                s.queues.entry(name.clone()).or_default();
            }
        });
        Self { state, rules }
    }

    /// The SQS JSON protocol. The queue is the last part of its address.
    pub fn answer(&self, call: &Call) -> Reply {
        let operation = call.header("x-amz-target").and_then(|t| t.split_once('.')).map_or("", |t| t.1);
        let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let queue = request["QueueUrl"].as_str().and_then(|u| u.rsplit('/').next()).unwrap_or_default();
        match (operation, request["MessageBody"].as_str()) {
            ("SendMessage", Some(body)) => match self.send(queue, body) {
                Some(id) => Reply::json(200, &json!({ "MessageId": id })),
                None => Reply::json(400, &json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue" })),
            },
            _ => Reply::json(400, &json!({ "__type": "com.amazonaws.sqs#UnsupportedOperation", "message": operation })),
        }
    }

    pub fn send(&self, queue: &str, body: &str) -> Option<String> {
        self.state.change(|s| {
            s.counter += 1;
            let id = format!("m-{}", s.counter);
            let message = Message { id: id.clone(), body: body.into(), received: 0, visible_at: 0 };
            s.queues.get_mut(queue).map(|q| {
                q.push(message);
                id
            })
        })
    }

    /// Up to `most` visible messages; those received too often go to the dead letters instead.
    pub fn receive(&self, queue: &str, most: usize, now: i64) -> Vec<Message> {
        let Some(rules) = self.rules.get(queue) else { return Vec::new() };
        if self.state.read(|s| s.queues.get(queue).is_none_or(|q| q.iter().all(|m| m.visible_at > now))) {
            return Vec::new();
        }
        self.state.change(|s| {
            if let Some((dead, limit)) = &rules.dead_letters {
                let (gone, kept): (Vec<_>, Vec<_>) =
                    s.queues.remove(queue).unwrap_or_default().into_iter().partition(|m| m.visible_at <= now && m.received >= *limit);
                s.queues.insert(queue.into(), kept);
                s.queues.entry(dead.clone()).or_default().extend(gone.into_iter().map(|m| Message { received: 0, visible_at: 0, ..m }));
            }
            let messages = s.queues.get_mut(queue).into_iter().flatten().filter(|m| m.visible_at <= now).take(most);
            messages
                .map(|m| {
                    m.received += 1;
                    m.visible_at = now + rules.visibility;
                    m.clone()
                })
                .collect()
        })
    }

    pub fn delete(&self, queue: &str, id: &str) {
        self.state.change(|s| s.queues.get_mut(queue).map(|q| q.retain(|m| m.id != id)));
    }

    /// Makes a failed message visible again after `seconds`, as the back-off of a real poller would.
    pub fn again(&self, queue: &str, id: &str, at: i64) {
        self.state.change(|s| {
            for message in s.queues.get_mut(queue).into_iter().flatten().filter(|m| m.id == id) {
                message.visible_at = at;
            }
        });
    }

    /// Nothing is being handled any more: what was in flight when the system ended is delivered again.
    pub fn wake(&self) {
        self.state.change(|s| s.queues.values_mut().flatten().for_each(|m| m.visible_at = 0));
    }

    /// Moves dead letters back to where they came from.
    pub fn redrive(&self, dead: &str, queue: &str) -> usize {
        self.state.change(|s| {
            let letters = std::mem::take(s.queues.entry(dead.into()).or_default());
            let count = letters.len();
            s.queues.entry(queue.into()).or_default().extend(letters);
            count
        })
    }

    /// The dead-letter queues with the queue that each belongs to.
    pub fn dead_letters(&self) -> BTreeMap<String, String> {
        self.rules.iter().filter_map(|(name, r)| r.dead_letters.as_ref().map(|(dead, _)| (dead.clone(), name.clone()))).collect()
    }

    pub fn depth(&self) -> BTreeMap<String, usize> {
        self.state.read(|s| s.queues.iter().map(|(name, q)| (name.clone(), q.len())).collect())
    }
}
