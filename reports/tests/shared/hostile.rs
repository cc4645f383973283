//! What harm a page could do to whoever opens it.

/// What a hostile name would do if it could.
pub const HOSTILE: &str = "</text></title></style></script><script>document.documentElement.dataset.ran=1</script>\
                           <img src=x onerror=\"document.documentElement.dataset.ran=1\">";

/// Panics if a name on `page`, where everything is called [`HOSTILE`], is read as HTML; the page has
/// `scripts` elements of that kind of its own.
pub fn check_names(page: &str, scripts: usize) {
    assert!(page.contains("&lt;script&gt;document.documentElement.dataset.ran=1"));
    assert_eq!(page.matches("<script").count(), scripts);
    assert_eq!(page.matches("</script").count(), scripts);
    assert_eq!(page.matches("</style").count(), 1);
    assert_eq!(page.matches("<img").count(), 0);
}

/// Panics if `page` would fetch anything, or leads anywhere else.
pub fn check_needs_nothing(page: &str) {
    assert!(page.starts_with("<!doctype html>"));
    // The name of the drawing's elements is no address that is asked for, and what begins with # is on
    // the page itself.
    let mut page = page.replace("http://www.w3.org/2000/svg", "");
    for own in ["url(#", "href=\"#"] {
        page = page.replace(own, "");
    }
    for way_out in [
        "http://", "https://", "url(", "@import", "src=\"", "href=", "<link", "style=\"",
    ] {
        assert!(!page.contains(way_out), "{way_out}");
    }
}
