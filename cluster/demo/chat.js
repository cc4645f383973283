// The page. It talks to the cluster through the original's browser client, `pomelo`, and puts what
// others wrote on the page as text only.

"use strict";

// The client's file brings its own `require`; this sets `pomelo`.
require("boot");

const ENTER = "connector.entryHandler.enter";
const QUERY = "gate.gateHandler.queryEntry";
const SEND = "chat.chatHandler.send";
const PATIENCE_MS = 10_000;
// Of the oldest, what is beyond is dropped.
const LOG_LENGTH = 500;

const element = (id) => document.getElementById(id);

// What is going on: null, or one session from the question at the gate to its end.
let session = null;

// --- Session ---------------------------------------------------------------------------------

async function join(name, room) {
  session = { name, room, users: [], to: null, url: null, fail: null };
  const mine = session;
  try {
    show("wait", "Asking for the gate …");
    const { gate } = await within(loadConfig());
    show("wait", "Asking the gate …");
    await within(connect(gate.host, gate.port));
    const entry = await within(request(QUERY, { uid: name }));
    close();
    if (entry.code !== 200) {
      throw new Error("The gate has no connector for this name.");
    }
    show("wait", "Connecting …");
    await within(connect(entry.host, entry.port));
    const entered = await within(request(ENTER, { username: name, rid: room }));
    if (!Array.isArray(entered.users)) {
      throw new Error(`The name ${name} is taken in this room, or not allowed.`);
    }
    // Until now, the end of the connection was the end of this function.
    mine.fail = (reason) => leave(`${reason} You left the room.`, "lost");
    mine.users = entered.users;
    show("on", `Connected to ${entry.host}:${entry.port}`);
    openRoom();
  } catch (error) {
    if (session === mine) {
      leave(error.message, "lost");
    }
  }
}

async function loadConfig() {
  const response = await fetch("config.json").catch(() => null);
  if (!response?.ok) {
    throw new Error("The server of this page does not answer.");
  }
  return response.json();
}

// Resolves after the handshake; fails if the connection ends before.
function connect(name, port) {
  // The client writes it into a URL as it is, where addresses of version 6 are in brackets.
  const host = name.includes(":") ? `[${name}]` : name;
  return new Promise((resolve, reject) => {
    session.url = new URL(`ws://${host}:${port}`).href;
    session.fail = (reason) => reject(new Error(reason));
    pomelo.init({ host, port }, resolve);
  });
}

// Resolves with the answer; fails if the connection ends before.
function request(route, body) {
  return new Promise((resolve, reject) => {
    session.fail = (reason) => reject(new Error(reason));
    pomelo.request(route, body, resolve);
  });
}

function within(promise) {
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error("The server did not answer in time.")), PATIENCE_MS);
  });
  return Promise.race([promise, late]);
}

// Ends the connection, so that what it says later is not heard.
function close() {
  session.url = null;
  pomelo.disconnect();
}

function leave(reason, state) {
  close();
  session = null;
  show(state, state === "lost" ? "Connection lost" : "Not connected");
  element("chat").hidden = true;
  element("login").hidden = false;
  element("login-error").textContent = reason;
  element("join").disabled = false;
  element("name").focus();
}

// The client is one for the whole page, and the end of an old connection comes late.
pomelo.on("close", (event) => {
  if (session?.url === event.target.url) {
    session.fail("The connection ended.");
  }
});
pomelo.on("onKick", () => session?.fail("The server ended the connection."));
pomelo.on("heartbeat timeout", () => session?.fail("The server fell silent."));
pomelo.on("error", () => session?.fail("The server refused the handshake."));

onPush("onAdd", ({ user }) => {
  session.users.push(user);
  showUsers();
  notice(`${user} joined`);
});

onPush("onLeave", ({ user }) => {
  session.users = session.users.filter((other) => other !== user);
  if (session.to === user) {
    writeTo(null);
  }
  showUsers();
  notice(`${user} left`);
});

onPush("onChat", ({ msg, from, target }) => message(from, target, msg));

function onPush(route, take) {
  pomelo.on(route, (body) => {
    if (session) {
      take(body);
    }
  });
}

function say(text) {
  const mine = session;
  const target = session.to ?? "*";
  pomelo.request(SEND, { content: text, target, from: session.name, rid: session.room }, (answer) => {
    if (session !== mine) {
      return;
    }
    if (answer.code) {
      element("say-error").textContent =
        target === "*" ? "The message was not sent." : `${target} did not get the message.`;
    } else if (target !== "*" && target !== mine.name) {
      // Only the other gets it from the server.
      message(mine.name, target, text);
    }
  });
}

// --- Page ------------------------------------------------------------------------------------

function show(state, text) {
  element("state").dataset.state = state;
  element("state").textContent = text;
}

function openRoom() {
  element("login").hidden = true;
  element("chat").hidden = false;
  element("room-name").textContent = session.room;
  element("log").replaceChildren();
  isAtEnd = true;
  notice(`You joined ${session.room} as ${session.name}`);
  writeTo(null);
  showUsers();
}

function showUsers() {
  const { users, name, to } = session;
  element("count").textContent = users.length === 1 ? "1 person" : `${users.length} people`;
  const items = users.map((user) => {
    const button = create("button", "", [
      colored(create("span", "avatar", [[...user][0] ?? "?"]), user),
      create("span", "who", [user === name ? `${user} (you)` : user]),
    ]);
    button.type = "button";
    button.disabled = user === name;
    button.ariaPressed = String(user === to);
    button.title = user === name ? "" : `Write to ${user} alone`;
    button.addEventListener("click", () => writeTo(user === session.to ? null : user));
    return create("li", "", [button]);
  });
  element("users").replaceChildren(...items);
}

// To whom the next message goes: a name, or null for all.
function writeTo(user) {
  session.to = user;
  element("whisper").hidden = user === null;
  element("whisper-to").textContent = user;
  element("text").placeholder = user === null ? "Message to all" : `Message to ${user}`;
  element("say-error").textContent = "";
  showUsers();
  element("text").focus();
}

function message(from, target, text) {
  const own = from === session.name;
  const head = create("div", "head", [colored(create("span", "from", [own ? "You" : from]), from)]);
  if (target !== "*") {
    head.append(create("span", "private", [own ? `to ${target} alone` : "to you alone"]));
  }
  const now = new Date();
  const time = create("time", "", [now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })]);
  time.dateTime = now.toISOString();
  head.append(time);
  const kind = `message${own ? " own" : ""}${target === "*" ? "" : " whisper"}`;
  log(create("li", kind, [head, create("div", "body", [text])]));
}

function notice(text) {
  log(create("li", "notice", [text]));
}

// Whether the last entry is to be seen, as it then stays when others follow or the window changes.
let isAtEnd = true;

function log(entry) {
  const list = element("log");
  list.append(entry);
  if (list.childElementCount > LOG_LENGTH) {
    list.firstElementChild.remove();
  }
  isAtEnd ||= entry.classList.contains("own");
  keepAtEnd();
}

function keepAtEnd() {
  if (isAtEnd) {
    element("log").scrollTop = element("log").scrollHeight;
  }
}

new ResizeObserver(keepAtEnd).observe(element("log"));
element("log").addEventListener("scroll", ({ target }) => {
  isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
});

// Strings among the children become text, never HTML.
function create(tag, className, children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

// The same colour for a name on every page.
function colored(made, name) {
  let hue = 0;
  for (const character of name) {
    hue = (hue * 31 + character.codePointAt(0)) % 360;
  }
  made.style.setProperty("--hue", hue);
  return made;
}

// Why the client could not send `text`, or "". It writes a character beyond U+FFFF as two halves of
// one, which are no UTF-8: each byte of them arrives as U+FFFD.
function whyNot(text) {
  const beyond = [...text].find((character) => character.codePointAt(0) > 0xffff);
  return beyond ? `Pomelo's browser client cannot send ${beyond}.` : "";
}

element("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [name, room] = ["name", "room"].map((id) => element(id).value.trim());
  const problem = whyNot(name) || whyNot(room);
  element("login-error").textContent = problem;
  if (name && room && !problem && session === null) {
    element("join").disabled = true;
    join(name, room);
  }
});

element("say-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = element("text").value;
  const problem = whyNot(text);
  element("say-error").textContent = problem;
  if (text && !problem) {
    say(text);
    element("text").value = "";
  }
});

element("whisper-off").addEventListener("click", () => writeTo(null));
element("leave").addEventListener("click", () => leave("", "off"));
