// The page, made alive. Text from outside becomes text nodes and nothing else.

const SHOWN = 100; // rows of a table
const RECORDS = 200; // records in the list
const GLYPHS = { unhealthy: "✗", unknown: "○", pending: "◌", maintenance: "◆", draining: "▽", healthy: "●" };
const WORST = Object.keys(GLYPHS); // the order of the services
const LEVELS = { trace: "·", debug: "○", info: "●", warn: "▲", error: "✗", fatal: "■" };
const HAZARD = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\uffa0\ufeff\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const $ = (selector, root = document) => root.querySelector(selector);
const clean = (text) => String(text).replace(HAZARD, (c) => {
  const hex = c.codePointAt(0).toString(16);
  return ESCAPES[c] ?? (hex.length < 3 && c < "\x80" ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
});

function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "on") node.addEventListener("click", value);
    else if (value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== undefined)
    .map((child) => (child instanceof Node ? child : clean(child))));
  return node;
}

const state = (word) => el("span", { class: `state ${word}`, "data-glyph": GLYPHS[word] ?? "○" }, word);

// ---- time

const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

function ago(time) {
  const s = Math.max(0, Math.round((Date.now() - new Date(time)) / 1000));
  if (s < 2) return "now";
  if (s < 100) return `${s} s ago`;
  if (s < 6000) return `${Math.round(s / 60)} min ago`;
  return new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hour12: false });
}

const since = (time) => el("time", { datetime: time, class: "ago", title: new Date(time).toLocaleString() }, ago(time));

// ---- the server

class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.field = problem.field;
  }
}

async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, body === undefined ? {} : {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": unique() },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("this page's own daemon (web) is away");
  }
  if (!response.ok) throw new Refused(await response.json().catch(() => ({ title: `status ${response.status}` })));
  return response;
}

const call = async (path, body) => (await ask(path, body)).json();

// A part of a list, and the length of the whole list.
async function part(path) {
  const response = await ask(path);
  const rows = await response.json();
  return { rows, total: Number(response.headers.get("x-total-count") ?? rows.length) };
}

const cut = (shown, total, what) => (shown < total ? `${shown} of ${total} ${what}` : "");

// Not crypto.randomUUID: a page that is served over plain http beyond loopback has none.
const unique = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");

// JSON whose numbers keep every digit: each becomes a string that begins with MARK.
const MARK = `${unique()} `;
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");
const exact = (text) => JSON.parse(text.replace(/"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g,
  (token) => (token[0] === '"' ? token : `"${MARK}${token}"`)));
const number = (marked) => Number(marked.slice(MARK.length));
function plain(value) {
  if (typeof value !== "string") return JSON.stringify(value).replace(MARKED, "$1");
  return value.startsWith(MARK) ? value.slice(MARK.length) : value;
}

// A section is fresh, or says what is away and how old that is which it shows.
class Section {
  constructor(id) {
    this.root = document.getElementById(id);
    this.at = Date.now();
  }
  fresh(word) {
    this.at = Date.now();
    this.word = word;
    this.away("");
  }
  away(why) {
    const note = $(".away", this.root);
    const text = clean(why);
    if (note.textContent !== text) note.textContent = text;
    this.root.classList.toggle("stale", Boolean(why));
    if (why && this.word) {
      this.word = undefined;
      this.at = Date.now(); // it was live until now
    }
    this.tick();
  }
  tick() {
    const age = ago(this.at);
    const fresh = $(".fresh", this.root);
    fresh.textContent = this.word ?? (age === "now" ? "up to date" : `as of ${age}`);
    fresh.classList.toggle("live", Boolean(this.word));
  }
}

const services = new Section("services");
const log = new Section("log");
const books = new Section("books");

function fill(body, rows, columns, nothing) {
  // A table that is being read is not taken away under the reader's keyboard.
  const at = body.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  body.replaceChildren(...(rows.length ? rows : [el("tr", { class: "none" }, el("td", { colspan: columns }, nothing))]));
  if (at) [...body.querySelectorAll("button")].find((button) => button.dataset.key === at)?.focus();
}

// ---- services

const withoutPassword = (url) => url.replace(/^([a-z][a-z0-9+.-]*:[/\\]*[^/?#:@]*):[^/?#]*@/i, "$1:***@");

async function refreshServices() {
  const [registry, monitor] = await Promise.allSettled([call("/services"), call("/health/services")]);
  const known = new Map();
  for (const s of monitor.value ?? []) known.set(s.name, { ...s, instances: s.instances?.length ?? 1 });
  for (const r of registry.value ?? []) {
    const s = known.get(r.serviceName);
    if (!s) known.set(r.serviceName, { name: r.serviceName, url: withoutPassword(r.serviceUrl), status: "unknown", instances: 1 });
    else if (!monitor.value) s.instances += 1;
  }
  const failed = [registry, monitor].filter((result) => result.reason).map((result) => result.reason.message);
  if (failed.length < 2) {
    const all = [...known.values()].sort((a, b) =>
      WORST.indexOf(a.status) - WORST.indexOf(b.status) || (a.name < b.name ? -1 : 1));
    const healthy = all.filter((s) => s.status === "healthy").length;
    // With the monitor away the state of none is known: then the rows are cut by name.
    const shown = all.slice(0, monitor.value ? Math.max(SHOWN, all.length - healthy) : SHOWN);
    fill($("tbody", services.root), shown.map(serviceRow), 4, "No service is registered.");
    $(".more", services.root).textContent = cut(shown.length, all.length, "services, the worst first");
    const [word, glyph, text] = !monitor.value ? ["unknown", "○", `${all.length} services registered`]
      : [healthy < all.length ? "unhealthy" : "healthy", healthy < all.length ? "✗" : "●",
        `${healthy} of ${all.length} services healthy`];
    if ($("#summary").textContent !== text) $("#summary").replaceChildren(el("span", { class: `state ${word}`, "data-glyph": glyph }, text));
    services.fresh();
  }
  services.away(failed.join(" · "));
}

function serviceRow(s) {
  const where = s.instances > 1 ? `${s.url} and ${s.instances - 1} more` : s.url;
  const why = s.status === "unhealthy" ? [s.reason, s.detail].filter(Boolean).join(": ") : "";
  return el("tr", {},
    el("td", {}, state(s.status)),
    el("td", {}, el("span", { class: "name" }, s.name), el("small", {}, where),
      why ? el("small", { class: "unhealthy" }, why) : undefined),
    el("td", { class: "num" }, s.latency == null ? "–" : `${s.latency} ms`),
    el("td", { class: "nowrap" }, s.last_check ? since(s.last_check) : "–"));
}

// ---- log

const list = $("#records");
const box = list.parentElement;
let source;
let last = 0;
let queue = [];
let scheduled = false;
let retry = 0;
let paused = false;
let query = "";
let turn = 0; // a later one makes an earlier one give up

function recordItem(r) {
  if (r.gap) return el("li", { class: "gap" }, r.gap);
  const fields = Object.entries(r.fields ?? {})
    .map(([key, value]) => `${key}=${plain(value)}`).join("  ");
  return el("li", { class: `l-${r.level}` },
    el("time", { datetime: r.ts, title: r.ts }, clock(r.ts)),
    el("span", { class: "level", "data-glyph": LEVELS[r.level] ?? "●" }, r.level),
    el("span", { class: "body" }, el("span", { class: "service" }, r.service), el("span", { class: "message" }, r.message),
      fields ? el("span", { class: "fields" }, fields) : undefined));
}

function arrive(record) {
  queue.push(record);
  if (queue.length > RECORDS) queue.shift();
  if (paused) return void ($("#pause").textContent = `Go on (${queue.length})`);
  if (!scheduled) {
    scheduled = true;
    setTimeout(show, 50);
  }
}

// Newest first. A reader who has scrolled down stays where he is.
function show() {
  scheduled = false;
  const before = box.scrollHeight;
  const items = queue.map(recordItem).reverse();
  queue = [];
  items.forEach((item) => item.classList.add("new"));
  list.prepend(...items);
  if (box.scrollTop > 0) box.scrollTop += box.scrollHeight - before;
  while (list.childElementCount > RECORDS) list.lastElementChild.remove();
}

// A browser makes six connections to an origin: a tab that nobody sees gives its
// stream up, or the seventh tab would hang.
function rest() {
  turn += 1;
  source?.close();
  clearTimeout(lost.timer);
}

async function follow() {
  rest();
  if (document.hidden) return;
  const filter = query ? `&q=${encodeURIComponent(query)}` : "";
  const asked = turn;
  if (paused && last) return tail(filter);
  try {
    const answer = await (await ask(`/proxy/log?format=json&limit=${SHOWN}${filter}`)).text();
    if (asked !== turn) return;
    const { records } = exact(answer);
    queue = [];
    list.replaceChildren(...records.map(recordItem));
    if (!query || records[0]) last = records[0] ? number(records[0].seq) : 0;
  } catch (error) {
    if (asked !== turn) return;
    if (error.field === "q") return refuse($("#filter"), error);
    return lost(error.message);
  }
  tail(filter);
}

function tail(filter) {
  source = new EventSource(`/proxy/log/tail?after=${last}${filter}`);
  source.onopen = () => {
    retry = 0;
    log.fresh("● live");
  };
  source.onmessage = (event) => {
    const record = exact(event.data);
    const seq = number(record.seq);
    if (seq <= last) return;
    last = seq;
    arrive(record);
  };
  source.addEventListener("lagged", (event) => arrive({ gap: `… ${JSON.parse(event.data).missed} records were too fast to show …` }));
  source.onerror = () => lost("the log is away, or the way to it");
}

// The tail is taken up where it broke off; what was missed is caught up with.
function lost(why) {
  rest();
  log.away(`${why}. Trying again.`);
  lost.timer = setTimeout(follow, Math.min(10_000, 500 * 2 ** retry++) * (0.75 + Math.random() / 2));
}

$("#pause").addEventListener("click", ({ currentTarget: button }) => {
  paused = !paused;
  button.setAttribute("aria-pressed", paused);
  button.textContent = paused ? "Go on" : "Pause";
  if (!paused) show();
});

// ---- books

async function refreshBooks() {
  try {
    const [shelf, loans] = await Promise.all([
      part(`/proxy/books?limit=${SHOWN}`), part(`/proxy/borrow?active=true&limit=${SHOWN}`)]);
    const titles = new Map(shelf.rows.map((book) => [book.id, book.title]));
    fill($("tbody", books.root), shelf.rows.map(bookRow), 3, "No books.");
    fill($("#loans tbody"), loans.rows.map((loan) => loanRow(loan, titles)), 4, "Nothing is out.");
    $("#books-more").textContent = cut(shelf.rows.length, shelf.total, "books");
    $("#loans-more").textContent = cut(loans.rows.length, loans.total, "copies that are out");
    books.fresh();
  } catch (error) {
    books.away(error.message);
  }
}

const bookRow = (book) => el("tr", {},
  el("td", {}, el("span", { class: "name" }, book.title), el("small", {}, `${book.author} · ${book.id}`)),
  el("td", { class: "num" }, `${book.available} of ${book.copies}`),
  el("td", { class: "act" }, act("Borrow", book.title, `b ${book.id}`, book.available === 0, async () => {
    const borrower = $("#lend input").value;
    const loan = await call("/proxy/borrow", { book_id: book.id, borrower });
    return `‘${book.title}’ is lent to ${loan.borrower}.`;
  })));

const loanRow = (loan, titles) => {
  const title = titles.get(loan.book_id) ?? loan.book_id;
  return el("tr", {},
    el("td", { class: "name" }, title),
    el("td", {}, loan.borrower),
    el("td", { class: "nowrap" }, since(loan.borrowed_at)),
    el("td", { class: "act" }, act("Return", `${title} by ${loan.borrower}`, `r ${loan.book_id} ${loan.borrowed_at}`, false, async () => {
      await call("/proxy/return", { book_id: loan.book_id, borrower: loan.borrower });
      return `‘${title}’ is back.`;
    })));
};

const act = (word, what, key, disabled, work) => el("button",
  { "data-key": key, "aria-label": `${word} ${clean(what)}`, disabled: disabled ? "" : undefined,
    on: () => submit($("#lend"), work) }, word);

// ---- forms

function refuse(form, error) {
  const input = error.field && form.elements[error.field];
  for (const other of form.elements) other.removeAttribute("aria-invalid");
  if (input) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }
  $(".error", form).textContent = clean(error.message);
}

async function submit(form, work) {
  const done = $(".done", form);
  refuse(form, { message: "" });
  if (done) done.textContent = "";
  try {
    const said = await work();
    if (done) done.textContent = clean(said);
  } catch (error) {
    refuse(form, error);
  }
  await refreshBooks();
}

function onSubmit(id, work) {
  const form = document.getElementById(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form, () => work(form, Object.fromEntries(new FormData(form))));
  });
}

onSubmit("send", async (form, { message, level, service }) => {
  await call("/proxy/log", { message, level, service: service || undefined });
  form.elements.message.value = "";
  form.elements.message.focus();
});

onSubmit("filter", async (form, { q }) => {
  query = q.trim();
  last = 0;
  await follow();
});

onSubmit("add", async (form, { title, author, copies, id }) => {
  const book = await call("/proxy/books", { title, author, copies: copies ? Number(copies) : undefined, id: id || undefined });
  form.reset();
  form.elements.title.focus();
  $("#lend .done").textContent = clean(`‘${book.title}’ is on the shelf as ${book.id}.`);
});

// ---- begin

document.documentElement.classList.add("on");
const every = (seconds, work) => {
  work();
  setInterval(() => document.hidden || work(), seconds * 1000);
  document.addEventListener("visibilitychange", () => document.hidden || work());
};
every(5, refreshServices);
every(10, refreshBooks);
setInterval(() => {
  [services, log, books].forEach((section) => section.tick());
  document.querySelectorAll("time.ago").forEach((time) => (time.textContent = ago(time.dateTime)));
}, 1000);
document.addEventListener("visibilitychange", follow);
follow();
