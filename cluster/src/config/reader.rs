//! All files of one environment, and what they make together.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Config;
use super::app::{self, App};
use super::bodies::Direction;
use super::environment::Contents;
use super::findings::{ConfigError, FileError, Findings, once};
use super::json::{Node, Source};
use super::place::{File, Place};
use super::problem::What;
use super::servers::Ports;
use super::{dictionary, master, protos, servers};
use crate::dispatch::HANDLERS;
use crate::options::Options;
use crate::wire::dictionary::Dictionary;
use crate::wire::handshake::{Answers, TooLong};
use crate::wire::package::BODY_LEN_LIMIT;
use crate::wire::protobuf::{Protos, Schema};
use crate::wire::vocabulary::Vocabulary;

/// Reads one environment after the other and gathers what is wrong with their files.
pub(super) struct Reader<'p> {
    place: &'p Place,
    shared: Shared,
    errors: Vec<FileError>,
    warnings: Vec<String>,
}

/// What files at the top of the folder hold: each is that of all environments.
#[derive(Default)]
struct Shared {
    app: Slot<App>,
    routes: Slot<Arc<Vec<String>>>,
    server: Slot<Arc<Schema>>,
    client: Slot<Arc<Schema>>,
    /// The vocabulary that was made last.
    vocabulary: Option<(Sources, Vocabulary)>,
}

/// `None` until the file was read; then what was made of it, if anything could be.
type Slot<T> = Option<Option<(String, T)>>;

/// All that a vocabulary depends on: the files of dictionary, server's and client's schema, and
/// whether dictionary and schemas are used.
type Sources = ([Option<String>; 3], [bool; 2]);

/// A file while it is read.
struct Opened<'t> {
    environment: &'t str,
    is_of_environment: bool,
    source: Source<'t>,
    root: Node<'t>,
}

impl<'p> Reader<'p> {
    pub(super) fn new(place: &'p Place) -> Self {
        Self {
            place,
            shared: Shared::default(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads `environment`; `None` if anything was wrong so far.
    pub(super) fn read(&mut self, environment: &str) -> Option<Config> {
        self.warnings.extend(self.place.unread(environment));
        let config = self.config(environment)?;
        self.errors.is_empty().then_some(config)
    }

    /// The warnings, each once.
    ///
    /// # Errors
    ///
    /// All that was wrong.
    pub(super) fn end(self) -> Result<Vec<String>, ConfigError> {
        if self.errors.is_empty() {
            Ok(once(self.warnings))
        } else {
            Err(ConfigError::new(self.errors, self.warnings))
        }
    }

    /// All files; `None` without servers. Where there are errors, the result is of no use.
    fn config(&mut self, environment: &str) -> Option<Config> {
        let servers = self.open(File::Servers, environment, |file, findings| {
            let (path, node) = file.part(servers::CONTENTS, findings)?;
            servers::read(&file.source, &path, node, findings)
        });
        let app = self.shared(
            File::App,
            environment,
            |shared| &mut shared.app,
            |file, findings| app::read(&file.source, file.root, findings),
        );
        let app = app.map_or_else(App::default, |(_, app)| app);
        let vocabulary = self.vocabulary(environment, &app);
        let none = (String::new(), Ports::default());
        let (servers_file, ports) = match &servers {
            Some((file, servers)) => (file, &servers.ports),
            None => (&none.0, &none.1),
        };
        let master = self.open(File::Master, environment, |file, findings| {
            // An environment that nobody has is not missed in the second file as well.
            if servers.is_none() && !file.has_part(master::CONTENTS) {
                return None;
            }
            let (path, node) = file.part(master::CONTENTS, findings)?;
            master::check(&file.source, &path, node, (servers_file, ports), findings);
            Some(())
        });
        let (servers_file, servers) = servers?;
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
    fn vocabulary(&mut self, environment: &str, app: &App) -> Vocabulary {
        let routes = self.shared(
            File::Dictionary,
            environment,
            |shared| &mut shared.routes,
            |file, findings| Arc::new(dictionary::read(&file.source, file.root, findings)),
        );
        let server = self.shared(
            File::ServerProtos,
            environment,
            |shared| &mut shared.server,
            |file, findings| file.schema(Direction::Server, findings),
        );
        let client = self.shared(
            File::ClientProtos,
            environment,
            |shared| &mut shared.client,
            |file, findings| file.schema(Direction::Client, findings),
        );
        let (routes_file, routes) = routes.unzip();
        let (server_file, server) = server.unzip();
        let (client_file, client) = client.unzip();
        let files = [routes_file, server_file, client_file];
        let sources = (files, [app.use_dict, app.use_protobuf]);
        if let Some((_, made)) = self
            .shared
            .vocabulary
            .as_ref()
            .filter(|(of, _)| *of == sources)
        {
            return made.clone();
        }

        let routes = routes.unwrap_or_default();
        let dictionary = Dictionary::new(&HANDLERS, &routes).expect("too many were refused");
        let [server, client] = [server, client].map(|schema| schema.map(Arc::unwrap_or_clone));
        let protos = Protos::new(server.unwrap_or_default(), client.unwrap_or_default());
        let vocabulary = Vocabulary {
            dictionary: app.use_dict.then(|| Arc::new(dictionary)),
            protos: app.use_protobuf.then(|| Arc::new(protos)),
        };
        self.check_handshake(&sources.0, &vocabulary);
        self.shared.vocabulary = Some((sources, vocabulary.clone()));
        vocabulary
    }

    /// The answer to a handshake, which holds the vocabulary, must fit a package. If it does not, it
    /// is for the file (of dictionary, server's and client's schema) with the most of it.
    fn check_handshake(&mut self, files: &[Option<String>; 3], vocabulary: &Vocabulary) {
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
            self.errors.push(FileError::about(file, 1, what));
        }
    }

    /// As [`Self::open`], but a file at the top of the folder is read once for all environments and
    /// kept in its `slot`.
    fn shared<T: Clone>(
        &mut self,
        file: File,
        environment: &str,
        slot: impl Fn(&mut Shared) -> &mut Slot<T>,
        read: impl FnOnce(&Opened<'_>, &mut Findings) -> T,
    ) -> Option<(String, T)> {
        if let Some(kept) = slot(&mut self.shared) {
            return kept.clone();
        }
        let mut is_shared = false;
        let opened = self.open(file, environment, |file, findings| {
            is_shared = !file.is_of_environment;
            Some(read(file, findings))
        });
        if is_shared {
            *slot(&mut self.shared) = Some(opened.clone());
        }
        opened
    }

    /// Opens a file and has it read by `read`; the result comes with the name of the file. `None` if
    /// there is no such file, or nothing can be made of it.
    fn open<T>(
        &mut self,
        file: File,
        environment: &str,
        read: impl FnOnce(&Opened<'_>, &mut Findings) -> Option<T>,
    ) -> Option<(String, T)> {
        let text = match self.place.open(file, environment) {
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
            environment,
            is_of_environment: text.is_of_environment,
            source,
            root,
        };
        let mut findings = Findings::new(&text.file);
        let value = read(&opened, &mut findings);
        let (error, warnings) = findings.end();
        self.errors.extend(error);
        self.warnings.extend(warnings);
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

    /// Whether there is such a part.
    fn has_part(&self, contents: Contents) -> bool {
        self.is_of_environment || contents.has(self.environment, self.root)
    }

    fn schema(&self, direction: Direction, findings: &mut Findings) -> Arc<Schema> {
        let schema = protos::read(&self.source, self.root, direction, findings);
        Arc::new(schema)
    }
}

fn json_len(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
