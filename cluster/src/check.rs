//! `cluster check`: reads a configuration and prints what it holds.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

use cluster::config::{Config, ConfigError, Place, settings};
use cluster::options::Options;
use cluster::process::addresses;
use cluster::wire::dictionary::Dictionary;
use cluster::wire::protobuf::{Protos, Schema};

use crate::cli;

/// Prints what each environment is; nothing if there is a mistake in any.
pub fn check(arguments: &cli::Check) -> Result<ExitCode, ConfigError> {
    let place = match arguments.path.is_dir() {
        true => Place::folder(&arguments.path),
        false => Place::servers(&arguments.path),
    };
    let (mut sound, mut notes) = (Vec::new(), BTreeSet::new());
    let mut each = |name: &str, config: Config| {
        notes.extend(config.master_file.as_ref().map(|file| {
            format!("note: {file} is not used: these servers find each other without a master")
        }));
        print(&mut sound, name, &config).expect("memory takes what is written");
    };
    let warnings = match &arguments.environment {
        Some(name) => {
            let config = place.load(name)?;
            let warnings = config.warnings.clone();
            each(name, config);
            warnings
        }
        None => place.check(each)?,
    };
    for line in warnings.iter().chain(&notes) {
        crate::say(line);
    }
    // Whoever closed standard output, such as `head`, has read enough.
    let _ = io::stdout().lock().write_all(&sound);
    Ok(ExitCode::SUCCESS)
}

fn print(stdout: &mut impl Write, name: &str, config: &Config) -> io::Result<()> {
    let topology = &config.topology;
    let vocabulary = &config.options.vocabulary;
    writeln!(
        stdout,
        "{}: gate {}, connector {}, chat {}",
        name.escape_debug(),
        topology.gates.len(),
        topology.connectors.len(),
        topology.chats.len()
    )?;
    for address in addresses(topology) {
        writeln!(stdout, "  {address}")?;
    }
    match &vocabulary.dictionary {
        Some(dictionary) => print_dictionary(stdout, dictionary)?,
        None => writeln!(stdout, "  no dictionary")?,
    }
    match &vocabulary.protos {
        Some(protos) => print_protos(stdout, protos)?,
        None => writeln!(stdout, "  no protobuf")?,
    }
    print_settings(stdout, &config.options)
}

fn print_dictionary(stdout: &mut impl Write, dictionary: &Dictionary) -> io::Result<()> {
    writeln!(stdout, "  dictVersion {}", dictionary.version())?;
    for (code, route) in dictionary.code_to_route() {
        let route = route.as_str().unwrap_or_default();
        writeln!(stdout, "    {code} {}", route.escape_debug())?;
    }
    Ok(())
}

fn print_protos(stdout: &mut impl Write, protos: &Protos) -> io::Result<()> {
    writeln!(stdout, "  protoVersion {}", protos.version())?;
    let mut print = |from, schema: &Schema| {
        let messages = schema.to_parsed().keys();
        for route in messages.filter(|name| !name.starts_with("message ")) {
            writeln!(stdout, "    {from} {}", route.escape_debug())?;
        }
        Ok(())
    };
    print("server", protos.server())?;
    print("client", protos.client())
}

/// Those that are not as by default.
fn print_settings(stdout: &mut impl Write, options: &Options) -> io::Result<()> {
    let defaults = settings(&Options::default());
    for ((key, value), (_, default)) in settings(options).into_iter().zip(defaults) {
        if value != default {
            writeln!(stdout, "  {key} {value} (default {default})")?;
        }
    }
    Ok(())
}
