// A page in headless Chromium, the one of the system or of $CHROMIUM, in an empty profile of its
// own, and the commands that all drivers with a page take.

"use strict";

const readline = require("node:readline");

const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

exports.emit = function (event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

// Opens `url`. What goes wrong there, and what the console shows as an error, is an event.
exports.open = async function (url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS,
  });
  const page = await browser.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      exports.emit({ event: "console", text: message.text() });
    }
  });
  page.on("pageerror", (error) => exports.emit({ event: "console", text: String(error) }));
  await page.goto(url);
  return page;
};

// Has `obey` take one command after the other, until the end of standard input.
exports.follow = async function (obey) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await obey(JSON.parse(line));
  }
};
