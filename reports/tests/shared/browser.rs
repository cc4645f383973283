//! A page as a browser shows it: the first `chromium` in the PATH, or `$CHROMIUM`.

use std::error::Error;
use std::fs;
use std::process::Command;

/// The elements of `page` after its script ran, in a browser that reaches nobody.
///
/// Panics if the page says anything in the console, which a page does whose policy refused something,
/// or if a hostile name in it did something.
pub fn shown(page: &str) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("page.html");
    fs::write(&path, page)?;
    let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| String::from("chromium"));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--enable-logging=stderr", "--proxy-server=127.0.0.1:9"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", path.display()))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("CONSOLE"), "{said}");
    assert!(!shown.contains("data-ran"), "a name was run");
    assert!(!shown.contains("<img"), "a name became an element");
    Ok(shown)
}
