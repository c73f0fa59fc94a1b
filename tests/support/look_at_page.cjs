// Opens a page in Chromium and says as JSON what is there: node look_at_page.cjs FOLDER-OF-NPM CHROMIUM PAGE
const fs = require("fs");
const path = require("path");
const [folder, chromium, page] = process.argv.slice(2);
const playwright = require(path.join(folder, "node_modules", "playwright-core"));
const axe = fs.readFileSync(path.join(folder, "node_modules", "axe-core", "axe.min.js"), "utf8");

async function opened(browser, options, look) {
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  const seen = { console: [], requests: [] };
  tab.on("console", (message) => seen.console.push(message.text()));
  tab.on("pageerror", (error) => seen.console.push(error.message));
  tab.on("request", (request) => seen.requests.push(request.url()));
  await tab.goto("file://" + page);
  if (options.javaScriptEnabled !== false) await tab.waitForSelector("html[data-ready]", { timeout: 10000 });
  const found = await look(tab);
  await context.close();
  return { ...seen, ...found };
}

const table = (tab, id) =>
  tab.$$eval(`#${id}-table tr`, (rows) => rows.map((row) => Array.from(row.cells, (cell) => cell.textContent.trim())));
const overflow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
const violations = (tab) =>
  tab.evaluate(async () => {
    const found = (await window.axe.run(document)).violations;
    return found.map((each) => `${each.impact} ${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(" ")}`);
  });

(async () => {
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
  const desk = { viewport: { width: 1280, height: 900 } };
  const phone = { viewport: { width: 400, height: 800 }, colorScheme: "dark" };
  const said = {};
  said.desk = await opened(browser, desk, async (tab) => {
    const before = await table(tab, "flows");
    const drawn = await tab.$$eval("figure.chart canvas", (all) => all.length);
    await tab.focus("#chart-latency .u-wrap");
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("ArrowRight");
    const when = await tab.textContent("#when");
    const cursors = await tab.$$eval("figure.chart .live", (all) => all.map((live) => live.querySelector(".legend b").textContent));
    await tab.fill("#shares", "50, 90, 95, 99");
    await tab.press("#shares", "Enter");
    const same = await table(tab, "flows");
    await tab.fill("#shares", "99.9 p10");
    await tab.click("#percentiles button");
    const chosen = await table(tab, "flows");
    const steps = await table(tab, "steps");
    await tab.fill("#shares", "many");
    await tab.press("#shares", "Enter");
    const refused = await tab.textContent("#shares-said");
    await tab.focus("#flows-table thead th:nth-child(5) button");
    await tab.keyboard.press("Enter");
    const sorted = await table(tab, "flows");
    const order = await tab.getAttribute("#flows-table thead th:nth-child(5)", "aria-sort");
    await tab.selectOption("#scope", "1");
    const flow = await tab.$$eval("figure.chart canvas", (all) => all.length);
    await tab.keyboard.press("Tab");
    await tab.emulateMedia({ media: "print" });
    const printed = await tab.isVisible("#chart-latency .plain svg");
    return { before, drawn, when, cursors, same, chosen, steps, refused, sorted, order, flow, printed, overflow: await overflow(tab) };
  });
  for (const [name, options] of Object.entries({ desk, phone })) {
    said[`axe ${name}`] = await opened(browser, { ...options, bypassCSP: true }, async (tab) => {
      await tab.addScriptTag({ content: axe });
      return { violations: await violations(tab), overflow: await overflow(tab) };
    });
  }
  for (const [name, options] of Object.entries({ desk, phone })) {
    // the third second of the failover, 10 s to 18 s of 40, in the middle of the plot; and one without an event
    said[`marks ${name}`] = await opened(browser, options, (tab) =>
      tab.$eval("#chart-vus canvas", (canvas) => {
        const over = document.querySelector("#chart-vus .u-over"), ratio = devicePixelRatio;
        const left = parseFloat(over.style.left) * ratio, top = parseFloat(over.style.top) * ratio;
        const wide = over.clientWidth * ratio, tall = over.clientHeight * ratio;
        const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
        const pen = copy.getContext("2d", { willReadFrequently: true });
        pen.drawImage(canvas, 0, 0);
        const at = (seconds) => Array.from(pen.getImageData(left + (wide * seconds) / 40, top + tall * 0.6, 1, 1).data).join();
        const above = pen.getImageData(left + wide / 4, 0, wide / 5, top - 3).data;
        return { inside: at(13), outside: at(5), letters: above.filter((value, byte) => byte % 4 === 3 && value > 100).length };
      }),
    );
  }
  said.plain = await opened(browser, { ...phone, javaScriptEnabled: false }, async (tab) => ({
    gates: await tab.locator("table.gates").innerText(),
    flows: await tab.locator("#flows-table").innerText(),
    drawings: await tab.locator("figure.chart svg").count(),
    bands: await tab.$$eval("figure.chart svg .mark", (all) => all.map((band) => band.getAttribute("d").split("M").length - 1)),
    shown: await tab.locator("figure.chart svg").first().isVisible(),
    forms: await tab.locator("form:visible").count(),
  }));
  await browser.close();
  process.stdout.write(JSON.stringify(said));
})();
