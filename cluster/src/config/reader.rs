//! All files of one environment, and what they make together.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Config;
use super::app::{self, App};
use super::bodies::Direction;
use super::environment::Contents;
use super::findings::{FileError, Findings};
use super::json::{Node, Source};
use super::place::{File, Place};
use super::problem::What;
use super::{dictionary, master, protos, servers};
use crate::dispatch::HANDLERS;
use crate::options::Options;
use crate::wire::dictionary::Dictionary;
use crate::wire::handshake::{Answers, TooLong};
use crate::wire::package::BODY_LEN_LIMIT;
use crate::wire::protobuf::{Protos, Schema};
use crate::wire::vocabulary::Vocabulary;

/// Reads `environment`.
///
/// # Errors
///
/// All that is wrong in its files.
pub(super) fn read(place: &Place, environment: &str) -> Result<Config, Vec<FileError>> {
    let mut reader = Reader {
        place,
        environment,
        errors: Vec::new(),
        warnings: place.unread(environment),
    };
    let config = reader.config();
    match config {
        Some(config) if reader.errors.is_empty() => Ok(Config {
            warnings: reader.warnings,
            ..config
        }),
        _ => Err(reader.errors),
    }
}

/// Reads one file after the other and gathers what is wrong with them.
struct Reader<'p> {
    place: &'p Place,
    environment: &'p str,
    errors: Vec<FileError>,
    warnings: Vec<String>,
}

/// A file while it is read.
struct Opened<'t> {
    environment: &'t str,
    is_of_environment: bool,
    source: Source<'t>,
    root: Node<'t>,
}

impl Reader<'_> {
    /// All files; `None` without servers. Where there are errors, the result is of no use.
    fn config(&mut self) -> Option<Config> {
        let servers = self.read(File::Servers, |file, findings| {
            let (path, node) = file.part(servers::CONTENTS, findings)?;
            servers::read(&file.source, &path, node, findings)
        });
        let app = self.read(File::App, |file, findings| {
            Some(app::read(&file.source, file.root, findings))
        });
        let app = app.map_or_else(App::default, |(_, app)| app);
        let vocabulary = self.vocabulary(&app);
        // An environment that nobody has is not missed in the second file as well.
        let (servers_file, servers) = servers?;
        let ports = (servers_file.as_str(), &servers.ports);
        let master = self.read(File::Master, |file, findings| {
            let (path, node) = file.part(master::CONTENTS, findings)?;
            master::check(&file.source, &path, node, ports, findings);
            Some(())
        });
        Some(Config {
            topology: servers.topology,
            options: Options {
                vocabulary,
                ..app.options
            },
            servers_file,
            master_file: master.map(|(file, ())| file),
            warnings: Vec::new(),
        })
    }

    /// What the dictionary and the schemas make, as far as the application uses them. They are read
    /// in any case.
    fn vocabulary(&mut self, app: &App) -> Vocabulary {
        let routes = self.read(File::Dictionary, |file, findings| {
            Some(dictionary::read(&file.source, file.root, findings))
        });
        let server = self.schema(File::ServerProtos, Direction::Server);
        let client = self.schema(File::ClientProtos, Direction::Client);
        let (routes_file, routes) = routes.unzip();
        let (server_file, server) = server.unzip();
        let (client_file, client) = client.unzip();

        let routes = routes.unwrap_or_default();
        let dictionary = Dictionary::new(&HANDLERS, &routes).expect("too many were refused");
        let protos = Protos::new(server.unwrap_or_default(), client.unwrap_or_default());
        let vocabulary = Vocabulary {
            dictionary: app.use_dict.then(|| Arc::new(dictionary)),
            protos: app.use_protobuf.then(|| Arc::new(protos)),
        };
        self.check_handshake([routes_file, server_file, client_file], &vocabulary);
        vocabulary
    }

    fn schema(&mut self, file: File, direction: Direction) -> Option<(String, Schema)> {
        self.read(file, |file, findings| {
            let schema = protos::read(&file.source, file.root, direction, findings);
            Some(schema)
        })
    }

    /// The answer to a handshake, which holds the vocabulary, must fit a package. If it does not, it
    /// is for the file (of dictionary, server's and client's schema) with the most of it.
    fn check_handshake(&mut self, files: [Option<String>; 3], vocabulary: &Vocabulary) {
        // No heartbeat is written with more digits.
        let Err(TooLong { len }) = Answers::new(Some(Duration::MAX), vocabulary.clone()) else {
            return;
        };
        let mut lens = [0; 3];
        if let Some(dictionary) = &vocabulary.dictionary {
            let (codes, names) = (dictionary.route_to_code(), dictionary.code_to_route());
            // The codes are there twice.
            lens[0] = 2 * json_len(&codes) + json_len(&names);
        }
        if let Some(protos) = &vocabulary.protos {
            lens[1] = json_len(protos.server().to_parsed());
            lens[2] = json_len(protos.client().to_parsed());
        }
        let largest = lens.into_iter().zip(files).max();
        if let Some((_, Some(file))) = largest {
            let max = BODY_LEN_LIMIT;
            let what = What::HandshakeTooLong { len, max };
            self.errors.push(FileError::about(&file, 1, what));
        }
    }

    /// Opens a file and has it read by `read`; the result comes with the name of the file. `None` if
    /// there is no such file, or nothing can be made of it.
    fn read<T>(
        &mut self,
        file: File,
        read: impl FnOnce(&Opened<'_>, &mut Findings) -> Option<T>,
    ) -> Option<(String, T)> {
        let text = match self.place.open(file, self.environment) {
            Ok(text) => text?,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let (source, root) = match Source::open(&text.text) {
            Ok(opened) => opened,
            Err(cause) => {
                self.errors.push(FileError::not_json(&text.file, &cause));
                return None;
            }
        };
        let opened = Opened {
            environment: self.environment,
            is_of_environment: text.is_of_environment,
            source,
            root,
        };
        let mut findings = Findings::new(&text.file);
        let value = read(&opened, &mut findings);
        match findings.end() {
            Ok(warnings) => self.warnings.extend(warnings),
            Err(error) => self.errors.push(error),
        }
        Some((text.file, value?))
    }
}

impl<'t> Opened<'t> {
    /// The part that is for the environment, and the path to it.
    fn part(&self, contents: Contents, findings: &mut Findings) -> Option<(String, Node<'t>)> {
        if self.is_of_environment {
            return Some((String::new(), self.root));
        }
        contents.of(self.environment, &self.source, self.root, findings)
    }
}

fn json_len(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
