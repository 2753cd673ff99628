//! The pages in front of this service.

use super::Mode;
use super::settings::Reader;
use super::values::web_address;

/// A page that messages lead to, or that people are sent to: its address comes from here and from nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page(String);

impl Page {
    /// Its address.
    pub fn address(&self) -> &str {
        &self.0
    }

    /// Its address with a token in the fragment, which stays in the browser: neither a server nor a mail scanner that
    /// fetches the page sees it.
    pub fn link(&self, token: &str) -> String {
        format!("{}#{token}", self.0)
    }
}

/// The pages that this service knows of.
pub struct PagesConfig {
    /// Where a person who forgot their password sets a new one; it reads the token out of the fragment.
    pub password_reset: Option<Page>,
    /// Where a person who is signed in changes their password.
    pub change_password: Option<Page>,
    /// Where a person stops a change of their account; it reads the token out of the fragment.
    pub cancel_change: Option<Page>,
    /// Where a person stops the recoveries of their account; it reads the token out of the fragment.
    pub cancel_recovery: Option<Page>,
}

pub(super) fn pages(read: &mut Reader, mode: Mode, origins: &[String]) -> PagesConfig {
    PagesConfig {
        password_reset: page(read, mode, origins, ("pages.password_reset", "reset-password")),
        change_password: page(read, mode, origins, ("pages.change_password", "change-password")),
        cancel_change: page(read, mode, origins, ("pages.cancel_change", "cancel-change")),
        cancel_recovery: page(read, mode, origins, ("pages.cancel_recovery", "cancel-recovery")),
    }
}

/// A page of the client, so that no token is sent elsewhere. `sekisho dev` pretends that there is one, so that its
/// messages are complete.
fn page(read: &mut Reader, mode: Mode, origins: &[String], (name, path): (&str, &str)) -> Option<Page> {
    let pretended = origins.first().filter(|_| mode == Mode::Development).map(|origin| format!("{origin}/{path}"));
    read.value(name, pretended.map(Page), |text| {
        if text == "off" {
            return Ok(None);
        }
        let address = web_address(text)?;
        let path = origins.iter().find_map(|origin| address.strip_prefix(origin.as_str()));
        match path {
            Some(path) if path.starts_with('/') && !path.contains('#') => Ok(Some(Page(address))),
            _ => Err("must be a page at one of `client.origins`, without a fragment".to_owned()),
        }
    })
}
