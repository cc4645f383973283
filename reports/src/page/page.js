"use strict";
// The page is whole without this: it zooms, points and copies.
const find = (id) => document.getElementById(id);
const copy = find("copy");
if (copy) {
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("command").textContent);
    copy.textContent = "Copied";
  });
}

const plots = find("plots");
if (plots) {
  const data = JSON.parse(find("data").textContent);
  const frames = [...plots.querySelectorAll(".frame")];
  const canvases = [...plots.querySelectorAll(".canvas")];
  const whole = Math.max(...data.rows.map(([at]) => at)) + data.interval_us;
  const detail = find("detail");
  const crosses = frames.map((frame) => {
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cross.setAttribute("class", "cross");
    cross.setAttribute("y2", "100%");
    cross.setAttribute("visibility", "hidden");
    frame.append(cross);
    return cross;
  });
  // Which part of the run is seen, as shares of it.
  let view = { from: 0, size: 1 };

  function look(from, size) {
    size = Math.min(1, Math.max(0.01, size));
    view = { from: Math.min(1 - size, Math.max(0, from)), size };
    for (const canvas of canvases) {
      canvas.setAttribute("x", `${(-view.from / view.size) * 100}%`);
      canvas.setAttribute("width", `${100 / view.size}%`);
    }
    plots.classList.toggle("zoomed", view.size < 1);
  }
  const middle = () => view.from + view.size / 2;
  const zoom = (by, at = middle()) => look(at - ((at - view.from) * by), view.size * by);

  const time = (us) => (us < 1e3 ? `${us} µs` : us < 1e6 ? `${(us / 1e3).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`);
  const clock = (us) => `${Math.floor(us / 6e7)}:${String(Math.floor(us / 1e6) % 60).padStart(2, "0")}`;

  function point(share) {
    const at = (view.from + share * view.size) * whole;
    const row = data.rows[Math.min(data.rows.length - 1, Math.max(0, Math.floor(at / data.interval_us)))];
    const counts = data.counts.map((name, index) => `${name.replaceAll("_", " ")} ${row[1][index]}`);
    const names = ["median", "p90", "p99", "longest"];
    const last = row[2] ? names.map((name, index) => `${name} ${time(row[2][index])}`) : ["nothing heard"];
    detail.textContent = `${clock(row[0])} · last recipient ${last.join(", ")} · ${counts.join(", ")}`;
    for (const cross of crosses) {
      cross.setAttribute("x1", `${share * 100}%`);
      cross.setAttribute("x2", `${share * 100}%`);
      cross.setAttribute("visibility", "visible");
    }
  }

  find("zoom").hidden = false;
  detail.hidden = false;
  find("closer").addEventListener("click", () => zoom(0.5));
  find("wider").addEventListener("click", () => zoom(2));
  find("whole").addEventListener("click", () => look(0, 1));
  let grip = null;
  const shareOf = (event) => {
    const box = frames[0].getBoundingClientRect();
    return (event.clientX - box.left) / box.width;
  };
  plots.addEventListener("pointerdown", (event) => {
    grip = { share: shareOf(event), from: view.from };
  });
  addEventListener("pointerup", () => (grip = null));
  plots.addEventListener("pointermove", (event) => {
    const share = shareOf(event);
    if (grip) look(grip.from - (share - grip.share) * view.size, view.size);
    if (share >= 0 && share <= 1) point(share);
  });
  plots.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(event.deltaY / 400), view.from + shareOf(event) * view.size);
    },
    { passive: false },
  );
}
