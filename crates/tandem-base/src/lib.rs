//! Stand-ins for time, chance and disk, and the limits that bound sizes.
//!
//! Everything that a test wants to control comes in as an argument of one of these traits:
//! [`Clock`], [`Chance`], [`Disk`]. Nothing here knows what an event or a case is.

mod bounded;
mod chance;
mod clock;
mod disk;
pub mod fail;
mod id;
mod time;

pub use bounded::{BoundedError, read_bounded};
pub use chance::{Chance, SeededChance, SystemChance};
pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{Disk, DiskFile, DiskLock, RealDisk};
pub use id::{IdError, hex, unhex};
pub use time::{MICROS_PER_DAY, MICROS_PER_SECOND, TimeError, Timestamp};
