// Not the package's entry, which needs pinus-robot and does not say so in its package.json.

"use strict";

const { PinusWSClient } = require("pinus-robot-plugin/dist/PinusWSClient");

require("./talk").run((host, port, ready) => {
  const client = new PinusWSClient();
  client.init({ host, port }, ready);
  return client;
});
