//! `sekisho messages`: what left, what waits and what could not leave. Neither addresses nor texts are shown. It needs the
//! settings of `serve`.

use uuid::Uuid;

use super::Failure;
use super::FromFile;
use super::app;
use super::operator;
use super::say;
use super::shown;
use crate::app::App;
use crate::audit;
use crate::audit::Event;
use crate::audit::EventKind;
use crate::ids::MessageId;
use crate::messages;
use crate::messages::ListedMessage;

#[derive(clap::Subcommand)]
pub(super) enum Action {
    /// Print the newest messages of a state
    List {
        /// Which
        #[arg(long, default_value = "dead", value_parser = ["queued", "sent", "dropped", "dead", "delivered", "undelivered", "all"])]
        state: String,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        #[command(flatten)]
        from: FromFile,
    },
    /// Print all that is known of a message
    Show(Target),
    /// Have a message tried again at once: one that waits, or a dead notice that has not expired
    Retry(Target),
}

#[derive(clap::Args)]
pub(super) struct Target {
    /// The message's id
    id: Uuid,
    #[command(flatten)]
    from: FromFile,
}

pub(super) async fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::List { state, limit, from } => list(&app(&from)?, &state, limit).await,
        Action::Show(target) => show(&app(&target.from)?, target.id.into()).await,
        Action::Retry(target) => retry(&app(&target.from)?, target.id.into()).await,
    }
}

fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

async fn list(app: &App, state: &str, limit: i64) -> Result<(), Failure> {
    let state = Some(state).filter(|state| *state != "all");
    let row = |cells: [&str; 7]| {
        let [id, kind, channel, state, attempts, created, error] = cells;
        say(&format!("{id:<36} {kind:<30} {channel:<7} {state:<12} {attempts:>8} {created:<20} {error}"));
    };
    row(["id", "kind", "channel", "state", "attempts", "created", "last error"]);
    for message in messages::list_messages(&mut *app.db.acquire().await?, state, limit).await? {
        let ListedMessage { id, kind, channel, state, attempts, delivery, created_at, last_error, .. } = &message;
        let state = delivery.as_deref().unwrap_or(state);
        let (id, attempts, created) = (id.to_string(), attempts.to_string(), shown(*created_at));
        row([&id, kind, channel, state, &attempts, &created, or_dash(last_error.as_deref())]);
    }
    Ok(())
}

fn unknown(id: MessageId) -> Failure {
    format!("there is no message {id}: see `sekisho messages list --state all`").into()
}

async fn show(app: &App, id: MessageId) -> Result<(), Failure> {
    let found = messages::show_message(&mut *app.db.acquire().await?, id).await?;
    let message = found.ok_or_else(|| unknown(id))?;
    let due = Some(message.due_at).filter(|_| message.state == "queued");
    for (name, value) in [
        ("id", message.id.to_string()),
        ("kind", message.kind),
        ("channel", message.channel),
        ("state", message.state),
        ("attempts", message.attempts.to_string()),
        ("provider", or_dash(message.provider.as_deref()).to_owned()),
        ("reference", or_dash(message.provider_reference.as_deref()).to_owned()),
        ("delivery", or_dash(message.delivery.as_deref()).to_owned()),
        ("created", shown(message.created_at)),
        ("due", shown(due)),
        ("expires", shown(message.expires_at)),
        ("finished", shown(message.finished_at)),
        ("last error", or_dash(message.last_error.as_deref()).to_owned()),
    ] {
        say(&format!("{name:<12} {value}"));
    }
    Ok(())
}

async fn retry(app: &App, id: MessageId) -> Result<(), Failure> {
    let mut tx = app.begin().await?;
    let message = messages::show_message(&mut tx, id).await?.ok_or_else(|| unknown(id))?;
    let now = app.clock.now();
    if !messages::retry_message(&mut tx, id, now).await? {
        return match message.state.as_str() {
            _ if message.expires_at <= now => Err("nothing to do: it has expired".into()),
            "queued" if message.due_at <= now => {
                say("it is due already: it leaves as soon as a provider of its channel works");
                Ok(())
            }
            "queued" => Err("nothing to do: it is being sent just now, or tried again within half a minute".into()),
            "dead" => Err("nothing to do: its text was wiped".into()),
            state => Err(format!("nothing to do: it is in the state {state}").into()),
        };
    }
    let caller = operator(app, "sekisho messages");
    let event = Event::new(EventKind::MessageRetried, &caller).detail(serde_json::json!({ "message_id": id }));
    audit::record(&mut tx, &app.clock, event).await?;
    app.commit(tx).await?;
    say("it is due now");
    Ok(())
}
