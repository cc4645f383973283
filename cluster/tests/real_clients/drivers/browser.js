// A user of the original's browser client, in headless Chromium: the same commands and events as
// those of talk.js, and "console". The demo page brings the client and the right to connect; its
// own script does nothing as long as nobody joins.
//
//     node browser.js 127.0.0.1:3014 bob lobby http://127.0.0.1:3001/

"use strict";

const { emit, follow, open } = require("./chromium");
const tap = require("./tap");

const [gate, name, room, url] = process.argv.slice(2);

async function main() {
  const page = await open(url);
  let socket;
  page.on("websocket", (opened) => {
    socket = opened;
    const at = opened.url().includes(gate) ? "gate" : "connector";
    const tell = (event) => emit({ at, ...event });
    opened.on("framereceived", ({ payload }) => tap.received(payload, tell));
    opened.on("framesent", ({ payload }) => tap.sent(payload, tell));
    opened.on("close", () => tell({ event: "closed" }));
  });
  await page.exposeFunction("emit", emit);
  const [host, port] = gate.split(":");
  await page.evaluate(enter, { host, port, name, room });
  await follow(({ say, to }) => page.evaluate(send, { say, to, name, room }));
  const closed = socket.waitForEvent("close");
  await page.evaluate("pomelo.disconnect()");
  await closed;
  await page.context().browser().close();
}

// Runs in the page.
async function enter({ host, port, name, room }) {
  const connect = (host, port) => new Promise((ready) => pomelo.init({ host, port }, ready));
  const request = (route, body) => new Promise((done) => pomelo.request(route, body, done));
  await connect(host, port);
  const entry = await request("gate.gateHandler.queryEntry", { uid: name });
  emit({ event: "gate", body: entry });
  pomelo.disconnect();
  await connect(entry.host, entry.port);
  for (const route of ["onChat", "onAdd", "onLeave"]) {
    pomelo.on(route, (body) => emit({ event: "push", route, body }));
  }
  const route = "connector.entryHandler.enter";
  emit({ event: "response", route, body: await request(route, { username: name, rid: room }) });
}

// Runs in the page.
async function send({ say, to, name, room }) {
  const route = "chat.chatHandler.send";
  const message = { rid: room, content: say, from: name, target: to };
  const body = await new Promise((done) => pomelo.request(route, message, done));
  emit({ event: "response", route, body });
}

main();
