// One server of the original: which one, its arguments say (see start.js).
//
// The application is written from what Pomelo's chat example was seen to do, mistakes included:
// what a client cannot tell from the example, a comparison with this cluster must not see either.
'use strict';

require('./app/util/loopback');
if (process.env.CHAT_NODELAY) {
  require('./app/util/nodelay');
}

// Pomelo's parts report on the console what they also log, or should.
if (process.env.CHAT_LOG === 'OFF') {
  console.log = console.warn = console.error = () => {};
}

const pomelo = require('pomelo');
const { serverOf } = require('./app/util/dispatch');

const app = pomelo.createApp();
app.set('name', 'chat');
app.getMaster().port = Number(process.env.CHAT_MASTER_PORT || app.getMaster().port);

const connector = pomelo.connectors.hybridconnector;
app.configure('production|development', 'gate', () => {
  app.set('connectorConfig', { connector, useProtobuf: true });
});
app.configure('production|development', 'connector', () => {
  app.set('connectorConfig', { connector, heartbeat: 3, useDict: true, useProtobuf: true });
});
app.configure('production|development', () => {
  app.route('chat', (session, message, app, callback) => {
    const servers = app.getServersByType('chat');
    if (!servers || servers.length === 0) {
      callback(new Error('there is no chat server'));
      return;
    }
    callback(null, serverOf(session.get('rid'), servers).id);
  });
  app.filter(pomelo.timeout());
});

const tell = (what) => process.send && process.send(what);

// A mistake in a handler must not end a server, but one that cannot start has to.
let isRunning = false;
process.on('uncaughtException', (error) => {
  if (!isRunning) {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  }
});
app.event.on('start_all', () => {
  isRunning = true;
  tell('all started');
});
process.on('disconnect', () => process.exit());

app.start((error) => {
  if (error) {
    throw error;
  }
  tell('started');
});
