//! A person with the demo page in a browser.

use std::path::Path;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::clients::node;
use crate::cluster::Cluster;
use crate::program::{PATIENCE, Program, Result};
use crate::user::is_usual;

pub struct Page {
    name: String,
    program: Program,
}

impl Page {
    /// Opens the page, and joins the room `lobby` as `name`.
    pub async fn join(cluster: &Cluster, name: &str) -> Result<Self> {
        let mut command = node("page.js")?;
        command.arg(&cluster.page);
        let mut page = Self {
            name: name.to_owned(),
            program: Program::start(&format!("{name}'s page"), &mut command)?,
        };
        page.does(json!({"join": name, "room": "lobby"})).await?;
        Ok(page)
    }

    /// One command of `drivers/page.js`.
    pub async fn does(&mut self, command: Value) -> Result {
        self.program.tell(&command.to_string()).await
    }

    pub async fn says(&mut self, text: &str) -> Result {
        self.does(json!({"say": text})).await
    }

    /// Looks at the page until `field` is `wanted`; gives all that is there then.
    pub async fn shows(&mut self, field: &str, wanted: Value) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Value::Null;
        while seen[field] != wanted {
            self.does(json!({"look": true})).await?;
            seen = timeout_at(deadline, self.page())
                .await
                .map_err(|_| format!("{} never saw {field} {wanted}, but {seen}", self.name))??;
            if Instant::now() > deadline {
                return Err(format!("{} never saw {field} {wanted}, but {seen}", self.name).into());
            }
        }
        Ok(seen)
    }

    /// Waits for a last message that is just this one: from whom, to whom alone or null, and what.
    pub async fn reads(&mut self, from: &str, private: Option<&str>, text: &str) -> Result {
        let message = json!({"from": from, "private": private, "text": text});
        self.shows("lastMessage", message).await?;
        Ok(())
    }

    /// A picture of it, which nobody but people look at; that it is not too wide is tested.
    pub async fn picture(&mut self, name: &str, width: u32, scheme: &str) -> Result {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{scheme}.png"));
        self.does(json!({"picture": file, "width": width, "height": 640, "scheme": scheme}))
            .await?;
        let page = self.page().await?;
        assert_eq!(page["isWiderThanWindow"], false, "{width} at {}", self.name);
        Ok(())
    }

    /// Closes the browser.
    pub async fn close(mut self) -> Result {
        for line in self.program.last_lines().await? {
            self.take(&line)?;
        }
        let status = self.program.ended().await?;
        assert_eq!(status.code(), Some(0), "{} ended badly", self.name);
        Ok(())
    }

    async fn page(&mut self) -> Result<Value> {
        loop {
            let line = self.program.line().await?;
            if let Some(page) = self.take(&line)? {
                return Ok(page);
            }
        }
    }

    /// What the page shows; nothing is to be on the console that is not always there.
    fn take(&self, line: &str) -> Result<Option<Value>> {
        let event: Value = serde_json::from_str(line)?;
        if event["event"] == "page" {
            assert_eq!(event["strange"], 0, "elements at {}", self.name);
            assert_eq!(event["wasRun"], false, "a script at {}", self.name);
            return Ok(Some(event));
        }
        let text = event["text"].as_str().unwrap_or_default();
        assert!(is_usual(text), "{text} on the console of {}", self.name);
        Ok(None)
    }
}
