/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's filter, sort and keys. Without it the page is whole, too. */
(() => {
	"use strict";

	const list = document.getElementById("list");
	const field = document.getElementById("find");
	const by_id = new Map();	/* rows */

	/* --- what is to be opened ------------------------------------------ */

	/*
	 * Most of the page stands in <noscript>, as text: elements are made
	 * when they are seen, of what a browser without JavaScript makes them
	 * of. What strangers said is escaped in it.
	 */
	function make(html) {
		const template = document.createElement("template");

		template.innerHTML = html;
		return template.content;
	}

	document.addEventListener("toggle", event => {
		const details = event.target;
		const folded = details.querySelector(":scope > noscript");
		const row = by_id.get(details.parentElement.id);

		if (folded)
			folded.replaceWith(make(folded.textContent));
		else if (row && details.open && !row.unfolded)
			details.append(make(row.history));
		if (row)
			row.unfolded ||= details.open;
	}, true);

	if (!list)
		return;

	/* --- rows ---------------------------------------------------------- */

	/* Of data-k: the flags, and the words that the filter has for them. */
	const FLAGS = {
		n: "new", c: "changed", g: "gone", o: "once", r: "refuses",
		d: "different", f: "forms",
	};
	const ENTITIES = {
		"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": "\"", "&#39;": "'",
	};

	/* As the filter compares it. */
	const plain = text => text.replaceAll('"', "'").replace(/ +/g, " ").trim();
	const to_text = html => plain(html.replace(/<[^>]*>/g, " ")
		.replace(/&[a-z0-9#]+;/g, entity => ENTITIES[entity] ?? " ")).toLowerCase();
	const part = (html, pattern) => to_text(pattern.exec(html)?.[1] ?? "");

	function make_row(html, at) {
		const middle = html.indexOf("<div class=history>");
		const end = html.lastIndexOf("</details>");
		const summary = html.slice(0, middle);
		const [, id, since, seen, times, flags] =
			/^<li id=(s\d+) data-k="(\S+) (\S+) (\S+) (\S*)"/.exec(summary);
		const what = /<span class=p>(.*?)<\/span><code>/.exec(summary)[1];
		const product = part(what, /<b>(.*?)<\/b>/);

		return {
			id, at, product, item: null, unfolded: false,
			html: `${summary}</details></li>`,
			history: html.slice(middle, end),
			since: Number(since), seen: Number(seen), times: Number(times),
			is: Array.from(flags, flag => FLAGS[flag]),
			port: /:(\d+)<\/span>/.exec(summary)?.[1],
			owner: part(summary, /<small class=o>(.*?)<\/small>/),
			what: to_text(what),
			text: to_text(summary.slice(summary.indexOf("<summary>"))),
		};
	}

	const rows = list.firstElementChild.textContent.split(/^(?=<li id=s\d)/m)
		.slice(1).map(make_row);

	for (const row of rows)
		by_id.set(row.id, row);

	/* --- what is drawn ------------------------------------------------- */

	const PER_CHUNK = 50;
	const AHEAD = "1500px";		/* rows are drawn this far ahead */
	const idle = window.requestIdleCallback?.bind(window) ??
		(then => setTimeout(then, 50));

	let sorted = rows;
	let found = rows;		/* the rows that the filter takes */
	let chunks = [];		/* of `found`: PER_CHUNK in each */
	let row_height = 54;

	function fill(chunk) {
		if (chunk.filled)
			return;
		chunk.filled = true;
		near.unobserve(chunk.element);

		const fresh = chunk.rows.filter(row => !row.item);
		const items = make(fresh.map(row => row.html).join("")).children;

		Array.from(items).forEach((item, at) => { fresh[at].item = item; });
		chunk.element.append(...chunk.rows.map(row => row.item));
		chunk.element.style.blockSize = "";
	}

	const near = new IntersectionObserver(entries => {
		for (const entry of entries)
			if (entry.isIntersecting)
				fill(chunks[entry.target.dataset.at] ?? {});
	}, { rootMargin: AHEAD });

	/* All of them in the end, for the browser's own search. */
	function fill_rest(of) {
		const chunk = of === chunks && chunks.find(one => !one.filled);

		if (!chunk)
			return;
		fill(chunk);
		idle(() => fill_rest(of));
	}

	function draw() {
		near.disconnect();
		chunks = [];
		for (let at = 0; at < found.length; at += PER_CHUNK) {
			const element = document.createElement("ol");
			const some = found.slice(at, at + PER_CHUNK);
			const height = `${some.length * row_height}px`;

			element.className = "chunk";
			element.dataset.at = chunks.length;
			element.style.blockSize = height;
			element.style.containIntrinsicBlockSize = `auto ${height}`;
			chunks.push({ element, rows: some, filled: false });
		}
		list.replaceChildren(...chunks.map(chunk => chunk.element));
		chunks.slice(0, 2).forEach(fill);
		for (const chunk of chunks)
			if (!chunk.filled)
				near.observe(chunk.element);
		idle(() => fill_rest(chunks));
	}

	/* The row's element, where it is among those that are found. */
	function item_of(row) {
		const at = found.indexOf(row);

		if (at < 0)
			return null;
		fill(chunks[Math.floor(at / PER_CHUNK)]);
		return row.item;
	}

	/* Rows are higher on a narrow screen. */
	function measure() {
		const item = chunks[0]?.rows.find(row => !row.item.firstChild.open)?.item;

		row_height = item?.getBoundingClientRect().height || row_height;
	}

	/* --- the filter ---------------------------------------------------- */

	/* Words, "several words", key:word, key:"several words"; - before: not. */
	const TERM = /(-?)(?:(is|port|product|what|owner):)?(?:"([^"]*)"?|(\S+))/g;

	function make_test(key, word) {
		switch (key) {
		case "is":
			return row => row.is.includes(word);
		case "port":
			return row => row.port === word;
		case "product":
			return row => row.product === word;
		case "owner":
			return row => row.owner === word;
		case "what":
			return row => row.product && row.what === word;
		default:
			return row => row.text.includes(word);
		}
	}

	function parse(text) {
		return Array.from(text.matchAll(TERM), ([, not, key, quoted, bare]) => {
			const test = make_test(key, (quoted ?? bare).toLowerCase());

			return not ? row => !test(row) : test;
		});
	}

	let choice = "";

	function filter() {
		const tests = parse(field.value);

		if (choice)
			tests.push(make_test("is", choice));
		found = sorted.filter(row => tests.every(test => test(row)));
		draw();
		document.getElementById("none").hidden = found.length > 0;
		document.getElementById("found").textContent =
			(found.length === rows.length ? "" :
				`${found.length.toLocaleString("en")} of `) +
			`${rows.length.toLocaleString("en")} ` +
			(rows.length === 1 ? "service" : "services");
	}

	function choose(word) {
		choice = word;
		for (const button of document.querySelectorAll("[data-is]"))
			button.setAttribute("aria-pressed", button.dataset.is === word);
		filter();
	}

	function find(text) {
		field.value = text;
		choose("");
	}

	/* --- sorting ------------------------------------------------------- */

	const ORDERS = {
		server: (a, b) => a.at - b.at,
		owner: (a, b) => !a.owner - !b.owner || COLLATE.compare(a.owner, b.owner),
		what: (a, b) => !a.product - !b.product || COLLATE.compare(a.what, b.what),
		since: (a, b) => b.since - a.since,
		seen: (a, b) => b.seen - a.seen,
		times: (a, b) => b.times - a.times,
	};
	/* 9.10 behind 9.9 */
	const COLLATE = new Intl.Collator("en", { numeric: true });

	function sort(key, reverse) {
		sorted = rows.slice().sort((a, b) => ORDERS[key](a, b) || a.at - b.at);
		if (reverse)
			sorted.reverse();
		filter();
	}

	function press_sort(button) {
		const reverse = button.dataset.order === "down";

		for (const other of document.querySelectorAll("[data-sort]")) {
			delete other.dataset.order;
			other.removeAttribute("aria-label");
		}
		button.dataset.order = reverse ? "up" : "down";
		button.setAttribute("aria-label", `${button.textContent}, sorted` +
			(reverse ? " in reverse" : ""));
		sort(button.dataset.sort, reverse);
	}

	/* --- what is clicked, and keys ------------------------------------- */

	/* A service that the filter hides is shown when something leads to it. */
	function go_to(id) {
		const row = by_id.get(id);

		if (!row)
			return;
		if (!found.includes(row))
			find("");

		const item = item_of(row);

		item.firstChild.open = true;
		item.scrollIntoView({ block: "center" });
		item.querySelector("summary").focus({ preventScroll: true });
	}

	function go_to_services(filter) {
		find(filter);
		document.getElementById("services").scrollIntoView();
		field.focus({ preventScroll: true });
	}

	function go_to_product({ product, what }) {
		go_to_services((what === undefined ? `product:"${plain(product)}"` :
			`what:"${plain(what)}"`) + " -is:gone -is:refuses");
	}

	const go_to_owner = ({ owner }) => go_to_services(`owner:"${plain(owner)}" -is:gone`);

	/* A service, or an owner's. */
	function go_to_hash() {
		const links = Array.from(document.querySelectorAll("[data-owner]"));
		const link = links.find(one => one.hash === location.hash);

		if (link)
			go_to_owner(link.dataset);
		else
			go_to(location.hash.slice(1));
	}

	document.addEventListener("click", event => {
		const target = event.target.closest("[data-is], [data-sort], #clear, a");

		if (!target)
			return;
		if (target.dataset.is !== undefined) {
			choose(target.dataset.is);
		} else if (target.dataset.sort) {
			press_sort(target);
		} else if (target.id === "clear") {
			find("");
			field.focus();
		} else if (target.dataset.product ?? target.dataset.what) {
			event.preventDefault();
			go_to_product(target.dataset);
		} else if (target.dataset.owner !== undefined) {
			event.preventDefault();
			history.replaceState(null, "", target.hash);
			go_to_owner(target.dataset);
		} else if (/^#s\d+$/.test(target.hash)) {
			event.preventDefault();
			history.replaceState(null, "", target.hash);
			go_to(target.hash.slice(1));
		}
	});

	/* From service to service; up from the first is the filter. */
	function step(at) {
		if (at < 0)
			field.focus();
		else if (found[at])
			item_of(found[at]).querySelector("summary").focus();
	}

	document.addEventListener("keydown", event => {
		const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const row = by_id.get(event.target.closest("summary")?.closest("li[data-k]")?.id);

		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key === "/" && event.target !== field) {
			field.focus();
			field.select();
		} else if (event.key === "Escape" && (event.target === field || row)) {
			find("");
			field.focus();
		} else if (down && row) {
			step(found.indexOf(row) + down);
		} else if (down === 1 && event.target === field) {
			step(0);
		} else {
			return;
		}
		event.preventDefault();
	});

	/* --- the start ----------------------------------------------------- */

	for (const hidden of document.querySelectorAll(".tools, #keys"))
		hidden.hidden = false;
	for (const button of document.querySelectorAll("[data-sort]"))
		button.disabled = false;
	field.addEventListener("input", filter);
	window.addEventListener("beforeprint", () => chunks.forEach(fill));
	window.addEventListener("resize", measure);
	filter();
	measure();
	if (location.hash)
		go_to_hash();
	performance.mark("report-ready");
})();
