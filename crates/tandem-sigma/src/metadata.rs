//! What a rule says about itself: every key of a rule except `detection`.

use crate::logsource::LogSource;
use crate::problem::{Code, Position, Problems};
use crate::rule::{Level, Related, Relation, Rule, Status};
use crate::suggest::nearest;
use crate::yaml::{Content, Entry, Node, ScalarKind};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rule,
    Correlation,
    Filter,
    Anomaly,
}

impl Kind {
    /// The key that holds what makes the document what it is.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Rule => "detection",
            Self::Correlation => "correlation",
            Self::Filter => "filter",
            Self::Anomaly => "anomaly",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Correlation => "correlation",
            Self::Filter => "filter",
            Self::Anomaly => "anomaly rule",
        }
    }
}

/// Keys of a rule by the specification, `detection` aside.
const KEYS: [&str; 18] = [
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "author",
    "date",
    "modified",
    "logsource",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
];

const TITLE_CHARACTERS_MAX: usize = 256;
const DESCRIPTION_CHARACTERS_MAX: usize = 65_535;

/// Reads every key but that of the document's kind into the rule.
pub(crate) fn read(kind: Kind, rule: &mut Rule, place: Position, entries: &[Entry], problems: &mut Problems<'_>) {
    let mut reader = Reader { kind, problems };
    let (mut has_title, mut has_logsource) = (false, false);
    for entry in entries {
        match entry.key.as_str() {
            "title" => {
                has_title = true;
                rule.title = reader.title(entry);
            }
            "id" => rule.id = reader.id(entry),
            "name" => rule.name = reader.text(entry),
            "taxonomy" => rule.taxonomy = reader.text(entry),
            "status" => rule.status = reader.status(entry),
            "description" => rule.description = reader.description(entry),
            "license" => rule.license = reader.text(entry),
            "author" => rule.author = reader.text(entry),
            "references" => rule.references = reader.texts(entry),
            "date" => rule.date = reader.date(entry),
            "modified" => rule.modified = reader.date(entry),
            "logsource" => {
                has_logsource = true;
                rule.logsource = reader.logsource(entry);
            }
            "fields" => rule.display_fields = reader.texts(entry),
            "falsepositives" => rule.falsepositives = reader.texts(entry),
            "level" => rule.level = reader.level(entry),
            "tags" => rule.tags = reader.tags(entry),
            "related" => rule.related = reader.related(entry),
            "scope" => rule.scope = reader.texts(entry),
            other if other == kind.key() || (kind == Kind::Anomaly && other == "detection") => {}
            "generate" if kind == Kind::Correlation => {}
            other => reader.custom(other, entry.key_position, entries),
        }
    }
    if !has_title {
        reader.missing(place, "title", "say in a few words what the rule detects");
    }
    if !has_logsource && kind != Kind::Correlation {
        reader.missing(place, "logsource", "name the product, category or service of the log");
    }
}

struct Reader<'r, 'p> {
    kind: Kind,
    problems: &'r mut Problems<'p>,
}

impl Reader<'_, '_> {
    fn missing(&mut self, place: Position, key: &str, hint: &str) {
        let noun = self.kind.noun();
        self.problems.add_with_hint(Code::Missing, place, format!("the {noun} has no '{key}'"), hint);
    }

    fn warn(&mut self, place: Position, message: String, hint: &str) {
        self.problems.add_with_hint(Code::Metadata, place, message, hint);
    }

    /// Any key is allowed, but one that nearly is a missing key of the specification is a slip.
    fn custom(&mut self, key: &str, place: Position, entries: &[Entry]) {
        let known =
            KEYS.into_iter().chain([self.kind.key()]).chain((self.kind == Kind::Correlation).then_some("generate"));
        let missing = known.filter(|known| entries.iter().all(|entry| entry.key != *known));
        if let Some(near) = nearest(key, missing) {
            self.problems.add_with_hint(
                Code::MisspeltKey,
                place,
                format!("'{key}' is no key of the specification"),
                format!("did you mean '{near}'?"),
            );
        }
    }

    fn title(&mut self, entry: &Entry) -> String {
        let text = match &entry.value.content {
            Content::Scalar(scalar) if scalar.kind != ScalarKind::Null => scalar.text.clone(),
            _ => {
                let found = entry.value.type_name();
                self.problems.add(Code::WrongType, entry.value.position, format!("'title' must be text, not {found}"));
                return String::new();
            }
        };
        if text.trim().is_empty() {
            self.problems.add(Code::Empty, entry.value.position, "the title is empty");
        }
        self.check_length(entry, &text, TITLE_CHARACTERS_MAX);
        text
    }

    fn check_length(&mut self, entry: &Entry, text: &str, most: usize) {
        if text.chars().count() > most {
            let message = format!("'{}' has more than {most} characters", entry.key);
            self.warn(entry.value.position, message, "shorten it");
        }
    }

    /// Text as written, whatever its YAML type; a list or map is reported and left out.
    fn text(&mut self, entry: &Entry) -> Option<String> {
        match &entry.value.content {
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Null => None,
            Content::Scalar(scalar) => Some(scalar.text.clone()),
            Content::List(_) | Content::Map(_) => {
                let message = format!("'{}' must be text, not {}", entry.key, entry.value.type_name());
                self.warn(entry.value.position, message, "it is left out");
                None
            }
        }
    }

    /// A list of texts; one text alone is a list of one.
    fn texts(&mut self, entry: &Entry) -> Vec<String> {
        let nodes = match &entry.value.content {
            Content::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        nodes.iter().filter_map(|node| self.text_of(&entry.key, node)).collect()
    }

    fn text_of(&mut self, key: &str, node: &Node) -> Option<String> {
        match &node.content {
            Content::Scalar(scalar) if scalar.kind == ScalarKind::Null => None,
            Content::Scalar(scalar) => Some(scalar.text.clone()),
            Content::List(_) | Content::Map(_) => {
                let message = format!("'{key}' must be a list of texts, but has {}", node.type_name());
                self.warn(node.position, message, "it is left out");
                None
            }
        }
    }

    fn id(&mut self, entry: &Entry) -> Option<String> {
        let id = self.text(entry)?;
        if !is_uuid(&id) {
            self.warn(entry.value.position, format!("the id '{id}' is not a UUID"), "use a random UUID");
        }
        Some(id)
    }

    fn status(&mut self, entry: &Entry) -> Option<Status> {
        let text = self.text(entry)?;
        let status = Status::parse(&text);
        if status.is_none() {
            let hint = format!("use one of {}", Status::WORDS.join(", "));
            self.warn(entry.value.position, format!("there is no status '{text}'"), &hint);
        }
        status
    }

    fn level(&mut self, entry: &Entry) -> Option<Level> {
        let text = self.text(entry)?;
        let level = Level::parse(&text);
        if level.is_none() {
            self.problems.add_with_hint(
                Code::UnknownLevel,
                entry.value.position,
                format!("there is no level '{text}'"),
                format!("use one of {}", Level::WORDS.join(", ")),
            );
        }
        level
    }

    fn description(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        self.check_length(entry, &text, DESCRIPTION_CHARACTERS_MAX);
        Some(text)
    }

    fn date(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        let has_form = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !has_form || crate::TimePart::Day.of(&text).is_none() {
            let message = format!("'{}' is not a date of the form YYYY-MM-DD: '{text}'", entry.key);
            self.warn(entry.value.position, message, "it is kept as text");
        }
        Some(text)
    }

    fn tags(&mut self, entry: &Entry) -> Vec<String> {
        let tags = self.texts(entry);
        for tag in &tags {
            if !is_tag(tag) {
                self.warn(
                    entry.value.position,
                    format!("the tag '{tag}' does not have the form 'namespace.name'"),
                    "use lower-case letters, digits, '_', '-' and dots",
                );
            }
        }
        tags
    }

    fn related(&mut self, entry: &Entry) -> Vec<Related> {
        let Content::List(nodes) = &entry.value.content else {
            self.warn(entry.value.position, "'related' must be a list".to_owned(), "it is left out");
            return Vec::new();
        };
        let mut related = Vec::new();
        for node in nodes {
            let value = |wanted: &str| match &node.content {
                Content::Map(entries) => {
                    entries.iter().find(|e| e.key == wanted).and_then(|e| match &e.value.content {
                        Content::Scalar(scalar) => Some(scalar.text.as_str()),
                        _ => None,
                    })
                }
                _ => None,
            };
            match (value("id"), value("type").and_then(Relation::parse)) {
                (Some(id), Some(relation)) => related.push(Related { id: id.to_owned(), relation }),
                _ => {
                    let hint = format!("the types are {}", Relation::WORDS.join(", "));
                    let message = "an entry of 'related' needs an 'id' and a known 'type'".to_owned();
                    self.warn(node.position, message, &hint);
                }
            }
        }
        related
    }

    fn logsource(&mut self, entry: &Entry) -> LogSource {
        let mut source = LogSource::default();
        let Content::Map(entries) = &entry.value.content else {
            let found = entry.value.type_name();
            self.problems.add_with_hint(
                Code::WrongType,
                entry.value.position,
                format!("'logsource' must be a map, not {found}"),
                "write 'product:', 'category:' or 'service:' under it",
            );
            return source;
        };
        for part in entries {
            let target = match part.key.as_str() {
                "product" => &mut source.product,
                "category" => &mut source.category,
                "service" => &mut source.service,
                "definition" => &mut source.definition,
                other => {
                    if let Some(near) = nearest(other, ["product", "category", "service", "definition"]) {
                        self.problems.add_with_hint(
                            Code::MisspeltKey,
                            part.key_position,
                            format!("'{other}' is no key of a log source"),
                            format!("did you mean '{near}'?"),
                        );
                    }
                    continue;
                }
            };
            match &part.value.content {
                Content::Scalar(scalar) if scalar.kind == ScalarKind::Null => {}
                Content::Scalar(scalar) => *target = Some(scalar.text.clone()),
                _ => {
                    let found = part.value.type_name();
                    self.problems.add(
                        Code::WrongType,
                        part.value.position,
                        format!("'{}' of a log source must be text, not {found}", part.key),
                    );
                }
            }
        }
        if source.is_open() {
            self.problems.add_with_hint(
                Code::LogsourceOpen,
                entry.key_position,
                "the log source names neither product, category nor service",
                "the rule will be tried on every event; name at least one of them",
            );
        }
        source
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_tag(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    text.split_once('.').is_some_and(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
        && text.bytes().all(allowed)
}
