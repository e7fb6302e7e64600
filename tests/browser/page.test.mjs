// The page in Chromium, against running services: scripts/service/browser_test.sh starts both and says where they are.
//
// Whatever a test does, the page must write no error to the console and break no rule of its security policy. Pictures
// go to $SCREENSHOTS where it is set, to be looked at.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const { OPEN_SERVICE, GUARDED_SERVICE, TOKEN, CHROMIUM = "/usr/bin/chromium", SCREENSHOTS } = process.env;
const river = fileURLToPath(new URL("../../corpora/samples/river.wav", import.meta.url));
const riverWords = "the old man walked slowly along the river and his dog ran before him";
const flags = [
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking",
  "--disable-component-update --disable-sync --use-fake-ui-for-media-stream --use-fake-device-for-media-stream",
  `--use-file-for-fake-audio-capture=${river}%noloop`,
].flatMap((line) => line.split(" "));

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string[]} what the page should not have said */
let complaints;
/** @type {RegExp[]} what a test makes it say */
let expected;

before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: flags });
});
after(() => browser?.close());

beforeEach(async () => {
  [complaints, expected] = [[], []];
  page = await newPage({});
});
afterEach(async () => {
  await page.context().close();
  const unexpected = complaints.filter((text) => !expected.some((known) => known.test(text)));
  assert.deepEqual(unexpected, []);
});

/** @param {import("playwright-core").BrowserContextOptions} options */
async function newPage(options) {
  const context = await browser.newContext({ permissions: ["microphone"], viewport: { width: 1280, height: 900 }, ...options });
  const made = await context.newPage();
  made.setDefaultTimeout(20_000);
  await made.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  made.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  made.on("pageerror", (error) => complaints.push(String(error)));
  made.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    const own = [OPEN_SERVICE, GUARDED_SERVICE].includes(origin) || protocol === "data:";
    if (!own) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  return made;
}

/** The text of a part of the page. @param {string} id */
const text = (id) => page.locator(`#${id}`).innerText();

/** Chooses a file. */
async function upload() {
  await page.locator("#file").setInputFiles(river);
  await page.locator("#transcript .word").first().waitFor();
}

/** @param {number} place of the slider, in tenths of a percent */
async function slideTo(place) {
  const answered = page.waitForResponse((reply) => reply.url().endsWith("/compute"));
  await page.locator("#tolerance").fill(String(place));
  return answered;
}

/** Waits until the page names the tier that an answer came by. @param {import("playwright-core").Response} reply */
async function routedBy(reply) {
  await page.locator("#routing", { hasText: `Tier ${reply.headers()["paretone-tier"]}.` }).waitFor();
}

/** Noise before and after the words is no fault of the page's. @param {string} heard */
function assertRiver(heard) {
  const words = new Set(heard.toLowerCase().split(/\s+/));
  const known = riverWords.split(" ").filter((word) => words.has(word));
  assert.ok(known.length >= 10, `heard: ${heard}`);
}

/** A picture to be looked at. @param {string} name */
async function picture(name) {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
}

test("a recording is uploaded and read, with its account", async () => {
  await page.goto(OPEN_SERVICE);
  await page.locator("#tolerance-shown", { hasText: /^5\s%$/ }).waitFor();
  await upload();
  await routedBy(await slideTo(0));
  assertRiver(await text("transcript"));
  const word = page.locator("#transcript .word").first();
  assert.match(await word.getAttribute("title"), /^[\d.]+\s% sure/);
  assert.match(await text("ran"), /v7\s*answered/);
  assert.match(await text("response"), /[\d.]+ m?s/);
  assert.match(await text("routing"), /response-time\/0\. v7 answers alone/);
  await page.locator("#words summary").click();
  assert.equal(await page.locator("#words tbody tr").count(), await page.locator("#transcript .word").count());
});

test("the recording is played, its words light up, and what was heard is taken away", async () => {
  await page.goto(OPEN_SERVICE);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await upload();
  const word = page.locator("#transcript .word", { hasText: /^river$/ });
  await word.click();
  await page.locator("#transcript .word[aria-current]").first().waitFor();
  const begun = Number(await word.getAttribute("data-start"));
  const played = await page.locator("#player").evaluate((player) => player.currentTime);
  assert.ok(played >= begun);
  await page.waitForFunction((begun) => {
    const lit = document.querySelector("#transcript .word[aria-current]");
    return lit instanceof HTMLElement && Number(lit.dataset.start) > begun;
  }, begun);
  // Where it stands still, the word of that place is lit.
  const his = page.locator("#transcript .word", { hasText: /^his$/ });
  const place = Number(await his.getAttribute("data-start")) + 0.01;
  await page.locator("#player").evaluate((player, place) => {
    player.pause();
    player.currentTime = place;
  }, place);
  await page.locator("#transcript .word[aria-current]", { hasText: /^his$/ }).waitFor();
  await page.locator("#copy").click();
  await page.locator("#status", { hasText: "Copied" }).waitFor();
  const heard = (await text("transcript")).trim();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), heard);
  await picture("played");
  for (const [extension, begins] of [["txt", heard], ["srt", "1\n00:00:0"], ["vtt", "WEBVTT"], ["json", "{"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`[data-extension=${extension}]`).click()]);
    assert.equal(download.suggestedFilename(), `river.${extension}`);
    const file = await readFile(await download.path(), "utf8");
    assert.ok(file.startsWith(begins), `${extension}: ${file.slice(0, 40)}`);
    if (extension === "json") assert.equal(JSON.parse(file).words.length, heard.split(/\s+/).length);
  }
});

test("the front and the tiers are drawn and listed", async () => {
  await page.goto(OPEN_SERVICE);
  await page.locator("#front circle").first().waitFor();
  const tiers = await (await fetch(`${OPEN_SERVICE}/tiers`)).json();
  assert.equal(await page.locator("#front circle").count(), tiers.versions.length);
  assert.deepEqual(await page.locator("#front .name").allTextContents(), tiers.versions.map(({ name }) => name));
  assert.equal(await page.locator("#versions tbody tr").count(), tiers.versions.length);
  assert.equal(await page.locator("#savings path").count(), 2);
  for (const objective of ["response-time", "cost"]) {
    await page.locator(`input[value=${objective}]`).check();
    const rules = tiers.tiers.filter((rule) => rule.objective === objective);
    assert.equal(await page.locator("#tiers tbody tr").count(), rules.length);
  }
});

test("the slider chooses the tier, and the recording is heard again", async () => {
  await page.goto(OPEN_SERVICE);
  await upload();
  const reply = await slideTo(50);
  const headers = reply.request().headers();
  assert.equal(headers.tolerance, "5%");
  assert.equal(headers.objective, "response-time");
  await routedBy(reply);
  assert.match(await text("tolerance-shown"), /^5\s%$/);
  assert.match(await text("promise"), /At most [\d.]+\s% more word errors than v7/);
  const marked = Number(await page.locator("#tiers tr[aria-current]").getAttribute("data-tolerance"));
  assert.equal(parseFloat(await page.locator("#tiers tr[aria-current] th").innerText()), Math.round(1000 * marked) / 10);
  assertRiver(await text("transcript"));
  await page.locator("#compare").click();
  await page.locator("#compared", { hasText: "v7 hears" }).waitFor();
  assert.doesNotMatch(await page.locator("#saved").innerText(), /–/);
  const other = page.locator("#tiers tbody tr[data-tolerance]:not([aria-current])").last();
  const tolerance = await other.getAttribute("data-tolerance");
  await other.locator("button").click();
  await page.locator("#routing", { hasText: `Tier response-time/${tolerance}.` }).waitFor();
  assert.equal(await page.locator("#tolerance").inputValue(), String(Math.round(1000 * Number(tolerance))));
});

test("every place of the slider is the tier that the service chooses", async () => {
  await page.goto(OPEN_SERVICE);
  await upload();
  for (const place of [7, 29, 57, 58, 69, 100]) {
    const reply = await slideTo(place);
    const marked = await page.locator("#tiers tr[aria-current]").getAttribute("data-tolerance");
    assert.equal(reply.headers()["paretone-tier"], `response-time/${marked}`);
  }
});

test("a recording is dropped", async () => {
  await page.goto(OPEN_SERVICE);
  await page.locator("#front circle").first().waitFor();
  const dropped = await page.evaluateHandle(async () => {
    const data = new DataTransfer();
    data.items.add(new File([await (await fetch("page/sample.wav")).blob()], "dropped.wav"));
    return data;
  });
  await page.dispatchEvent("#drop", "drop", { dataTransfer: dropped });
  await page.locator("#transcript .word").first().waitFor();
  assert.match(await text("recording"), /dropped\.wav/);
  assertRiver(await text("transcript"));
});

test("what is no recording is refused in words", async () => {
  expected = [/415/];
  await page.goto(OPEN_SERVICE);
  await page.locator("#file").setInputFiles({ name: "<b>a.txt", mimeType: "text/plain", buffer: Buffer.from("no audio at all") });
  await page.locator("#problem", { hasText: "Unsupported media type (415)" }).waitFor();
  await picture("refused");
  assert.match(await text("recording"), /^<b>a\.txt/);
  await page.locator("#sample").click();
  await page.locator("#transcript .word").first().waitFor();
  assert.ok(await page.locator("#problem").isHidden());
});

test("speech is heard through the microphone, and heard again at another tolerance", async () => {
  await page.goto(OPEN_SERVICE);
  await speak();
  assertRiver(await text("transcript"));
  await picture("spoken");
  assert.match(await text("account-note"), /guesses made while you spoke/);
  await routedBy(await slideTo(100));
  assertRiver(await text("transcript"));
});

/** Speaks as long as the recording that plays the microphone. */
async function speak() {
  await page.locator("#speak").click();
  await page.locator("#guess", { hasText: /river/ }).waitFor();
  await picture("speaking");
  await page.locator("#guess, #transcript").filter({ hasText: /before/ }).first().waitFor();
  await page.locator("#speak", { hasText: "Stop" }).click();
  await page.locator("#speak", { hasText: "Speak" }).waitFor();
}

test("a service with a token asks for it, and hears recordings and speech with it", async () => {
  expected = [/401/];
  await page.goto(GUARDED_SERVICE);
  await page.locator("#token").fill("wrong");
  await page.locator("#access button").click();
  await page.locator("#problem", { hasText: "does not take this token" }).waitFor();
  await picture("token");
  await page.locator("#token").fill(TOKEN);
  await page.locator("#access button").click();
  await page.locator("#front circle").first().waitFor();
  assert.ok(await page.locator("#access").isHidden());
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await upload();
  assertRiver(await text("transcript"));
  await speak();
  assertRiver(await text("transcript"));
});

for (const [name, viewport] of [["wide", { width: 1280, height: 900 }], ["narrow", { width: 390, height: 800 }]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`the page fits a ${name} ${colorScheme} window`, async () => {
      await page.context().close();
      page = await newPage({ viewport, colorScheme });
      await page.goto(OPEN_SERVICE);
      await upload();
      await routedBy(await slideTo(50));
      await page.locator("#compare").click();
      await page.locator("#compared", { hasText: "v7 hears" }).waitFor();
      await picture(`${name}-${colorScheme}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    });
  }
}
