# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The report: what stands in it, that nothing of a stranger's is more than text, and how it is to use.

The last part needs Debian's chromium, and playwright-core and axe-core in build/browser;
`make test-report` installs them.
"""

import base64
import contextlib
import hashlib
import html
import html.parser
import itertools
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest

import netns
import report_sample
from report_sample import ATTACKS, BINARY, DAY, END, HOUR

BROWSER = os.path.join(netns.ROOT, os.environ.get("BUILD", "build"), "browser")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SECONDS = 2			# for 10,000 services
ENVIRONMENT = os.environ | {"TZ": "UTC"}
# All that the report is made of. What could load, run or send something is not among it.
ELEMENTS = set("""html head meta title style body a header nav h1 h2 h3 p time dl div dt dd main section figure
svg path g rect figcaption span b small ol ul li del ins em article details summary noscript label input output
button code pre i mark kbd footer script""".split())
ATTRIBUTES = set("""lang charset http-equiv content name class href aria-label id aria-labelledby viewbox
preserveaspectratio role d x y width height datetime aria-hidden data-product data-what data-owner hidden for type
autocomplete spellcheck placeholder aria-describedby data-is aria-pressed disabled data-sort data-k""".split())


def run(*words, code=0, **kwargs):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=120,
                          **{"env": ENVIRONMENT, **kwargs})
    assert done.returncode == code, (words, done.returncode, done.stdout[:500], done.stderr)
    return done


class Page(html.parser.HTMLParser):
    """A page as a browser without JavaScript has it."""

    VOID = {"meta", "input", "path", "rect"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.source, self.elements, self.attributes, self.texts = text, {}, {}, []
        self.open, self.ids, self.links, self.problems = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open and not self.problems, (self.open, self.problems)

    def handle_starttag(self, tag, attributes):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        if len({name for name, _ in attributes}) != len(attributes):
            self.problems.append(("twice", tag, attributes))
        for name, value in attributes:
            self.attributes.setdefault(name, set()).add(value)
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(("end", tag, self.getpos()))

    def handle_comment(self, data):
        self.problems.append(("comment", data))

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self):
        return "".join(data for tag, data in self.texts if tag not in ("style", "script"))


def report(path, *words):
    return Page(run(path, "report", *words).stdout)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The samples, each made once."""
    folder, ready = tmp_path_factory.mktemp("report"), {}

    def make(kind):
        if kind not in ready:
            ready[kind] = getattr(report_sample, kind)(folder / f"{kind}.db")
        return ready[kind]
    return make


@pytest.fixture
def sample(tmp_path):
    return report_sample.Sample(tmp_path / "x.db")


def ask(path, sql, *values):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql, values).fetchall()


# --- what stands in it --------------------------------------------------------------------------

def test_all_is_there(made):
    page = report(made("company"))
    text = page.text()
    for server, port in ask(made("company"), "SELECT server, port FROM service"):
        assert (f"[{server}]:{port}" if ":" in server else f"{server}:{port}") in text
    services, = ask(made("company"), "SELECT count(*) FROM service")[0]
    changes, = ask(made("company"), "SELECT count(*) FROM change")[0]
    assert len(re.findall(r"<li id=s\d+ data-k", page.source)) == page.source.count("first seen</b>") == services == 44
    assert page.source.count("<li><time>") == changes
    # The sections, in this order: what is new and changed is first.
    assert re.findall(r"<section id=(\w+)", page.source) == ["changes", "products", "owners", "services", "words"]
    assert "What listens here: company.db" in text


def test_links_lead_somewhere_and_ids_are_unique(made):
    for kind in "company", "hostile":
        page = report(made(kind))
        assert len(page.ids) == len(set(page.ids))
        assert {link[1:] for link in page.links} <= set(page.ids)
        assert all(link.startswith("#") for link in page.links)


def test_a_change_tells_what_was_and_what_is(sample):
    service, (old,) = sample.service("192.0.2.1", 22, END - 40 * DAY, END, forms=[
        report_sample.ssh("9.2p1", "Debian-2+deb12u3")])
    new = sample.form(service, END - DAY, END, **report_sample.ssh("9.2p1", "Debian-2+deb12u5"))
    sample.change(END - DAY, service, "version", old, new)
    page = report(sample.done())
    assert "<del>OpenSSH 9.2p1 (Debian-2+<b>deb12u3</b>)</del>" in page.source
    assert "<ins>OpenSSH 9.2p1 (Debian-2+<b>deb12u5</b>)</ins>" in page.source


def test_days_are_in_order_and_the_beginning_is_no_news(made):
    page = report(made("company"))
    days = re.findall(r"<time datetime=([\d-]+)>", page.source)
    assert days == sorted(days, reverse=True)
    news = page.source[page.source.index("<section id=changes"):page.source.index("<section id=products")]
    assert "38 from the beginning" in html.unescape(re.sub("<[^>]*>", "", news))
    # 4 of the last week; neither those of the first day nor those of weeks ago.
    assert re.findall(r'<div class=new><dt>new</dt><dd>(\d+)', page.source) == ["4"]
    marked = re.findall(r'<li id=s(\d+) data-k="\S+ \S+ \S+ (\w*)"', page.source)
    assert sum("n" in flags for _, flags in marked) == 4
    assert sum("g" in flags for _, flags in marked) == 1


def test_a_day_of_many_changes_is_folded(sample):
    for n in range(300):
        service, (one,) = sample.service(f"192.0.2.{n % 250}", 1000 + n, END - 9 * DAY, END, forms=[
            report_sample.VSFTPD])
        sample.change(END - 9 * DAY if n < 200 else END - HOUR, service, "new", None, one)
    page = report(sample.done())
    assert page.source.count("<li><time>") == 300
    assert re.findall(r"<summary>(.*?)</summary><noscript>", page.source) == [
        "40 more", "200 services from the beginning"]


def test_products_are_summed_up_by_servers(made):
    page = report(made("company"))
    products = page.source[page.source.index("<section id=products"):page.source.index("<section id=services")]
    text = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", " ", products)))
    some = "SELECT count(DISTINCT server) FROM service JOIN banner ON banner.id = banner_id WHERE info = ?"
    u5, = ask(made("company"), some, "Debian-2+deb12u5")[0]
    u3, = ask(made("company"), some, "Debian-2+deb12u3")[0]
    assert u5 + u3 == 19
    assert (f"OpenSSH 27 servers 9.2p1 Debian-2+deb12u5 {u5} 8.9p1 Ubuntu-3ubuntu0.10 5"
            f" 9.2p1 Debian-2+deb12u3 {u3}") in text
    # Gone, or a refusal: neither is counted.
    assert "ProFTPD" not in text and "redis" not in text


def test_owners_have_their_services(made):
    """A unit, a container whichever process of it answers, or else a process; not what is gone."""
    owners = {}
    for unit, container, process, service in ask(made("company"), """
            SELECT coalesce(unit, ''), coalesce(container, ''), process, id FROM service
            WHERE last_seen > (SELECT max(last_seen) FROM service) - 7 * 86400000000"""):
        if name := f"{unit} {container}".strip() or process:
            owners.setdefault(name, set()).add(service)
    page = report(made("company")).source
    found = re.findall(r'<li id=(o\d+)><a href=#(o\d+) data-owner="(.*?)">(.*?)</a> <b>(\d+)</b>'
                       r"<noscript><ul>(.*?)</ul></noscript></li>", page)
    assert {name: set(map(int, re.findall(r"<a href=#s(\d+)>", links))) for _, _, name, _, _, links in found} == owners
    assert all(own == to and name == shown and int(count) == len(owners[name])
               for own, to, name, shown, count, _ in found)
    assert set(owners) == {"ssh.service", "mariadb.service", "podman:77c2a90d1e5f",
                           "user@1000.service podman:0c4d1f7e29ab", "innd"}
    counts = [int(count) for *_, count, _ in found]
    assert counts == sorted(counts, reverse=True) and counts[0] == 23
    # Its row says it, too, apart from the process.
    rows = dict(re.findall(r"<li id=s(\d+) .*?(?:<small class=o>(.*?)</small>.*?)?</summary>", page))
    assert {row: name for row, name in rows.items() if name} == {
        str(service): name for name, some in owners.items() for service in some} | {
        str(ask(made("company"), "SELECT id FROM service WHERE unit = 'proftpd.service'")[0][0]): "proftpd.service"}
    assert "<small class=o>podman:77c2a90d1e5f</small> <small>dovecot</small>" in page


def test_nothing_of_owners_where_none_is_known(sample):
    sample.service("192.0.2.1", 21, END - DAY, END, forms=[report_sample.VSFTPD])
    # One that is gone.
    sample.service("192.0.2.2", 21, END - 30 * DAY, END - 20 * DAY, forms=[report_sample.VSFTPD], unit="a.service")
    page = report(sample.done())
    assert "owners" not in page.ids and "#owners" not in page.links and "data-sort=owner" not in page.source


@pytest.mark.parametrize("words, servers", [
    (["--port", "3306"], {"10.20.0.21", "10.20.0.22", "10.20.0.23"}),
    (["--net", "2001:db8::/32"], {"2001:db8:20::c1", "2001:db8:20::c2"}),
    (["--owner", "dovecot"], {"10.20.0.12", "10.20.0.13"}),
    (["--product", "exim"], {"10.20.0.14"})])
def test_filters_of_the_command_line(made, words, servers):
    page = report(made("company"), *words)
    rows = re.findall(r"<li id=s\d+ .*?<span class=e>(.*?):\d+</span>", page.source)
    assert {row.strip("[]") for row in rows} == servers
    shown = re.findall(r"<li><time>.*?<a href=#s\d+>(.*?):\d+</a>", page.source)
    assert {row.strip("[]") for row in shown} == servers
    assert "A part of the inventory:" in page.text()


def test_since_and_gone(made):
    page = report(made("company"), "--since", "2 days ago")
    assert set(re.findall(r"<time datetime=([\d-]+)>", page.source)) <= {
        ask(":memory:", "SELECT date(?, 'unixepoch', ?)", END, f"-{days} days")[0][0] for days in range(3)}
    page = report(made("company"), "--gone", "3d")
    gone = ask(made("company"), "SELECT count(*) FROM service WHERE last_seen <"
               " (SELECT max(last_seen) FROM service) - 3 * 86400000000")[0][0]
    assert re.findall(r"<div class=gone><dt>gone</dt><dd>(\d+)", page.source) == [str(gone)]
    alone = report(made("company"), "--product", "ProFTPD")
    assert "Nothing was seen lately" in alone.text()


def test_an_old_inventory_counts_from_its_newest_record(sample):
    service, (one,) = sample.service("192.0.2.1", 22, END - 900 * DAY, END - 800 * DAY, forms=[
        report_sample.VSFTPD])
    sample.service("192.0.2.2", 22, END - 900 * DAY, END - 850 * DAY, forms=[report_sample.VSFTPD])
    sample.change(END - 900 * DAY, service, "new", None, one)
    page = report(sample.done())
    assert "The newest record is 800 days old." in page.text()
    assert re.findall(r"<div class=gone><dt>gone</dt><dd>(\d+)", page.source) == ["1"]


def test_nothing_recorded(tmp_path):
    empty = tmp_path / "empty.db"
    empty.touch()
    page = report(empty)
    for text in ("Nothing is recorded.", "Nothing has changed yet.", "No services."):
        assert text in page.text()


def test_words_are_explained(made):
    text = report(made("company")).source
    for word in ("once", "ever different", "refuses", "gone", "new", "returned", "forms"):
        assert re.search(rf'<dt><b class="tag \w+">{word}</b></dt>', text), word


def test_marks(made):
    page = report(made("company"))
    rows = {re.search(r"<span class=e>(.*?)</span>", row)[1]: row
            for row in re.findall(r"<li id=s\d+.*?</summary>", page.source)}
    for where, mark in (("10.20.2.7:31337", "once"), ("10.20.2.8:6379", "refuses"),
                        ("10.20.3.9:4242", "ever different"), ("10.20.0.31:21", "gone"),
                        ("10.20.0.14:25", "changed"), ("10.20.0.14:25", "2 forms"), ("10.20.2.7:5900", "new")):
        assert f">{mark}</b>" in rows[where], (where, mark)
    assert '<mark>time</mark>' in rows["10.20.0.14:25"]


# --- where it goes ------------------------------------------------------------------------------

def test_the_file_is_replaced_as_a_whole(made, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("old")
    before = page.stat().st_ino
    assert run(made("company"), "report", "-o", page).stdout == ""
    assert page.stat().st_ino != before and page.read_text().endswith("</html>\n")
    assert stat.S_IMODE(page.stat().st_mode) == 0o666 & ~current_umask()
    assert os.listdir(tmp_path) == ["report.html"]


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_cannot_be_written_leaves_the_old_one(made, tmp_path):
    missing = tmp_path / "no" / "report.html"
    assert f"{missing}: No such file" in run(made("company"), "report", "-o", missing, code=1).stderr
    assert "No space left" in run(made("company"), "report", "-o", "/dev/full", code=1).stderr
    # On a disk that is full; the mount goes with its namespace.
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs $0 && echo old >$0/report.html &&"
         " ! $1 $2 report -o $0/report.html && cat $0/report.html && ls $0", tmp_path, BINARY, made("company")],
        capture_output=True, text=True, timeout=60)
    assert done.stdout == "old\nreport.html\n", done
    assert "report.html: No space left" in done.stderr and done.stderr.count("\n") == 1


def test_a_pipe_that_nobody_reads(made, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert run(made("company"), "report", "-o", fifo, code=1).stderr == (
        f"bannerprobe-inventory: {fifo}: nobody reads from it: start its reader first\n")
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
        while b"nobody reads" in (done := subprocess.run([BINARY, made("company"), "report", "-o", fifo],
                                                         capture_output=True, timeout=60)).stderr:
            pass
        assert not done.returncode and reader.communicate(timeout=60)[0].endswith("</html>\n")


def test_a_signal_leaves_no_unfinished_page(tmp_path):
    many = report_sample.many(tmp_path / "many.db", 10000)
    folder = tmp_path / "pages"
    folder.mkdir()
    with subprocess.Popen([BINARY, many, "report", "-o", folder / "report.html"]) as process:
        while not os.listdir(folder):
            assert process.poll() is None
        process.terminate()
    assert process.returncode == -signal.SIGTERM and not os.listdir(folder)


def test_wrong_usage(made, tmp_path):
    run(made("company"), "report", "x.html", code=2)
    run(made("company"), "report", "--since", "tomorrowish", code=2)
    run(tmp_path / "none.db", "report", code=1)
    done = subprocess.run(["script", "-qec", f"{BINARY} {made('company')} report", "/dev/null"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "-o report.html" in done.stdout


# --- what strangers said ------------------------------------------------------------------------

def test_nothing_but_text_comes_from_strangers(made):
    page = report(made("hostile"))
    assert set(page.elements) <= ELEMENTS, set(page.elements) - ELEMENTS
    assert set(page.attributes) <= ATTRIBUTES, set(page.attributes) - ATTRIBUTES
    assert page.elements["script"] == page.elements["style"] == page.elements["body"] == 1
    # No attribute is quoted by ', and none that is may end early.
    bare = re.sub(r"<(style|script)>.*?</\1>|<meta http-equiv=.*?>", "", page.source, flags=re.S)
    assert "'" not in bare and "&#39;" in bare
    assert not re.search(r"[^\n\t -~]", page.source)


def test_every_byte_is_shown(made):
    page = report(made("hostile"))
    said = ["".join(part) for part in texts_of(page, "pre")]
    for attack in ATTACKS:
        assert report_sample.escape(attack) in said, attack[:40]


def texts_of(page, element):
    """The texts of these elements; line breaks for reading are not what was said."""
    for found in re.findall(rf"<{element}>(.*?)</{element}>", page.source, re.S):
        yield html.unescape(re.sub("<[^>]*>", "", found.replace("\n", "")))


def test_forms_that_are_broken_anywhere(sample):
    """What a probe does not write, cut at any place."""
    pieces = ["\\", "\\x", "\\x0", "\\x0a", "\\{", "}", "\\{time}", "<", ">", "&", "\"", "'", "\0", "\xe9", "a", " "]
    rng = random.Random(5)
    for n in range(400):
        text = "".join(rng.choice(pieces) for _ in range(rng.randint(0, 60)))
        service, (one,) = sample.service("192.0.2.1", n, END - DAY, END, forms=[
            {"raw": text.encode(), "stable": text, "product": text[:20]}])
        sample.change(END - HOUR, service, "banner", one, sample.form(
            service, END - HOUR, END, raw=text.encode(), stable=text[len(text) // 2:]))
    page = report(sample.done())
    assert set(page.elements) <= ELEMENTS and set(page.attributes) <= ATTRIBUTES
    assert not re.search(r"[^\n\t -~]", page.source)


def test_policy_names_the_script_and_the_style(made):
    source = report(made("hostile")).source
    policy, = re.findall(r'<meta http-equiv=Content-Security-Policy content="(.*?)">', source)
    digest = {name: base64.b64encode(hashlib.sha256(
        re.search(rf"<{name}>(.*?)</{name}>", source, re.S)[1].encode()).digest()).decode()
        for name in ("style", "script")}
    assert policy == (f"default-src 'none'; style-src 'sha256-{digest['style']}'; "
                      f"script-src 'sha256-{digest['script']}'; base-uri 'none'; form-action 'none'")
    # Before all else that it could concern.
    assert source.index("Content-Security-Policy") < source.index("<style>") < source.index("<script>")


@pytest.mark.parametrize("byte", [b"\0", b"<"], ids=["nul", "less"])
def test_a_banner_of_megabytes_is_cut(sample, byte):
    service, (one,) = sample.service("192.0.2.1", 22, END - DAY, END, forms=[
        {"raw": byte * 3_000_000, "stable": "\\x00" * 500_000, "product": "<" * 100_000}])
    sample.change(END, service, "banner", one, one)
    page = report(sample.done())
    assert len(page.source) < 400_000
    assert f"and {3_000_000 - 4096:d} bytes more" in page.text()


def test_a_history_without_end_is_cut(sample):
    service, forms = sample.service("192.0.2.1", 22, END - DAY, END, forms=[
        {"raw": b"%d" % n} for n in range(500)])
    for n in range(2000):
        sample.change(END - 2000 + n, service, "banner", forms[n % 500], forms[(n + 1) % 500])
    page = report(sample.done())
    assert "Of 500 forms the last 64 are shown." in page.text()
    assert page.source.count("<div class=form>") == 64
    assert "and more changes" in page.text()


# --- in a browser -------------------------------------------------------------------------------

def missing():
    if not os.access(CHROMIUM, os.X_OK):
        return f"no {CHROMIUM}"
    if not shutil.which("node"):
        return "no node"
    for package in "playwright-core", "axe-core":
        if not os.path.exists(os.path.join(BROWSER, "node_modules", package)):
            return f"no {package} in {BROWSER}"
    return None


needs_browser = pytest.mark.skipif(missing() is not None, reason=f"{missing()}: make test-report installs it")


@pytest.fixture(scope="session")
def browse(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")

    def play(scenario, kind, *words, path=None):
        page = folder / f"{kind}.html"
        if not page.exists():
            run(path or made(kind), "report", "-o", page)
        done = subprocess.run(
            ["node", os.path.join(os.path.dirname(__file__), "report_browser.js"), scenario, page, *words],
            capture_output=True, text=True, timeout=300,
            env=os.environ | {"NODE_PATH": os.path.join(BROWSER, "node_modules"), "CHROMIUM": CHROMIUM})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return play


def quiet(seen):
    return not seen["requests"] and not seen["errors"] and not seen["violations"]


@needs_browser
def test_ten_thousand_services_are_filterable_at_once(made, browse):
    tries = [browse("many", "many", *words) for words in ((), (), ("whole",))]
    assert all(map(quiet, tries))
    print([(one["processor"], one["ready"]) for one in tries])
    assert min(one["processor"] for one in tries) < SECONDS
    # By the clock, too, as far as the machine has time for it.
    most = SECONDS * 1000 * max(1, os.getloadavg()[0] / os.cpu_count())
    assert min(one["ready"] for one in tries) < most
    servers, = ask(made("many"), "SELECT count(*) FROM service JOIN banner ON banner.id = banner_id"
                   " WHERE product = 'OpenSSH' AND version = '9.2p1' AND info = 'Debian-2'")[0]
    exact = 'what:"openssh 9.2p1 debian-2"'
    for one in tries:
        found = {text: result[0] for text, result in one["filters"].items()}
        assert found[exact] == f"{servers} of 10,000 services"
        assert found["port:25"] == "2,500 of 10,000 services"
        assert found["nothing at all"] == "0 of 10,000 services"
        assert found[""] == "10,000 services"
        # The work: what is seen is drawn, not 10,000 rows.
        assert all(rows <= 100 for _, _, rows in one["filters"].values())
        assert one["filters"][""][2] == 100
    for text in tries[0]["filters"]:
        assert min(one["filters"][text][1] for one in tries) < most, text


@needs_browser
def test_hostile_banners_execute_nothing(browse):
    with_script, without = browse("hostile", "hostile"), browse("hostile_without_script", "hostile")
    for seen in with_script, without:
        assert quiet(seen)
        assert set(seen["elements"]) <= ELEMENTS
        # Sizes that report.js sets are the only styles.
        assert {name.lower() for name in seen["attributes"]} <= ATTRIBUTES | {"style", "open", "data-at"}
        assert seen["elements"]["script"] == 1
        assert seen["title"] == "What listens here: hostile.db"
    assert with_script["canary"] == "undefined"
    assert with_script["attributes"]["style"] <= 2
    assert with_script["rows"] == len(ATTACKS) + 1
    assert not with_script["wide"]
    said = [text.replace("\n", "") for text in with_script["texts"]]
    for attack in ATTACKS:
        assert report_sample.escape(attack) in said, attack[:40]
    # Whatever a product is called, its link finds it.
    assert not [link for link in with_script["links"] if link.startswith("0 ")]


@needs_browser
def test_what_got_in_could_do_nothing(browse):
    seen = browse("policy", "company")
    assert seen["canary"] == "undefined" and not seen["requests"] and not seen["errors"]
    assert {"script-src-elem", "script-src-attr", "style-src-attr", "style-src-elem", "img-src", "connect-src",
            "frame-src"} <= set(seen["refused"])


@needs_browser
def test_axe_finds_no_fault(browse):
    assert browse("axe", "company")["wrong"] == []


@needs_browser
def test_all_can_be_done_by_keys(browse):
    seen = browse("keyboard", "company")
    assert quiet(seen)
    focus = [(keys, at) for keys, at in seen["steps"]]
    first, second = seen["filtered"][:2]
    assert focus == [
        ("Tab", "To the services"), ("Enter Tab", "find"), ("Tab", "All 44"), ("/", "find"),
        ("ArrowDown", first), ("ArrowDown", second), ("Enter", second), ("Space", second), ("ArrowUp", first),
        ("ArrowUp", "find"), ("ArrowDown", first), ("Escape", "find"), ("Tab Tab Enter", "New 4"),
        ("Enter", "Times")]
    assert len(seen["filtered"]) == 19 and seen["closed"] == 0 and seen["emptied"] == "44 services"
    assert "first seen" in seen["history"] and "last seen" in seen["history"]
    assert len(seen["chosen"]) == 4
    assert [int(n) for n in seen["sorted"]] == sorted(map(int, seen["sorted"]), reverse=True)


@needs_browser
def test_sums_and_links_agree(browse):
    seen = browse("links", "company")
    assert quiet(seen) and seen["none"]
    assert len(seen["products"]) > 8
    assert [row for row in seen["products"] if row[1] != row[2]] == []
    assert len(seen["owners"]) == 5
    assert [row for row in seen["owners"] if row[1:] != [[row[0]], row[3], row[3]]] == []
    # One that is gone is owned, too.
    assert seen["not_owned"] == f"{44 - 1 - sum(row[3] for row in seen['owners'])} of 44 services"
    # Sorted by them, each owner's services stand together, and those of none last.
    groups = [name for name, _ in itertools.groupby(seen["by_owner"])]
    assert groups == [*sorted({*groups} - {""}), ""] and len(groups) == 7
    assert seen["by_fragment"] == [f'owner:"{seen["owners"][0][0]}" -is:gone', f"{seen['owners'][0][3]} of 44 services"]
    # A change leads to its service, though the filter hid it.
    assert seen["led_to"] == seen["link"] and seen["find"] == ""


@needs_browser
def test_without_javascript_all_is_there_but_the_filter(made, browse):
    seen = browse("without_script", "company")
    assert quiet(seen)
    assert seen["rows"] == seen["histories"] == 44 and seen["opened"] and not seen["tools"]
    assert seen["changes"] == ask(made("company"), "SELECT count(*) FROM change")[0][0]
    assert len(seen["owners"]) == 5 and all(count == links for count, links in seen["owners"])
    assert seen["led_to"] == seen["link"]


@needs_browser
def test_all_is_printed(browse, tmp_path):
    some = report_sample.many(tmp_path / "some.db", 500)
    seen = browse("print", "some", path=some)
    assert quiet(seen) and seen["drawn"] == 100 and seen["printed"] == 500


@needs_browser
def test_an_empty_report_works(browse, tmp_path):
    empty = tmp_path / "empty.db"
    empty.touch()
    seen = browse("empty", "empty", path=empty)
    assert quiet(seen) and len(seen["empty"]) == 3


@needs_browser
def test_pictures(made, browse):
    """Kept in build/browser, for a person to look at."""
    shots = os.path.join(BROWSER, "shots")
    os.makedirs(shots, exist_ok=True)
    title = os.path.join(shots, "title.html")
    run(made("company"), "report", "--since", "3 days ago", "-o", title)
    seen = browse("pictures", "company", shots, title)
    assert seen["wide"] == [] and seen["seen"] == []
    assert seen["colours"] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"] and seen["pdf"] > 20000
    for name in "light", "dark", "light-phone", "dark-services", "print", "report":
        assert os.path.getsize(os.path.join(shots, f"{name}.png")) > 10000
