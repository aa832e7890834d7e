/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's filter, sort and keys. Without it the page is whole, too. */
(() => {
	"use strict";

	const list = document.getElementById("list");
	const field = document.getElementById("find");

	/* --- what is to be opened ------------------------------------------ */

	/*
	 * Its elements are made when it is opened: of the text that a browser
	 * without JavaScript makes them of, too.
	 */
	function unfold(details) {
		const folded = details.querySelector(":scope > noscript");

		if (!folded)
			return;
		const template = document.createElement("template");

		template.innerHTML = folded.textContent;
		folded.replaceWith(template.content);
	}

	document.addEventListener("toggle", event => {
		if (event.target.open)
			unfold(event.target);
	}, true);

	if (!list)
		return;

	/* --- rows ---------------------------------------------------------- */

	/* Of data-k: the flags, and the words that the filter has for them. */
	const FLAGS = {
		n: "new", c: "changed", g: "gone", o: "once", r: "refuses",
		d: "different", f: "forms",
	};
	const PER_CHUNK = 50;

	const lower = text => text.toLowerCase().replace(/"/g, "'");

	const rows = Array.from(list.querySelectorAll("li[data-k]"), (item, at) => {
		const [since, seen, times, flags] = item.dataset.k.split(" ");
		const what = item.querySelector(".p");
		const product = what.querySelector("b")?.textContent;
		const version = what.querySelector(".v")?.textContent ?? "";

		return {
			item, at, shown: true,
			since: Number(since), seen: Number(seen), times: Number(times),
			is: Array.from(flags ?? "", flag => FLAGS[flag]),
			port: item.querySelector(".e").textContent.split(":").pop(),
			what: lower(what.textContent),
			product: lower(product ?? ""),
			exact: product ? lower(`${product} ${version}`.trim()) : "",
			text: lower(item.querySelector("summary").textContent),
		};
	});
	let sorted = rows.slice();
	let chunks = Array.from(list.children);

	/*
	 * The browser lays out the chunks that are seen, and must know how high
	 * the others will be.
	 */
	function size_chunks() {
		const first = sorted.find(row => row.shown && !row.item.firstChild.open);
		const height = first?.item.getBoundingClientRect().height || 52;

		chunks.forEach((chunk, at) => {
			let shown = 0;

			for (const row of sorted.slice(at * PER_CHUNK, (at + 1) * PER_CHUNK))
				shown += row.shown;
			chunk.hidden = !shown;
			chunk.style.containIntrinsicBlockSize = `${shown * height}px`;
		});
	}

	/* --- the filter ---------------------------------------------------- */

	/* Words, "several words", key:word, key:"several words"; - before: not. */
	const TERM = /(-?)(?:(is|port|product|what):)?(?:"([^"]*)"?|(\S+))/g;

	function make_test(key, word) {
		switch (key) {
		case "is":
			return row => row.is.includes(word);
		case "port":
			return row => row.port === word;
		case "product":
			return row => row.product === word;
		case "what":
			return row => row.exact === word;
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
		let found = 0;

		if (choice)
			tests.push(make_test("is", choice));
		for (const row of rows) {
			const shown = tests.every(test => test(row));

			found += shown;
			if (shown !== row.shown) {
				row.shown = shown;
				row.item.hidden = !shown;
			}
		}
		size_chunks();
		document.getElementById("none").hidden = found > 0;
		document.getElementById("found").textContent =
			found === rows.length ? `${found.toLocaleString("en")} services` :
			`${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
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
		chunks = [];
		for (let at = 0; at < sorted.length; at += PER_CHUNK) {
			const chunk = document.createElement("ol");

			chunk.className = "chunk";
			chunk.append(...sorted.slice(at, at + PER_CHUNK).map(row => row.item));
			chunks.push(chunk);
		}
		list.replaceChildren(...chunks);
		size_chunks();
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
		const row = rows.find(one => one.item.id === id);

		if (!row)
			return;
		if (!row.shown)
			find("");
		row.item.firstChild.open = true;
		row.item.scrollIntoView({ block: "center" });
		row.item.querySelector("summary").focus({ preventScroll: true });
	}

	function go_to_product(link) {
		const { product, version } = link.dataset;
		const name = product + (version ? ` ${version}` : "");

		find(`${version === undefined ? "product" : "what"}:` +
			`"${name.replace(/"/g, "'")}" -is:gone -is:refuses`);
		document.getElementById("services").scrollIntoView();
		field.focus({ preventScroll: true });
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
		} else if (target.dataset.product !== undefined) {
			event.preventDefault();
			go_to_product(target);
		} else if (/^#s\d+$/.test(target.hash)) {
			event.preventDefault();
			history.replaceState(null, "", target.hash);
			go_to(target.hash.slice(1));
		}
	});

	/* From service to service, past those that the filter hides. */
	function step(from, by) {
		let at = from ? sorted.findIndex(row => row.item === from) : -1;

		do
			at += by;
		while (sorted[at] && !sorted[at].shown);
		if (sorted[at])
			sorted[at].item.querySelector("summary").focus();
		else if (by < 0)
			field.focus();
	}

	document.addEventListener("keydown", event => {
		const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const row = event.target.closest("summary")?.closest("li[data-k]");

		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key === "/" && event.target !== field) {
			field.focus();
			field.select();
		} else if (event.key === "Escape" && (event.target === field || row)) {
			find("");
			field.focus();
		} else if (down && row) {
			step(row, down);
		} else if (down === 1 && event.target === field) {
			step(null, 1);
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
	filter();
	if (location.hash)
		go_to(location.hash.slice(1));
	performance.mark("report-ready");
})();
