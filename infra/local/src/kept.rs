//! State that survives: written beside the old file and moved over it after every change.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Debug)]
pub struct Kept<T> {
    state: Arc<Mutex<T>>,
    file: Option<PathBuf>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), file: self.file.clone() }
    }
}

impl<T: Serialize + DeserializeOwned + Default> Kept<T> {
    pub fn in_memory() -> Self {
        Self { state: Arc::default(), file: None }
    }

    /// What the file holds, or an empty state if there is none yet.
    pub fn on_file(file: PathBuf) -> std::io::Result<Self> {
        let state = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => T::default(),
            Err(e) => return Err(e),
        };
        Ok(Self { state: Arc::new(Mutex::new(state)), file: Some(file) })
    }

    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and keeps it before anybody is told.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = change(&mut state);
        if let Some(file) = &self.file {
            let beside = file.with_extension("new");
            let bytes = serde_json::to_vec(&*state).expect("state is JSON");
            std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, file)).expect("the data directory takes writes");
        }
        answer
    }
}
