"use strict";
// The page is whole without this: it zooms, drags, hides and copies.
const find = (id) => document.getElementById(id);
const lanes = find("lanes");
const drawings = [...lanes.querySelectorAll("svg")];
const sizes = drawings.map((svg) => [svg.width.baseVal.value, svg.height.baseVal.value]);

function zoom(percent, x = 0, y = 0) {
  const slider = find("zoom");
  const before = Number(slider.dataset.percent ?? 100);
  slider.value = percent;
  const now = Number(slider.value);
  slider.dataset.percent = now;
  drawings.forEach((svg, index) => {
    svg.setAttribute("width", (sizes[index][0] * now) / 100);
    svg.setAttribute("height", (sizes[index][1] * now) / 100);
  });
  // What is under the pointer stays there.
  lanes.scrollLeft = ((lanes.scrollLeft + x) * now) / before - x;
  lanes.scrollTop = ((lanes.scrollTop + y) * now) / before - y;
}

document.querySelector(".controls").hidden = false;
find("detail").hidden = false;
find("zoom").addEventListener("input", (event) => zoom(event.target.value));
lanes.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = lanes.getBoundingClientRect();
    const percent = Number(find("zoom").value) * Math.exp(-event.deltaY / 400);
    zoom(percent, event.clientX - box.left, event.clientY - box.top);
  },
  { passive: false },
);

let grip = null;
lanes.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  grip = { x: event.clientX + lanes.scrollLeft, y: event.clientY + lanes.scrollTop };
  lanes.classList.add("dragged");
});
addEventListener("pointermove", (event) => {
  if (!grip) return;
  lanes.scrollLeft = grip.x - event.clientX;
  lanes.scrollTop = grip.y - event.clientY;
});
addEventListener("pointerup", () => {
  grip = null;
  lanes.classList.remove("dragged");
});

lanes.addEventListener("mouseover", (event) => {
  const title = event.target.closest("g")?.querySelector("title");
  if (title) find("detail").textContent = title.textContent;
});
for (const kind of ["servers", "users"]) {
  find(`show-${kind}`).addEventListener("change", (event) => {
    lanes.classList.toggle(`hide-${kind}`, !event.target.checked);
  });
}

const copy = find("copy");
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(find("command").textContent);
  copy.textContent = "Copied";
});
