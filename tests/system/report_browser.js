// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// A report in Chromium: node report_browser.js SCENARIO PAGE [FOLDER TITLE-PAGE] prints what was seen as JSON.
// NODE_PATH names the folder of playwright-core and axe-core, CHROMIUM the browser.
"use strict";

const path = require("path");
const { chromium } = require("playwright-core");

const [scenario, page_file, folder, title_page] = process.argv.slice(2);
const url = `file://${path.resolve(page_file)}`;
const DEADLINE = 60000;

// A page of which all requests, errors and dialogs are noted; nothing leaves.
async function open(browser, options = {}, prepare = () => 0) {
	const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
	const seen = { requests: [], errors: [], violations: [] };

	page.setDefaultTimeout(DEADLINE);
	await page.route("**/*", route => {
		if (route.request().url().split("#")[0] === url)
			return route.continue();
		seen.requests.push(route.request().url());
		return route.abort();
	});
	page.on("pageerror", error => seen.errors.push(String(error)));
	page.on("dialog", dialog => {
		seen.errors.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	// A script or style that the policy refuses is named here.
	page.on("console", message => seen.violations.push(message.text()));
	await prepare(page);
	await page.goto(url);
	return { page, seen };
}

// All that can be opened is open, and all rows are drawn.
const open_all = page => page.evaluate(async () => {
	window.dispatchEvent(new Event("beforeprint"));
	for (let left = true; left;) {
		const closed = Array.from(document.querySelectorAll("details:not([open])"));

		left = closed.length > 0;
		closed.forEach(details => { details.open = true; });
		// "toggle" comes in a task of its own.
		await new Promise(then => setTimeout(then));
	}
	while (document.querySelector("details > noscript"))
		await new Promise(then => setTimeout(then));
});

const inventory_of_elements = page => page.evaluate(() => {
	const elements = {}, attributes = {};

	for (const element of document.querySelectorAll("*")) {
		elements[element.localName] = (elements[element.localName] ?? 0) + 1;
		for (const { name } of element.attributes)
			attributes[name] = (attributes[name] ?? 0) + 1;
	}
	return { elements, attributes };
});

const visible = page => page.evaluate(() => Array.from(document.querySelectorAll("#list li[data-k]"),
	item => item.querySelector(".e").textContent));
const found = page => page.textContent("#found");

// Where the focus is: the filter, a service, or something else.
const focus = page => page.evaluate(() => {
	const at = document.activeElement;

	return at.id || at.closest("li[data-k]")?.querySelector(".e").textContent || at.textContent.slice(0, 40);
});

const scenarios = {
	// How long it takes to be filterable, and to filter, by the page's own clock; and the time on
	// the processor, which does not depend on what else the machine does.
	async many(browser) {
		let session;
		const { page, seen } = await open(browser, {}, async one => {
			session = await one.context().newCDPSession(one);
			await session.send("Performance.enable", { timeDomain: "threadTicks" });
		});
		const { metrics } = await session.send("Performance.getMetrics");
		const processor = metrics.find(metric => metric.name === "TaskDuration").value;
		const result = await page.evaluate(async () => {
			const field = document.getElementById("find");
			const drawn = () => new Promise(then => requestAnimationFrame(() => setTimeout(then)));
			const result = { ready: performance.getEntriesByName("report-ready")[0].startTime, filters: {} };

			// Rows that stand for all; the others follow when there is time.
			const rows = () => document.querySelectorAll("#list li").length;
			for (const text of ["what:\"openssh 9.2p1 debian-2\"", "port:25", "is:gone", "10.0.0.1", "nothing at all", ""]) {
				const start = performance.now();

				field.value = text;
				field.dispatchEvent(new Event("input"));
				const count = rows();

				await drawn();
				result.filters[text] = [document.getElementById("found").textContent,
					performance.now() - start, count];
			}
			for (const key of ["what", "since", "seen", "times", "server"]) {
				const start = performance.now();

				document.querySelector(`[data-sort=${key}]`).click();
				const count = rows();

				await drawn();
				result.filters[`sort ${key}`] = [document.getElementById("found").textContent,
					performance.now() - start, count];
			}
			return result;
		});

		if (folder !== "whole")
			return { processor, ...result, ...seen };
		// The end of a long list is drawn when it is reached.
		await page.keyboard.press("Control+End");
		await page.evaluate(() => document.querySelector("#list > :last-child").scrollIntoView(false));
		await page.waitForSelector("#list > :last-child > li");
		// All of it in the end, for the browser's own search.
		await page.waitForFunction(() => document.querySelectorAll("#list li").length === 10000);
		return { processor, ...result, ...seen };
	},

	async hostile(browser) {
		const { page, seen } = await open(browser);

		await open_all(page);
		for (const text of ["<script>", "\"", "a\"b", "\\x", "product:\"", "is:", "-", "((", "[", "__proto__"])
			await page.fill("#find", text);
		await page.fill("#find", "");
		const links = await page.$$eval("a[data-product], a[data-what], a[data-owner]", all => all.map(one => {
			one.click();
			return document.getElementById("found").textContent;
		}));
		await page.fill("#find", "");
		await open_all(page);
		const texts = await page.$$eval(".said pre", all => all.map(one => one.textContent));

		return {
			...seen, ...await inventory_of_elements(page), links, texts,
			canary: await page.evaluate(() => typeof window.canary), title: await page.title(),
			rows: (await visible(page)).length,
			wide: await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth),
		};
	},

	async hostile_without_script(browser) {
		const { page, seen } = await open(browser, { javaScriptEnabled: false });

		return { ...seen, ...await inventory_of_elements(page), title: await page.title() };
	},

	// What got into the page after all could neither run nor ask for anything.
	async policy(browser) {
		const { page, seen } = await open(browser);

		const refused = await page.evaluate(async () => {
			const refused = new Set();
			const all = new Promise(then =>
				document.addEventListener("securitypolicyviolation", event => {
					refused.add(event.effectiveDirective);
					if (refused.size === 7)
						then();
				}));
			const script = document.createElement("script");

			script.textContent = "window.canary = 1";
			document.body.append(script);
			const holder = document.createElement("div");

			holder.innerHTML = "<img src=http://192.0.2.1/x.png onerror='window.canary=2'>" +
				"<link rel=stylesheet href=http://192.0.2.1/x.css><p style='color:red'>" +
				"<iframe src=http://192.0.2.1/></iframe>";
			document.body.append(holder);
			await fetch("http://192.0.2.1/").catch(() => 0);
			// In vain, the test says what is missing.
			await Promise.race([all, new Promise(then => setTimeout(then, 20000))]);
			return [...refused];
		});

		return { requests: seen.requests, errors: seen.errors, refused,
			canary: await page.evaluate(() => typeof window.canary) };
	},

	async axe(browser) {
		const wrong = [];

		for (const [colorScheme, width] of [["light", 1280], ["dark", 360]]) {
			const { page } = await open(browser, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });

			await open_all(page);
			await page.addScriptTag({ path: require.resolve("axe-core") });
			const { violations, passes } = await page.evaluate(() => window.axe.run());

			for (const { id, impact, nodes } of violations)
				wrong.push({ id, impact, colorScheme, width, count: nodes.length, first: nodes[0].html.slice(0, 200),
					why: nodes[0].failureSummary });
			if (passes.length < 20)
				wrong.push({ id: "axe did nothing", impact: "critical" });
			await page.close();
		}
		return { wrong };
	},

	async keyboard(browser) {
		const { page, seen } = await open(browser);
		const steps = [];
		const press = async (...keys) => {
			for (const key of keys)
				await page.keyboard.press(key);
			steps.push([keys.join(" "), await focus(page)]);
		};

		await press("Tab");
		await press("Enter", "Tab");		// past the head, to the filter
		await press("Tab");
		await press("/");
		await page.keyboard.type("openssh 9.2");
		const filtered = await visible(page);

		await press("ArrowDown");
		await press("ArrowDown");
		await press("Enter");
		await page.waitForSelector("#list details[open] .events");
		const history = await page.textContent("#list details[open] .history");

		await press("Space");
		const closed = await page.$$eval("#list details[open]", all => all.length);

		await press("ArrowUp");
		await press("ArrowUp");
		await press("ArrowDown");
		await press("Escape");
		const emptied = await found(page);

		await press("Tab", "Tab", "Enter");	// "New"
		const chosen = await visible(page);

		await page.focus("[data-sort=times]");
		await press("Enter");
		const sorted = await page.$$eval("#list .n", all => all.map(one => one.textContent));

		return { ...seen, steps, filtered, history, closed, emptied, chosen, sorted };
	},

	// A number in the sums, and what its link finds, are the same.
	async links(browser) {
		const { page, seen } = await open(browser);
		const products = await page.$$eval("#products li a", all => all.map(link => {
			link.click();
			const servers = new Set(Array.from(document.querySelectorAll("#list li .e"),
				one => one.textContent.replace(/:\d+$/, "")));

			return [link.dataset.what, servers.size,
				Number(link.closest("li").querySelector("b").textContent)];
		}));

		const owners = await page.$$eval("#owners a[data-owner]", all => all.map(link => {
			link.click();
			const rows = Array.from(document.querySelectorAll("#list li[data-k]"));
			const found = Number(document.getElementById("found").textContent.split(" ")[0]);

			return [link.textContent, [...new Set(rows.map(row => row.querySelector(".o").textContent))], found,
				Number(link.parentElement.querySelector("b").textContent)];
		}));

		await page.fill("#find", "owner:\"\"");
		const not_owned = await found(page);

		await page.fill("#find", "");
		await page.click("[data-sort=owner]");
		const by_owner = await page.$$eval("#list li[data-k]", all =>
			all.map(row => row.querySelector(".o")?.textContent ?? ""));

		await page.goto(`${url}#o0`);
		await page.reload();
		const by_fragment = [await page.inputValue("#find"), await found(page)];

		await page.fill("#find", "nothing like this");
		const none = await page.isVisible("#none");

		await page.click(".changes a");
		await page.waitForSelector("#list details[open] .events");
		return { ...seen, products, owners, not_owned, by_owner, by_fragment, none, led_to: await focus(page), find: await page.inputValue("#find"),
			link: await page.textContent(".changes a") };
	},

	async without_script(browser) {
		const { page, seen } = await open(browser, { javaScriptEnabled: false });
		const result = await page.evaluate(() => ({
			rows: document.querySelectorAll("#list li[data-k]").length,
			histories: document.querySelectorAll("#list .history .events").length,
			changes: document.querySelectorAll(".changes li").length,
			disabled: document.querySelectorAll("[data-sort]:disabled").length,
		}));
		const tools = await page.isVisible(".tools");
		const owners = await page.$$eval("#owners .owners > li", all => all.map(one =>
			[Number(one.querySelector("b").textContent), one.querySelectorAll("noscript a").length]));
		const link = await page.textContent("#owners noscript a");

		await page.click("#owners noscript a");
		const led_to = await page.textContent("#list li:target .e");

		await page.click("#list summary >> nth=3");
		return { ...seen, ...result, tools, owners, link, led_to, opened: await page.isVisible("#list details[open] .events") };
	},

	// What is printed is whole, though most of it was not drawn yet.
	async print(browser) {
		const { page, seen } = await open(browser, {}, one => one.addInitScript(() => {
			window.requestIdleCallback = () => 0;
		}));
		const drawn = (await visible(page)).length;

		await page.pdf({ format: "A4" });
		return { ...seen, drawn, printed: (await visible(page)).length };
	},

	async empty(browser) {
		const { page, seen } = await open(browser);

		return { ...seen, empty: await page.$$eval(".empty:not([hidden])", all => all.map(one => one.textContent)) };
	},

	// Pictures, for a person to look at; and that nothing is wider than the screen or the paper.
	async pictures(browser) {
		const wide = [], seen = [];
		const shoot = async (name, options, act = () => 0) => {
			const opened = await open(browser, options);

			await act(opened.page);
			if (await opened.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
				wide.push(name);
			await opened.page.screenshot({ path: path.join(folder, `${name}.png`) });
			seen.push(...opened.seen.errors, ...opened.seen.requests, ...opened.seen.violations);
			return opened.page;
		};
		const to_services = async page => {
			await page.click("#list li:has(.tag.changed) summary");
			await page.waitForSelector("#list .events");
			await page.evaluate(() => document.getElementById("services").scrollIntoView());
		};

		for (const colorScheme of ["light", "dark"]) {
			await shoot(colorScheme, { colorScheme });
			await shoot(`${colorScheme}-services`, { colorScheme }, to_services);
			await shoot(`${colorScheme}-phone`, { colorScheme, viewport: { width: 360, height: 780 } });
			await shoot(`${colorScheme}-phone-services`, { colorScheme, viewport: { width: 360, height: 780 } },
				to_services);
		}
		const title = await browser.newPage({ colorScheme: "light", viewport: { width: 1200, height: 1840 } });

		await title.goto(`file://${path.resolve(title_page)}`);
		await title.screenshot({ path: path.join(folder, "report.png") });
		const page = await shoot("print", { viewport: { width: 720, height: 1020 }, colorScheme: "dark" }, async one => {
			await to_services(one);
			await one.emulateMedia({ media: "print" });
		});
		const colours = await page.evaluate(() => [getComputedStyle(document.body).color,
			getComputedStyle(document.documentElement).backgroundColor]);
		const pdf = await page.pdf({ path: path.join(folder, "print.pdf"), format: "A4" });

		return { wide, seen, colours, pdf: pdf.length };
	},
};

(async () => {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"], timeout: DEADLINE,
	});

	try {
		console.log(JSON.stringify(await scenarios[scenario](browser)));
	} finally {
		await browser.close();
	}
})().catch(error => {
	console.error(error);
	process.exit(1);
});
