//! The log source of a rule: which kind of log it is meant for.

use std::fmt;

/// The log source of a rule. A dimension that is `None` accepts everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogSource {
    /// The product, such as `windows`.
    pub product: Option<String>,
    /// The category, such as `process_creation`.
    pub category: Option<String>,
    /// The service, such as `security`.
    pub service: Option<String>,
    /// What the log must be set up to contain, for people.
    pub definition: Option<String>,
}

impl LogSource {
    /// True if a log of this product, category and service is what the rule is meant for: every
    /// dimension that the rule names must be equal, letter case aside; those that it does not
    /// name match anything.
    ///
    /// An event may have several log types (a Sysmon event is both `registry_event` and
    /// `registry_set`): ask once for each.
    pub fn matches(&self, product: Option<&str>, category: Option<&str>, service: Option<&str>) -> bool {
        let agrees = |rule: &Option<String>, event: Option<&str>| match (rule, event) {
            (None, _) => true,
            (Some(rule), Some(event)) => rule.eq_ignore_ascii_case(event),
            (Some(_), None) => false,
        };
        agrees(&self.product, product) && agrees(&self.category, category) && agrees(&self.service, service)
    }

    /// True if the log source names none of the three dimensions, so that it matches every event.
    pub fn is_open(&self) -> bool {
        self.product.is_none() && self.category.is_none() && self.service.is_none()
    }
}

impl fmt::Display for LogSource {
    /// `product/category/service`, with `*` for what is not named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |value: &Option<String>| value.clone().unwrap_or_else(|| "*".to_owned());
        write!(f, "{}/{}/{}", part(&self.product), part(&self.category), part(&self.service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_dimensions_must_be_equal() {
        let source = LogSource {
            product: Some("windows".to_owned()),
            category: Some("process_creation".to_owned()),
            ..LogSource::default()
        };
        assert!(source.matches(Some("Windows"), Some("process_creation"), Some("sysmon")));
        assert!(source.matches(Some("windows"), Some("process_creation"), None));
        assert!(!source.matches(Some("windows"), None, Some("sysmon")));
        assert!(!source.matches(Some("linux"), Some("process_creation"), None));
        assert!(LogSource::default().matches(None, None, None));
        assert_eq!(source.to_string(), "windows/process_creation/*");
    }
}
