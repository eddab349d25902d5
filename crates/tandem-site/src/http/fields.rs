//! The field catalogue.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use tandem_api::{FieldInfo, FieldList};
use tandem_model::{Catalogue, FieldType, Layer, Privacy};
use tandem_query::EVENT_FIELDS;

pub(super) async fn list(State(app): State<App>) -> Json<FieldList> {
    Json(FieldList { items: fields(&app.catalogue) })
}

/// What every event has, then the catalogue in its order.
fn fields(catalogue: &Catalogue) -> Vec<FieldInfo> {
    let own = EVENT_FIELDS.iter().map(|(name, description)| FieldInfo {
        name: (*name).to_owned(),
        kind: own_kind(name).to_owned(),
        layer: "common".to_owned(),
        description: (*description).to_owned(),
        privacy: (*name == "raw").then(|| "text".to_owned()),
    });
    let known = catalogue.fields().iter().map(|field| FieldInfo {
        name: field.name.to_string(),
        kind: kind(field.kind).to_owned(),
        layer: layer(field.layer).to_owned(),
        description: field.description.clone(),
        privacy: field.privacy.map(|privacy| word(privacy).to_owned()),
    });
    own.chain(known).collect()
}

fn own_kind(name: &str) -> &'static str {
    match name {
        "time" | "received" => "timestamp",
        "log_types" => "strings",
        _ => "string",
    }
}

fn kind(kind: FieldType) -> &'static str {
    match kind {
        FieldType::String => "string",
        FieldType::Strings => "strings",
        FieldType::Long => "long",
        FieldType::Double => "double",
        FieldType::Bool => "bool",
        FieldType::Timestamp => "timestamp",
        FieldType::Ip => "ip",
    }
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Common => "common",
        Layer::Vendor => "vendor",
    }
}

fn word(privacy: Privacy) -> &'static str {
    match privacy {
        Privacy::Person => "person",
        Privacy::Host => "host",
        Privacy::Address => "address",
        Privacy::Text => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_fields_come_first_and_types_have_the_catalogues_words() {
        let yaml = "version: 1\nfields:\n  - {name: source.ip, type: ip, layer: common, description: Sender., privacy: address}\n";
        let list = fields(&Catalogue::from_yaml(yaml).unwrap());
        assert_eq!((list[0].name.as_str(), list[0].kind.as_str()), ("time", "timestamp"));
        let last = list.last().unwrap();
        assert_eq!((last.name.as_str(), last.kind.as_str(), last.layer.as_str()), ("source.ip", "ip", "common"));
        assert_eq!(last.privacy.as_deref(), Some("address"));
    }
}
