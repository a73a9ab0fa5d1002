//! The fields of every API type a Job is made of, read from a table made from Kubernetes' own
//! `OpenAPI` description (`api_types.py`).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::keys::camel_to_snake;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A resource quantity, such as `500m` or `1Gi`.
    Quantity,
    /// A port or an amount: a whole number or text.
    IntOrString,
    /// A point in time, as text.
    Time,
    /// Anything.
    Object,
    /// An object of the named type.
    Type(&'static str),
    /// A list.
    List(Box<Kind>),
    /// A map with free keys.
    Map(Box<Kind>),
}

/// A field of an API type.
#[derive(Debug)]
pub struct Field {
    /// Its name as the API spells it.
    pub name: &'static str,
    /// Whether the API refuses an object without it.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

/// An API type.
#[derive(Debug, Default)]
pub struct ApiType {
    /// The fields by their `snake_case` name, as Mage and the Python client spell them.
    by_snake: HashMap<String, usize>,
    /// The fields, in the order of the table.
    pub fields: Vec<Field>,
}

impl ApiType {
    /// Returns the field of exactly this API name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Returns the field of this name in `snake_case`.
    #[must_use]
    pub fn snake_field(&self, name: &str) -> Option<&Field> {
        self.by_snake.get(name).map(|index| &self.fields[*index])
    }
}

static TYPES: LazyLock<HashMap<&'static str, ApiType>> =
    LazyLock::new(|| parse(include_str!("api_types.txt")));

fn parse(table: &'static str) -> HashMap<&'static str, ApiType> {
    let mut types: HashMap<&'static str, ApiType> = HashMap::new();
    let mut current = "";
    for line in table.lines() {
        let Some(field) = line.strip_prefix(' ') else {
            current = line;
            types.entry(current).or_default();
            continue;
        };
        let (name, kind) = field.split_once(' ').unwrap_or((field, "object"));
        let required = name.ends_with('!');
        let name = name.trim_end_matches('!');
        let entry = types.entry(current).or_default();
        entry.by_snake.insert(camel_to_snake(name), entry.fields.len());
        entry.fields.push(Field { name, required, kind: parse_kind(kind) });
    }
    types
}

fn parse_kind(text: &'static str) -> Kind {
    if let Some(item) = text.strip_prefix("[]") {
        return Kind::List(Box::new(parse_kind(item)));
    }
    if let Some(item) = text.strip_prefix("{}") {
        return Kind::Map(Box::new(parse_kind(item)));
    }
    match text {
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "quantity" => Kind::Quantity,
        "int-or-string" => Kind::IntOrString,
        "time" => Kind::Time,
        "object" => Kind::Object,
        name => Kind::Type(name),
    }
}

/// Returns the API type of this name.
///
/// # Panics
/// Panics when the table has no such type, which a test rules out for every name used.
#[must_use]
pub fn api_type(name: &str) -> &'static ApiType {
    TYPES.get(name).expect("every type that a field names is in the table")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_field_names_is_in_the_table() {
        fn named(kind: &Kind) -> Option<&'static str> {
            match kind {
                Kind::Type(name) => Some(name),
                Kind::List(item) | Kind::Map(item) => named(item),
                _ => None,
            }
        }
        let mut count = 0;
        for api in TYPES.values() {
            for name in api.fields.iter().filter_map(|field| named(&field.kind)) {
                assert!(TYPES.contains_key(name), "{name}");
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn fields_are_found_in_both_spellings() {
        let volume = api_type("Volume");
        assert_eq!(volume.snake_field("downward_api").expect("a field").name, "downwardAPI");
        assert_eq!(api_type("PodSpec").snake_field("host_pid").expect("a field").name, "hostPID");
        assert!(api_type("Container").field("volumeMounts").is_some());
    }
}
