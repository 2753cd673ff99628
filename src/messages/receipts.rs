//! What providers tell of a message after they took it.

/// Longest reason that is kept.
const MAX_REASON: usize = 64;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It arrived.
    Delivered,
    /// It never will, for this reason.
    Undelivered(Option<String>),
}

impl Receipt {
    /// It never will arrive. A reason that is no single word could hold a number or an address, and is not kept.
    pub fn undelivered(reason: &str) -> Self {
        let word = reason.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let word = word && reason.len() <= MAX_REASON && reason.bytes().filter(u8::is_ascii_digit).count() < 7;
        Self::Undelivered((word && !reason.is_empty()).then(|| reason.to_owned()))
    }

    /// The receipt's name in the database and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Undelivered(_) => "undelivered",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        if let Self::Undelivered(reason) = self { reason.as_deref() } else { None }
    }
}

/// Reads a status callback of Twilio; nothing while the message is under way.
pub fn twilio_receipt(fields: &[(String, String)]) -> Option<Receipt> {
    let field = |name: &str| fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let status = field("MessageStatus").or(field("CallStatus"))?;
    match status {
        "delivered" | "read" | "completed" => Some(Receipt::Delivered),
        "undelivered" | "failed" | "canceled" | "busy" | "no-answer" => {
            Some(Receipt::undelivered(field("ErrorCode").unwrap_or(status)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)]) -> Option<Receipt> {
        let fields: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        twilio_receipt(&fields)
    }

    #[test]
    fn only_what_is_final_is_a_receipt() {
        for under_way in ["queued", "sending", "sent", "ringing", "in-progress", "initiated", "nonsense"] {
            assert_eq!(told(&[("MessageStatus", under_way)]), None);
            assert_eq!(told(&[("CallStatus", under_way)]), None);
        }
        assert_eq!(told(&[("MessageStatus", "delivered")]), Some(Receipt::Delivered));
        assert_eq!(told(&[("CallStatus", "completed")]), Some(Receipt::Delivered));
        let failed = told(&[("MessageStatus", "undelivered"), ("ErrorCode", "30005")]);
        assert_eq!(failed, Some(Receipt::Undelivered(Some("30005".to_owned()))));
        assert_eq!(told(&[("CallStatus", "no-answer")]), Some(Receipt::Undelivered(Some("no-answer".to_owned()))));
        assert_eq!(told(&[("To", "+819012345678")]), None);
    }

    #[test]
    fn a_reason_that_could_name_somebody_is_not_kept() {
        for reason in ["", "+819012345678", "819012345678", "taro@example.jp", "no such user", &"x".repeat(65)] {
            assert_eq!(Receipt::undelivered(reason), Receipt::Undelivered(None), "{reason}");
        }
    }
}
