//! The engine in use, which can be replaced while others evaluate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Engine, Session};

/// Holds the engine in use.
///
/// Replacing it makes nobody wait: whoever is in the middle of an event finishes it with the old
/// engine, and each session takes the new one at its next [`Session::renew`].
#[derive(Debug)]
pub struct EngineSlot {
    engine: RwLock<Arc<Engine>>,
    identity: AtomicU64,
}

impl EngineSlot {
    /// A slot with this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { identity: AtomicU64::new(engine.identity), engine: RwLock::new(engine) }
    }

    /// The engine in use.
    pub fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another engine in, and answers the one that was there.
    pub fn replace(&self, engine: Arc<Engine>) -> Arc<Engine> {
        let identity = engine.identity;
        let mut place = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *place, engine);
        self.identity.store(identity, Ordering::Release);
        old
    }
}

impl Session {
    /// Takes the engine of the slot, if it is another one than the session has; tells whether it
    /// did. Then routes have to be asked for again, and what was remembered is forgotten. Cheap
    /// enough to be called for every event.
    pub fn renew(&mut self, slot: &EngineSlot) -> bool {
        if slot.identity.load(Ordering::Acquire) == self.engine().identity {
            return false;
        }
        *self = Self::new(slot.engine());
        true
    }
}
