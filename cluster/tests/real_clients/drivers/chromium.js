// A page in headless Chromium, which is $CHROMIUM or else the first `chromium` in the PATH, in an
// empty profile of its own, and the commands that all drivers with a page take.

"use strict";

const fs = require("node:fs");
const path = require("node:path");
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

function chromiumInPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const files = folders.map((folder) => path.join(folder, "chromium"));
  const found = files.find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    throw new Error("there is no chromium in the PATH, and no $CHROMIUM");
  }
  return found;
}

exports.emit = function (event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

// Opens `url`. What goes wrong there, and what the console shows as an error, is an event.
exports.open = async function (url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? chromiumInPath(),
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
