//! SES's query protocol, keeping what it is sent.

use crate::{Call, Reply, kept::Kept};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(Debug, Clone)]
pub struct Mailbox(Kept<Vec<Mail>>);

/// Most mails that are kept; the oldest go first.
const MOST: usize = 500;

impl Mailbox {
    pub fn new(kept: Kept<Vec<Mail>>) -> Self {
        Self(kept)
    }

    pub fn answer(&self, call: &Call) -> Reply {
        let form: HashMap<String, String> = serde_urlencoded::from_bytes(&call.body).unwrap_or_default();
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let xml = |status, body: String| Reply { status, content_type: "text/xml", body };
        if field("Action") != "SendEmail" {
            return xml(400, "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code></Error></ErrorResponse>".into());
        }
        let mail = Mail {
            to: field("Destination.ToAddresses.member.1"),
            subject: field("Message.Subject.Data"),
            text: field("Message.Body.Text.Data"),
            html: field("Message.Body.Html.Data"),
        };
        // As SES does for its simulator's address.
        if mail.to.starts_with("reject@") {
            return xml(400, "<ErrorResponse><Error><Type>Sender</Type><Code>MessageRejected</Code></Error></ErrorResponse>".into());
        }
        self.0.change(|mails| {
            mails.push(mail);
            let surplus = mails.len().saturating_sub(MOST);
            mails.drain(..surplus);
        });
        xml(200, "<SendEmailResponse><SendEmailResult><MessageId>local</MessageId></SendEmailResult></SendEmailResponse>".into())
    }

    pub fn all(&self) -> Vec<Mail> {
        self.0.read(Clone::clone)
    }
}
