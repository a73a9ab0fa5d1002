//! Whether there is contact with the API server, by several watches and single requests together.

use std::time::{Duration, Instant};

use super::error::ClusterError;

/// After how long a loss is told; what is over in a moment is not worth a word.
const TELL_LOSS: Duration = Duration::from_secs(2);
/// How long credentials that are refused are tried again, at most.
const UNAUTHORIZED: Duration = Duration::from_mins(1);
/// How long any other loss is borne, where nothing else is said.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// What is to be told when contact is back.
pub(crate) const CONTACT_IS_BACK: &str = "contact is back";

/// Contact is lost while one watch has lost it: with half of it, what cannot be seen would pass for what never
/// happens.
#[derive(Debug)]
pub(crate) struct Contact {
    patience: Duration,
    /// How many watches have lost it.
    lost_watches: usize,
    loss: Option<Loss>,
}

#[derive(Debug)]
struct Loss {
    since: Instant,
    error: ClusterError,
    told: bool,
}

impl Contact {
    /// There is contact; a loss is borne for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, lost_watches: 0, loss: None }
    }

    /// Notes that a watch has lost contact.
    pub(crate) fn watch_lost(&mut self, error: ClusterError) {
        self.lost_watches += 1;
        self.failed(error);
    }

    /// Notes that a watch has contact again; returns whether the return is news.
    #[must_use]
    pub(crate) fn watch_regained(&mut self) -> bool {
        self.lost_watches -= 1;
        self.got_through()
    }

    /// Notes that a request failed.
    pub(crate) fn failed(&mut self, error: ClusterError) {
        if self.loss.is_none() {
            self.loss = Some(Loss { since: Instant::now(), error, told: false });
        }
    }

    /// Notes that a request was answered; returns whether the return is news.
    #[must_use]
    pub(crate) fn got_through(&mut self) -> bool {
        self.lost_watches == 0 && self.loss.take().is_some_and(|loss| loss.told)
    }

    /// Tells whether credentials were refused.
    pub(crate) fn is_refused(&self) -> bool {
        self.loss.as_ref().is_some_and(|loss| loss.error.is_about_credentials())
    }

    /// Returns what was lost if it has been for so long.
    pub(crate) fn lost_for(&self, now: Instant, long: Duration) -> Option<&ClusterError> {
        let loss = self.loss.as_ref()?;
        (now.saturating_duration_since(loss.since) >= long).then_some(&loss.error)
    }

    /// Looks at the clock; returns what is to be told of a loss that lasts, once.
    ///
    /// # Errors
    /// What was lost, where that is longer ago than anybody's patience.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<Option<String>, ClusterError> {
        let Some(loss) = &mut self.loss else { return Ok(None) };
        let away = now.saturating_duration_since(loss.since);
        let limit = if loss.error.is_about_credentials() {
            UNAUTHORIZED.min(self.patience)
        } else {
            self.patience
        };
        if away >= limit {
            return Err(loss.error.clone());
        }
        let news = away >= TELL_LOSS && !std::mem::replace(&mut loss.told, true);
        Ok(news.then(|| format!("contact lost, trying again: {}", loss.error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Action;

    const MINUTE: Duration = Duration::from_mins(1);

    fn action() -> Action {
        crate::cluster::jobs::action("watch", "etl", "")
    }

    fn away() -> ClusterError {
        ClusterError::Unreachable {
            server: "https://away".to_owned(),
            action: Box::new(action()),
            cause: "connection refused".to_owned(),
        }
    }

    #[test]
    fn half_contact_is_none() {
        let mut contact = Contact::new(10 * MINUTE);
        contact.watch_lost(away());
        contact.watch_lost(away());
        let later = Instant::now() + MINUTE;
        assert!(contact.tick(later).unwrap().unwrap().starts_with("contact lost, trying again"));
        assert!(!contact.watch_regained(), "the other watch still misses it");
        assert!(!contact.got_through(), "a request tells nothing of a watch");
        assert_eq!(contact.tick(later).unwrap(), None, "told once");
        assert!(contact.watch_regained());
        assert!(contact.tick(later + 60 * MINUTE).unwrap().is_none());
    }

    #[test]
    fn what_is_over_in_a_moment_is_not_worth_a_word() {
        let mut contact = Contact::new(10 * MINUTE);
        contact.watch_lost(away());
        assert_eq!(contact.tick(Instant::now()).unwrap(), None);
        assert!(!contact.watch_regained());
    }

    #[test]
    fn patience_ends_and_sooner_where_credentials_are_refused() {
        let mut contact = Contact::new(10 * MINUTE);
        contact.failed(away());
        let now = Instant::now();
        assert!(contact.tick(now + 9 * MINUTE).is_ok());
        assert!(contact.lost_for(now + MINUTE, MINUTE / 2).is_some());
        assert!(contact.lost_for(now, MINUTE / 2).is_none());
        assert!(contact.tick(now + 11 * MINUTE).is_err());
        let mut contact = Contact::new(10 * MINUTE);
        contact.failed(ClusterError::Unauthorized {
            server: "https://there".to_owned(),
            action: Box::new(action()),
        });
        assert!(contact.is_refused());
        assert!(contact.tick(now + 2 * MINUTE).is_err());
    }
}
