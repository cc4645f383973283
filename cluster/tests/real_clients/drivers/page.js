// Uses the demo page as a person would.
//
//     node page.js http://127.0.0.1:3001/
//
// Commands: {"join":"bob","room":"lobby"}, {"say":"hello"}, {"to":"anna"} (chooses her for what is
// said next, or all if she was chosen already), {"leave":true}, {"look":true}, and
// {"picture":"FILE","width":360,"height":640,"scheme":"dark"}. To "look" and "picture" the answer
// is a "page": what there is to be read. Beside it: "console".

"use strict";

const { emit, follow, open } = require("./chromium");

async function main() {
  const page = await open(process.argv[2]);
  await follow(async (command) => {
    if (command.join) {
      await page.getByLabel("Your name").fill(command.join);
      await page.getByLabel("Room", { exact: true }).fill(command.room);
      await page.getByRole("button", { name: "Join" }).click();
    } else if (command.say !== undefined) {
      await page.getByLabel("Message", { exact: true }).fill(command.say);
      await page.getByRole("button", { name: "Send" }).click();
    } else if (command.to) {
      await page.getByRole("list", { name: "People" }).getByText(command.to, { exact: true }).click();
    } else if (command.leave) {
      await page.getByRole("button", { name: "Leave" }).click();
    } else {
      if (command.picture) {
        await page.setViewportSize({ width: command.width, height: command.height });
        await page.emulateMedia({ colorScheme: command.scheme });
        await page.screenshot({ path: command.picture });
      }
      emit({ event: "page", ...(await page.evaluate(read)) });
    }
  });
  await page.context().browser().close();
}

// Runs in the page.
function read() {
  const texts = (selector) =>
    [...document.querySelectorAll(selector)]
      .filter((element) => element.checkVisibility())
      .map((element) => element.innerText);
  const message = [...document.querySelectorAll("#log .message")].pop();
  return {
    state: texts("#state")[0],
    users: texts("#users .who").sort(),
    lastNotice: texts("#log .notice").pop() ?? null,
    lastMessage: message && {
      from: message.querySelector(".from").textContent,
      private: message.querySelector(".private")?.textContent ?? null,
      text: message.querySelector(".body").textContent,
    },
    error: texts(".error").join(),
    recipient: texts("#whisper-to").join(),
    // Elements that the page has none of itself: they would come from what somebody wrote.
    strange: document.querySelectorAll("main img, main script, main b, iframe").length,
    wasRun: "wasRun" in window,
    isWiderThanWindow: document.documentElement.scrollWidth > innerWidth,
  };
}

main();
