"use strict";

const WebSocket = require("ws");

let socket;
const stored = new Map();

global.window = {
  EventEmitter: require("node:events"),
  Protocol: require("pomelo-protocol"),
  protobuf: require("pomelo-protobuf"),
  localStorage: {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  },
};
global.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    socket = this;
  }
};

const pomelo = require("pomelo-jsclient-websocket");

require("./talk").run((host, port, ready) => {
  pomelo.init({ host, port }, ready);
  return {
    socket,
    request: pomelo.request,
    on: pomelo.on.bind(pomelo),
    disconnect: pomelo.disconnect,
  };
});
