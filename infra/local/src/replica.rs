//! An index that lags behind its table: a second engine to which every write comes some writes later.

use crate::{
    Call,
    dynamo::{self, Engine},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Clone)]
pub struct Replica {
    db: Engine,
    state: Arc<Mutex<(usize, VecDeque<Call>)>>,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replica")
    }
}

impl Replica {
    /// On an engine that holds what the table holds now.
    pub fn new(db: Engine) -> Self {
        Self { db, state: Arc::default() }
    }

    /// From now on the index is behind by so many writes.
    pub fn lag(&self, writes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = writes;
        self.catch_up(&mut state);
    }

    fn catch_up(&self, state: &mut (usize, VecDeque<Call>)) {
        while state.1.len() > state.0 {
            if let Some(call) = state.1.pop_front() {
                dynamo::answer(&self.db, &call);
            }
        }
    }

    /// A write that the table has taken.
    pub fn written(&self, call: &Call) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.push_back(call.clone());
        self.catch_up(&mut state);
    }

    pub fn db(&self) -> &Engine {
        &self.db
    }
}
