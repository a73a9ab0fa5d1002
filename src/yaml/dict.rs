//! When Python takes two keys of a `dict` for the same.

use super::node::Value;

/// A key such that equal keys are equal in Python: `True == 1 == 1.0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum DictKey {
    Null,
    /// A whole number, in decimal.
    Whole(String),
    /// The bits of a number that is not whole; `nan` is one object in `PyYAML`, and equals itself.
    Fraction(u64),
    Text(String),
    Timestamp(String),
    Binary(Vec<u8>),
}

impl DictKey {
    /// Returns the key of a value, if Python can hash it.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Whole(u8::from(*value).to_string()),
            Value::Int(value) => Self::Whole(value.as_str().to_owned()),
            Value::Float(value) if value.is_nan() => Self::Fraction(f64::NAN.to_bits()),
            // Rust writes a whole float in full, without a point or an exponent.
            Value::Float(value) if value.is_finite() && value.fract() == 0.0 => {
                Self::Whole(if *value == 0.0 { "0".to_owned() } else { format!("{value}") })
            }
            Value::Float(value) => Self::Fraction(value.to_bits()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Timestamp(text) => Self::Timestamp(text.clone()),
            Value::Binary(bytes) => Self::Binary(bytes.clone()),
            Value::Sequence(_) | Value::Mapping(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::DictKey;
    use crate::yaml::{Integer, Value};

    #[test]
    fn numbers_that_python_finds_equal_are_one_key() {
        let one = DictKey::of(&Value::Bool(true));
        assert_eq!(one, DictKey::of(&Value::Int(Integer::from(1))));
        assert_eq!(one, DictKey::of(&Value::Float(1.0)));
        assert_eq!(DictKey::of(&Value::Float(-0.0)), DictKey::of(&Value::Bool(false)));
        let large = Value::Int(Integer("100000000000000000000".to_owned()));
        assert_eq!(DictKey::of(&Value::Float(1e20)), DictKey::of(&large));
        assert_ne!(one, DictKey::of(&Value::String("1".to_owned())));
    }
}
