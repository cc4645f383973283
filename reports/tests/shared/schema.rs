//! The part of JSON Schema that `run.schema.json` uses: a keyword that is not known here is an error,
//! so that none is passed over.

use serde_json::{Map, Value};

/// Says where `value` is not as `schema` demands, and how.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    Checker { root: schema }.check(schema, value, "")
}

struct Checker<'a> {
    root: &'a Value,
}

impl<'a> Checker<'a> {
    fn check(&self, schema: &'a Value, value: &Value, at: &str) -> Result<(), String> {
        let Value::Object(keywords) = schema else {
            return Err(format!("{at}: the schema is no object: {schema}"));
        };
        for (keyword, demand) in keywords {
            let holds = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" => true,
                // Looked at beside their objects.
                "additionalProperties" => true,
                "$ref" => {
                    self.check(self.find(demand)?, value, at)?;
                    true
                }
                "type" => is_of_type(demand, value),
                "const" => demand == value,
                "enum" => demand.as_array().is_some_and(|all| all.contains(value)),
                "minimum" => number(value) >= number(demand),
                "maximum" => number(value) <= number(demand),
                "pattern" => demand == "Z$" && value.as_str().is_some_and(|it| it.ends_with('Z')),
                "anyOf" => {
                    let mut all = demand.as_array().into_iter().flatten();
                    all.any(|schema| self.check(schema, value, at).is_ok())
                }
                "required" => {
                    let mut all = demand.as_array().into_iter().flatten();
                    all.all(|name| name.as_str().is_some_and(|name| value.get(name).is_some()))
                }
                "properties" => {
                    self.check_properties(keywords, value, at)?;
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(demand, item, &format!("{at}/{index}"))?;
                    }
                    true
                }
                _ => return Err(format!("{at}: the keyword {keyword} is not known here")),
            };
            if !holds {
                return Err(format!("{at}: {keyword} {demand}: {value}"));
            }
        }
        // Of a map there are no properties, only what all of them are.
        if !keywords.contains_key("properties") {
            self.check_properties(keywords, value, at)?;
        }
        Ok(())
    }

    fn check_properties(
        &self,
        keywords: &'a Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let others = keywords.get("additionalProperties");
        for (name, member) in value.as_object().into_iter().flatten() {
            let named = keywords.get("properties").and_then(|all| all.get(name));
            let at = format!("{at}/{name}");
            match (named, others) {
                (Some(schema), _) => self.check(schema, member, &at)?,
                (None, Some(Value::Bool(false))) => return Err(format!("{at}: not known")),
                (None, Some(schema @ Value::Object(_))) => self.check(schema, member, &at)?,
                (None, _) => {}
            }
        }
        Ok(())
    }

    fn find(&self, reference: &Value) -> Result<&'a Value, String> {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let found = pointer.and_then(|pointer| self.root.pointer(pointer));
        found.ok_or(format!("the schema has no {reference}"))
    }
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
