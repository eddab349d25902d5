//! Log types in Sigma's terms (specification 2.1, "Log source").

use std::fmt;
use std::sync::Arc;

/// What kind of log an event is: Sigma's `product`, `category` and `service`, each optional.
/// An event carries a set of them: Security 4688 is `windows` + `security` and `windows` + `process_creation`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogType {
    /// `windows`, `linux`, `aws`, `fortinet` …
    pub product: Option<Arc<str>>,
    /// `process_creation`, `firewall`, `webserver` …
    pub category: Option<Arc<str>>,
    /// `security`, `sysmon`, `sshd`, `cloudtrail` …
    pub service: Option<Arc<str>>,
}

impl LogType {
    /// A log type from its three parts; an empty part is none.
    pub fn new(product: &str, category: &str, service: &str) -> Self {
        let part = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        Self { product: part(product), category: part(category), service: part(service) }
    }

    /// The type of an event that no parser took.
    pub fn generic() -> Self {
        Self::new("", "generic", "")
    }

    /// Whether this is the type of an event that no parser took.
    pub fn is_generic(&self) -> bool {
        self.product.is_none() && self.service.is_none() && self.category.as_deref() == Some("generic")
    }
}

/// `product/category/service`, absent parts left out: `windows/process_creation`, `linux/sshd`, `generic`.
impl fmt::Display for LogType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for part in [&self.product, &self.category, &self.service].into_iter().flatten() {
            if !first {
                f.write_str("/")?;
            }
            f.write_str(part)?;
            first = false;
        }
        Ok(())
    }
}
