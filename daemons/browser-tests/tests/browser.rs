//! A headless Chromium of its own, and how a test looks at a page.

use crate::harness::eventually;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use tempfile::TempDir;

/// How wide and how bright the window is.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub name: &'static str,
    pub width: u32,
    pub height: u32,
    pub scheme: &'static str,
}

pub const LOOKS: [Look; 4] = [
    Look { name: "desktop-light", width: 1280, height: 1000, scheme: "light" },
    Look { name: "desktop-dark", width: 1280, height: 1000, scheme: "dark" },
    Look { name: "phone-light", width: 390, height: 844, scheme: "light" },
    Look { name: "phone-dark", width: 390, height: 844, scheme: "dark" },
];

/// A browser. Both it and its driver end when this is dropped.
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver cannot be run: install chromium and chromium-driver");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines
            .find_map(|line| {
                line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver says its port");
        std::thread::spawn(move || lines.for_each(drop));

        let profile = TempDir::new().unwrap();
        let args = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            format!("--user-data-dir={}", profile.path().display()),
        ]);
        let capabilities = json!({"goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL"}});
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts");
        Self { client, driver, _profile: profile }
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Sets the size of the window's inside, and light or dark.
    pub async fn look(&self, look: Look) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false}),
        )
        .await;
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": look.scheme}]});
        self.devtools("Emulation.setEmulatedMedia", scheme).await;
    }

    /// Turns JavaScript off or on for the pages loaded from now on.
    pub async fn scripting(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !on})).await;
    }

    /// A command of the browser's own protocol.
    async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({"cmd": command, "params": params});
        self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body }).await.unwrap()
    }

    /// The whole page as a picture, if pictures are wanted.
    pub async fn picture(&self, name: &str) {
        let Some(dir) = std::env::var_os("DISTLOG_SCREENSHOTS") else { return };
        std::fs::create_dir_all(&dir).unwrap();
        // The window is made as high as the page, so that all of it is seen.
        let [width, height] =
            ["innerWidth", "document.documentElement.scrollHeight"].map(|what| format!("return {what}"));
        let (width, height) = (self.run(&width).await, self.run(&height).await);
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        )
        .await;
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(std::path::Path::new(&dir).join(format!("{name}.png")), png).unwrap();
    }

    /// Opens a tab and goes there.
    pub async fn new_tab(&self) {
        let window = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(window.handle).await.unwrap();
    }

    /// Brings the tab into sight that was there first.
    pub async fn first_tab(&self) {
        let window = self.client.windows().await.unwrap().into_iter().next().unwrap();
        self.client.switch_to_window(window).await.unwrap();
        self.devtools("Page.bringToFront", json!({})).await;
    }

    /// The serious and critical findings of axe-core, a checker of accessibility.
    pub async fn serious_findings(&self) -> Value {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/axe/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(path)
            .expect("axe-core is missing: npm install --prefix target/tools/axe axe-core@4.10.3");
        self.client.execute(&axe, Vec::new()).await.unwrap();
        let run = "const done = arguments[0]; \
            axe.run().then(({violations}) => done(violations \
                .filter(({impact}) => impact === 'serious' || impact === 'critical') \
                .map(({id, nodes}) => `${id}: ${nodes[0].html}`)))";
        self.client.execute_async(run, Vec::new()).await.unwrap()
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The text that is seen of an element; empty when there is none.
    pub async fn text(&self, css: &str) -> String {
        match self.client.find(Locator::Css(css)).await {
            // It may be replaced while it is read.
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the text of an element is as wanted.
    pub async fn sees(&self, css: &str, wanted: &str) {
        let mut last = String::new();
        let seen = async {
            eventually("", async || {
                last = self.text(css).await;
                last.contains(wanted).then_some(())
            })
            .await;
        };
        let patience = std::time::Duration::from_secs(20);
        if tokio::time::timeout(patience, seen).await.is_err() {
            panic!("'{wanted}' is never seen in {css}, but: {last}");
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.client.wait().for_element(Locator::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    /// Empties a field and types into it.
    pub async fn type_into(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// What the browser complained of: errors of scripts, things that the
    /// policy forbids, answers that were refusals.
    pub async fn complaints(&self) -> Vec<String> {
        let entries =
            self.client.issue_cmd(Vendor { path: "se/log", body: json!({"type": "browser"}) }).await.unwrap();
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes its browser with it; what is left of its group, when
        // it could not, goes too.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        for _ in 0..100 {
            if !matches!(self.driver.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.driver.wait();
    }
}

/// A command of chromedriver that WebDriver does not have.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
