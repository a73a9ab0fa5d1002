//! YAML to be written: scalars exactly as a person would type them.

/// A value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// A scalar as written, quotes included; also `[]` and `{}`.
    Scalar(String),
    /// A list.
    List(Vec<Text>),
    /// A mapping, in the order written.
    Map(Vec<(String, Text)>),
}

impl Text {
    pub(crate) fn scalar(text: impl Into<String>) -> Self {
        Self::Scalar(text.into())
    }

    /// Writes it in block style.
    pub(crate) fn block(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Scalar(scalar) => text.extend([scalar, "\n"]),
            _ => self.lines(0, &mut text),
        }
        text
    }

    fn lines(&self, indentation: usize, text: &mut String) {
        let blanks = " ".repeat(indentation);
        match self {
            Self::Scalar(_) => {}
            Self::List(items) => {
                for item in items {
                    text.extend([blanks.as_str(), "-"]);
                    item.after(indentation + 2, text);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    text.extend([blanks.as_str(), key, ":"]);
                    value.after(indentation + 2, text);
                }
            }
        }
    }

    fn after(&self, indentation: usize, text: &mut String) {
        match self {
            Self::List(items) if items.is_empty() => text.push_str(" []\n"),
            Self::Map(entries) if entries.is_empty() => text.push_str(" {}\n"),
            Self::Scalar(scalar) => text.extend([" ", scalar, "\n"]),
            _ => {
                text.push('\n');
                self.lines(indentation, text);
            }
        }
    }
}
