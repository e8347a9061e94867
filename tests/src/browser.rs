//! Headless Chromium, driven by chromedriver; both come from Debian (`apt-get install chromium chromium-driver`).

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use fantoccini::{
    Client, ClientBuilder,
    actions::{InputSource, KeyAction, KeyActions},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Outcome, data, http_client, wait};

/// Runs axe-core with all its rules except two groups: those of level AAA, which WCAG does not recommend for whole sites, and
/// deprecated ones. Experimental rules are off by default; one of them compares the name of a button with the words on it.
const AXE: &str = "const rules = axe.getRules().filter(({tags}) => !tags.some((tag) => /aaa$|^deprecated$/.test(tag))); \
    return axe.run({rules: Object.fromEntries(rules.map(({ruleId}) => [ruleId, {enabled: true}])), resultTypes: ['violations']}) \
    .then(({violations}) => violations.flatMap(({id, impact, help, nodes}) => \
    nodes.map(({html, failureSummary}) => `${id} (${impact}): ${help}: ${html}: ${failureSummary}`)))";

/// A browser with one window. Its processes end when this is dropped.
#[derive(Debug)]
pub struct Browser {
    /// The WebDriver client, for commands without a method here.
    pub client: Client,
    driver: Child,
    driver_url: String,
    /// A fresh profile.
    _profile: TempDir,
}

/// Observations of the browser about the page.
#[derive(Debug, Default)]
pub struct Seen {
    /// Console messages of level warning and above, including violations of the content security policy.
    pub complaints: Vec<String>,
    /// Every requested URL, except those of the browser's own pages (`chrome://…`).
    pub requested: Vec<String>,
}

impl Browser {
    /// Starts a driver at a free port, and a browser.
    pub async fn start() -> Outcome<Self> {
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let absent = |error| format!("chromedriver cannot be started ({error}): run `make setup`");
        let mut driver = command.spawn().map_err(absent)?;
        let driver_url = format!("http://127.0.0.1:{}", port(&mut driver).await?);
        let profile = tempfile::tempdir()?;
        let capabilities = capabilities(profile.path());
        let Value::Object(capabilities) = capabilities else {
            return Err("capabilities are an object".into());
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&driver_url).await?;
        Ok(Self { client, driver, driver_url, _profile: profile })
    }

    /// Runs a script in the page and returns its result.
    pub async fn js(&self, script: &str) -> Outcome<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Waits until an expression is true in the page.
    pub async fn until(&self, expression: &str) -> Outcome {
        let script = format!("return Boolean({expression})");
        wait::until(expression, async || Ok((self.js(&script).await? == true).then_some(()))).await
    }

    /// Presses keys one after the other. For keys that are not letters use `fantoccini::key::Key`.
    pub async fn press(&self, keys: impl IntoIterator<Item = char>) -> Outcome {
        let mut actions = KeyActions::new("keyboard".into());
        for value in keys {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(actions).await?)
    }

    /// Sets the size of the window in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32, mobile: bool) -> Outcome {
        let scale = if mobile { 2 } else { 1 };
        let params = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", params).await
    }

    /// Emulates the preference for reduced motion.
    pub async fn reduce_motion(&self) -> Outcome {
        let features = json!([{"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await
    }

    /// Disconnects or reconnects the network.
    pub async fn set_offline(&self, offline: bool) -> Outcome {
        self.devtools("Network.enable", json!({})).await?;
        let conditions =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.emulateNetworkConditions", conditions).await
    }

    /// Waits until animations end, then writes a screenshot to `target/screenshots/NAME.png`.
    pub async fn picture(&self, name: &str) -> Outcome<PathBuf> {
        self.until("document.getAnimations().length === 0").await?;
        self.until("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
            .await?;
        let target = crate::runtime::binary()?
            .ancestors()
            .nth(2)
            .ok_or("the test binary is not in a target folder")?
            .to_owned();
        let folder = target.join("screenshots");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&file, self.client.screenshot().await?)?;
        Ok(file)
    }

    /// Violations of accessibility rules that axe-core finds in the page as it is now.
    pub async fn violations(&self) -> Outcome<Vec<String>> {
        // A colour that is still fading has no contrast of its own yet.
        self.until("document.getAnimations().length === 0").await?;
        if self.js("return typeof axe").await? == "undefined" {
            let file = data::cache()?.join("tools/axe-core/axe.min.js");
            let absent = |error| format!("{}: {error}: run `make setup`", file.display());
            self.js(&std::fs::read_to_string(&file).map_err(absent)?).await?;
        }
        Ok(serde_json::from_value(self.js(AXE).await?)?)
    }

    /// Observations since the last call.
    pub async fn seen(&self) -> Outcome<Seen> {
        let mut seen = Seen::default();
        for entry in self.log("browser").await? {
            if entry["level"] == "SEVERE" || entry["level"] == "WARNING" {
                seen.complaints.push(entry["message"].to_string());
            }
        }
        for entry in self.log("performance").await? {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let (method, params) = (&event["message"]["method"], &event["message"]["params"]);
            let asks = method == "Network.requestWillBeSent";
            let own = params["documentURL"].as_str().is_some_and(|page| page.starts_with("chrome"));
            if asks && !own {
                seen.requested.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
        }
        Ok(seen)
    }

    async fn log(&self, kind: &str) -> Outcome<Vec<Value>> {
        let answer = self.command("se/log", &json!({"type": kind})).await?;
        Ok(answer.as_array().cloned().unwrap_or_default())
    }

    async fn devtools(&self, command: &str, params: Value) -> Outcome {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": params})).await.map(drop)
    }

    /// Sends a command that only chromedriver has.
    async fn command(&self, path: &str, body: &Value) -> Outcome<Value> {
        let session = self.client.session_id().await?.ok_or("the browser has no session")?;
        let url = format!("{}/session/{session}/{path}", self.driver_url);
        let answer = http_client()?.post(url).json(body).send().await?;
        let mut answer: Value = answer.json().await?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", answer["value"]["message"]).into()),
            None => Ok(answer["value"].take()),
        }
    }

    /// Ends browser and driver.
    pub async fn stop(mut self) -> Outcome {
        self.client.clone().close().await?;
        Ok(self.driver.kill().await?)
    }
}

/// Reads the port from the driver's output.
async fn port(driver: &mut Child) -> Outcome<u16> {
    let stdout = driver.stdout.take().ok_or("chromedriver has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let said = async {
        while let Some(line) = lines.next_line().await? {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return Outcome::Ok(port.trim_end_matches('.').trim().parse()?);
            }
        }
        Err("chromedriver ended before it printed its port".into())
    };
    let port = tokio::time::timeout(wait::PATIENCE, said)
        .await
        .map_err(|_| "chromedriver did not print its port")??;
    // Later output must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(port)
}

fn capabilities(profile: &Path) -> Value {
    let profile = format!("--user-data-dir={}", profile.display());
    json!({
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "goog:chromeOptions": {"args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--window-size=1440,900", "--force-color-profile=srgb", profile,
        ]},
    })
}
