// What the drivers of all JavaScript clients have in common: a user who asks the gate, enters a
// room, then takes commands from standard input and prints what happens, one JSON object per line.
//
//     node pomelo-client-websocket.js 127.0.0.1:3014 bob lobby
//     {"event":"gate","body":{"code":200,"host":"127.0.0.1","port":3051}}
//     {"event":"response","route":"connector.entryHandler.enter","body":{"users":["bob"]}}
//
// Commands: {"say":"hello","to":"*"} and {"quit":true}, which the end of standard input is too.
// Events: what the client hands to its user is "gate", "response" and "push"; what tap.js sees of
// the bytes is "handshake", "heartbeat", "sent", "got", "kick" and "closed".

"use strict";

const readline = require("node:readline");

const tap = require("./tap");

const { exit, stdin, stdout } = process;
const [gate, name, room] = process.argv.slice(2);

// Some clients write to standard output what they do, which is for the events alone. Exceptions
// are not concerned: node writes them itself.
for (const method of ["log", "info", "warn", "error", "trace"]) {
  console[method] = () => {};
}

function emit(event) {
  stdout.write(`${JSON.stringify(event)}\n`);
}

// Runs a user. `connect(host, port, ready)` makes a client that has begun to connect, and calls
// `ready` after the handshake. It gives `socket`, of the package ws; `request(route, body,
// answered)`; `on(route, pushed)`; `disconnect()`.
exports.run = function (connect) {
  const [host, port] = gate.split(":");
  const client = connect(host, port, () => {
    client.request("gate.gateHandler.queryEntry", { uid: name }, (body) => {
      emit({ event: "gate", body });
      client.disconnect();
      chat(connect, body);
    });
  });
  tap.watch(client.socket, (event) => emit({ at: "gate", ...event }));
};

function chat(connect, { host, port }) {
  let waiting = 0;
  let leaving = false;
  const client = connect(host, port, () => {
    for (const route of ["onChat", "onAdd", "onLeave"]) {
      client.on(route, (body) => emit({ event: "push", route, body }));
    }
    ask("connector.entryHandler.enter", { username: name, rid: room });
    readline
      .createInterface({ input: stdin })
      .on("line", (line) => obey(JSON.parse(line)))
      .on("close", leave);
  });

  tap.watch(client.socket, (event) => {
    emit({ at: "connector", ...event });
    if (event.event === "closed") {
      exit(leaving ? 0 : 1);
    }
  });

  function ask(route, body) {
    waiting += 1;
    client.request(route, body, (answer) => {
      emit({ event: "response", route, body: answer });
      waiting -= 1;
      leaveOnceAnswered();
    });
  }

  function obey(command) {
    if (command.quit) {
      leave();
    } else {
      const body = { rid: room, content: command.say, from: name, target: command.to };
      ask("chat.chatHandler.send", body);
    }
  }

  function leave() {
    leaving = true;
    leaveOnceAnswered();
  }

  function leaveOnceAnswered() {
    if (leaving && waiting === 0) {
      client.disconnect();
    }
  }
}
