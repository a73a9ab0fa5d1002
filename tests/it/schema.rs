//! JSON beside the schema that is published for it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside `#[test]`")]

use serde_json::Value;

/// Checks a value by the few words of JSON Schema that the schemas use; a member that the schema does not know does not
/// fit either.
pub(crate) fn fits(value: &Value, schema: &Value) -> Result<(), String> {
    fits_in(value, schema, schema)
}

fn fits_in(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits_in(value, root.pointer(&reference[1..]).unwrap(), root);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let tries: Vec<_> = any.iter().map(|schema| fits_in(value, schema, root)).collect();
        let errors: Vec<_> = tries.into_iter().filter_map(Result::err).collect();
        return if errors.len() < any.len() { Ok(()) } else { Err(errors.join("\n")) };
    }
    if let Some(all) = schema["enum"].as_array() {
        return if all.contains(value) {
            Ok(())
        } else {
            Err(format!("{value} is none of {schema}"))
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::Null => Vec::new(),
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    if !kinds.is_empty()
        && !kinds.iter().any(|known| known == kind || (known == "number" && kind == "integer"))
    {
        return Err(format!("{value} is not {schema}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return Err(format!("{name} is missing in {value}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let of = &schema["properties"][name];
        let of = if of.is_null() { &schema["additionalProperties"] } else { of };
        if of.is_object() {
            fits_in(member, of, root)?;
        } else if schema["properties"].is_object() {
            return Err(format!("the schema does not know {name:?} of {value}"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        fits_in(item, &schema["items"], root)?;
    }
    Ok(())
}
