//! The language that people read labels and descriptions in.

use engine::saved::Section;
use engine::{Session, ShownDefinition};
use serde_json::Value;

use crate::extract::query::{FromQuery, QueryReader};

/// The language that people read definitions in: `?locale=de-AT`.
#[derive(Debug)]
pub(crate) struct Language(Option<String>);

impl FromQuery for Language {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let locale = query.text("locale");
        let is_tag = |text: &str| {
            text.len() <= 35
                && text.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        if locale.as_deref().is_some_and(|locale| !is_tag(locale)) {
            query.problem("locale", "invalid", "a language such as de or pt-BR is expected");
        }
        Some(Self(locale))
    }
}

impl Language {
    /// Gives what a pack defines in a section its label in this language.
    pub(crate) fn label(&self, session: &Session, section: Section, name: &str, label: &mut String) {
        let found = self.0.as_ref().and_then(|language| session.translated_label(section, name, language));
        if let Some(text) = found {
            text.clone_into(label);
        }
    }

    /// The views of definitions in this language.
    pub(crate) fn of(&self, session: &Session, shown: ShownDefinition, mut views: Vec<Value>) -> Vec<Value> {
        if let Some(language) = &self.0 {
            session.translate(shown, &mut views, language);
        }
        views
    }

    /// The view of one definition in this language.
    pub(crate) fn of_one(&self, session: &Session, shown: ShownDefinition, mut view: Value) -> Value {
        if let Some(language) = &self.0 {
            session.translate(shown, std::slice::from_mut(&mut view), language);
        }
        view
    }
}

/// What is asked for, and in which language its labels are wanted.
#[derive(Debug)]
pub(crate) struct InLanguage<T>(pub(crate) T, pub(crate) Language);

impl<T: FromQuery> FromQuery for InLanguage<T> {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let language = Language::from_query(query)?;
        T::from_query(query).map(|asked| Self(asked, language))
    }
}
