"use strict";

const Pomelo = require("pomelo-nodejsclient-websocket");

const ignore = () => {};
// Else it writes to standard output what it does.
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

require("./talk").run((host, port, ready) => {
  const client = new Pomelo({ logger });
  client.init({ host, port }, ready);
  return {
    socket: client.socket,
    request: (route, body, answered) => {
      client.request(route, body, (_error, answer) => answered(answer));
    },
    on: client.on.bind(client),
    disconnect: client.disconnect.bind(client),
  };
});
