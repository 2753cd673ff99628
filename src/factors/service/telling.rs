//! Telling the owner of an account what happened to it, at phones that are factors, too.

use sqlx::PgConnection;

use super::super::store;
use crate::accounts;
use crate::app::App;
use crate::ids::AccountId;
use crate::internal::Internal;
use crate::messages::MessageKind;
use crate::messages::NewMessage;

/// Tells the owner of an account everywhere, in the transaction of what happened: at every proved identifier, and at every
/// phone that is a factor. `values` fill the text. See [`accounts::send_notice`].
pub async fn notify(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    kind: MessageKind,
    values: &[(&str, String)],
) -> Result<(), Internal> {
    accounts::notify(conn, app, account, kind, values).await?;
    tell_phones(conn, app, account, (kind, values)).await
}

/// Tells the owner at the phones that are factors and not identifiers as well.
pub async fn tell_phones(
    conn: &mut PgConnection,
    app: &App,
    account: AccountId,
    notice: (MessageKind, &[(&str, String)]),
) -> Result<(), Internal> {
    for number in store::confirmed(conn, account).await?.into_iter().filter_map(|factor| factor.number) {
        tell_phone(conn, app, (account, &number), notice).await?;
    }
    Ok(())
}

/// Tells the owner at a phone that is, or was, a factor, unless it is a proved identifier and thus told already.
pub async fn tell_phone(
    conn: &mut PgConnection,
    app: &App,
    (account, number): (AccountId, &str),
    (kind, values): (MessageKind, &[(&str, String)]),
) -> Result<(), Internal> {
    let identifiers = accounts::profile(conn, account).await?.identifiers;
    if identifiers.iter().any(|own| own.proved && own.lookup_key == number) {
        return Ok(());
    }
    let phone = accounts::contact_by_phone(conn, account, number).await?;
    let notice = NewMessage::notice(phone.content(kind), app.clock.now());
    let notice = values.iter().fold(notice, |notice, (name, value)| notice.value(name, value));
    accounts::send_notice(conn, app, notice).await
}
