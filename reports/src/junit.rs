//! JUnit XML: what CI servers read to show which checks failed.
//!
//! There is no date in it, so that the same results make the same file.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Cases that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// What they are called together.
    pub name: String,
    /// In the order in which they are shown.
    pub cases: Vec<Case>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is called; once in its suite.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// What it came to.
    pub end: End,
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It held.
    Passed,
    /// It did not.
    Failed {
        /// Why, in one line.
        message: String,
        /// All that is known, with the command that repeats it.
        text: String,
    },
    /// It could not be told, and somebody has to mend that: nothing was wrong with what was checked.
    Error {
        /// Why, in one line.
        message: String,
        /// All that is known, with the command that repeats it.
        text: String,
    },
    /// It could not be told.
    Skipped {
        /// Why, in one line.
        message: String,
    },
}

/// The XML of `suites`, called `name` together.
pub fn xml(name: &str, suites: &[Suite]) -> String {
    let mut report = Report::new(name);
    for suite in suites {
        let mut told = TestSuite::new(suite.name.as_str());
        told.add_test_cases(suite.cases.iter().map(|case| test_case(suite, case)));
        report.add_test_suite(told);
    }
    let xml = report.to_string();
    xml.expect("memory takes all that is written, and what XML cannot hold is left out")
}

fn test_case(suite: &Suite, case: &Case) -> TestCase {
    let status = match &case.end {
        End::Passed => TestCaseStatus::success(),
        End::Failed { message, text } => non_success(NonSuccessKind::Failure, message, text),
        End::Error { message, text } => non_success(NonSuccessKind::Error, message, text),
        End::Skipped { message } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message.as_str());
            status
        }
    };
    let mut told = TestCase::new(case.name.as_str(), status);
    told.set_classname(suite.name.as_str());
    told.set_time(case.took);
    told
}

fn non_success(kind: NonSuccessKind, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status.set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, end: End) -> Case {
        Case {
            name: String::from(name),
            took: Duration::from_millis(1500),
            end,
        }
    }

    /// The format as CI servers know it: counts on suites, a child element for what is no success,
    /// and nothing that could be taken for markup.
    #[test]
    fn failures_are_counted_and_told_and_markup_in_them_is_inert() {
        let suites = [Suite {
            name: String::from("sim"),
            cases: vec![
                case("steady", End::Passed),
                case(
                    "chat-crash",
                    End::Failed {
                        message: String::from("G4 <delivered>"),
                        text: String::from("u1 & u2 \u{1}]]> missed it"),
                    },
                ),
                case(
                    "load",
                    End::Error {
                        message: String::from("INVALID: too <busy>"),
                        text: String::from("again"),
                    },
                ),
                case(
                    "link-hold",
                    End::Skipped {
                        message: String::from("undecided"),
                    },
                ),
            ],
        }];
        let xml = xml("sim ci", &suites);
        for part in [
            r#"<testsuites name="sim ci" tests="4" skipped="1" failures="1" errors="1">"#,
            r#"<testsuite name="sim" tests="4" skipped="1" errors="1" failures="1">"#,
            r#"<testcase name="steady" classname="sim" time="1.500""#,
            r#"<failure message="G4 &lt;delivered&gt;">"#,
            r#"u1 &amp; u2 "#,
            r#"<error message="INVALID: too &lt;busy&gt;">again</error>"#,
            r#"<skipped message="undecided"/>"#,
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
        assert!(!xml.contains('\u{1}'), "no XML may hold this character");
        assert!(!xml.contains("]]>"), "the end of a section that is none");
    }
}
