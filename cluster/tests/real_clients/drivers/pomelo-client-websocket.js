"use strict";

const Pomelo = require("pomelo-client-websocket");

require("./talk").run((host, port, ready) => {
  const client = new Pomelo();
  return client.init({ host, port }, ready);
});
