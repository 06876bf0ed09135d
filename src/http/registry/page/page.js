// The runtimes of one user, live. Whatever a runtime says of itself is text, never HTML.
'use strict';

const KEY = 'registry-token';
const RETRY_MS = 2000;
const TYPED = document.getElementById('token');
const byId = (id) => document.getElementById(id);

const runtimes = new Map(); // id -> record
let ide = '';
let session = null; // AbortController of the present stream

function say(text) {
  byId('state').textContent = text;
}

// For those who do not see the list change.
function speak(text) {
  byId('spoken').textContent = text;
}

function tokenFromFragment() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(KEY, given);
    // The token stays neither in the address bar nor in the history.
    history.replaceState(null, '', location.pathname);
  }
}

async function ask(path, token, signal) {
  return fetch(path, { headers: { authorization: `Bearer ${token}` }, cache: 'no-store', signal });
}

function liveUrl(record) {
  const endpoint = `protocol=${record.protocol}&address=${record.address}&type=${record.type}&id=${record.id}`
    + (record.secret ? `&secret=${record.secret}` : '');
  return `${ide}#runtime/endpoint?${encodeURIComponent(endpoint)}`;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  if (className) made.className = className;
  return made;
}

function nameOf(record) {
  return record.label || record.id;
}

function item(record) {
  const li = element('li', '', record.online ? 'online' : '');
  li.dataset.id = record.id;
  const title = element('h2', nameOf(record));
  title.append(element('span', record.online ? 'online' : 'offline', 'presence'));
  li.append(title);
  if (record.description) li.append(element('p', record.description));
  const open = element('a', 'Open live');
  open.href = liveUrl(record);
  open.target = '_blank';
  open.rel = 'noopener noreferrer';
  open.setAttribute('aria-label', `Open live: ${nameOf(record)}`);
  const address = element('p', '');
  address.append(element('code', record.address));
  // When one that is online was seen is not told anew with each ping.
  const seen = record.online ? '' : `, last seen ${new Date(record.seen).toLocaleString()}`;
  li.append(open, address, element('p', `${record.type}, ${record.id}${seen}`, 'facts'));
  return li;
}

// By name, numbers in their order, and those of one name by id.
const names = new Intl.Collator(undefined, { numeric: true });
function compare(a, b) {
  return names.compare(nameOf(a), nameOf(b)) || names.compare(a.id, b.id);
}

function itemOf(id) {
  return document.querySelector(`li[data-id="${CSS.escape(id)}"]`);
}

// One item takes the place of the old one, so that the keyboard's focus stays where it is.
function show(record) {
  const old = itemOf(record.id);
  const focused = old?.contains(document.activeElement);
  const made = item(record);
  old?.remove();
  const after = [...byId('runtimes').children].find((other) => compare(record, runtimes.get(other.dataset.id)) < 0);
  byId('runtimes').insertBefore(made, after ?? null);
  if (focused) made.querySelector('a').focus();
}

function count() {
  const online = [...runtimes.values()].filter((record) => record.online).length;
  byId('none').hidden = runtimes.size > 0;
  say(`Live: ${runtimes.size} registered, ${online} online.`);
}

function showAll(list) {
  runtimes.clear();
  byId('runtimes').replaceChildren();
  for (const record of list.sort(compare)) {
    runtimes.set(record.id, record);
    byId('runtimes').append(item(record));
  }
  count();
}

function happened(kind, data) {
  const record = JSON.parse(data);
  const before = runtimes.get(record.id);
  if (kind === 'delete') {
    runtimes.delete(record.id);
    itemOf(record.id)?.remove();
    if (before) speak(`${nameOf(before)} is gone`);
  } else {
    runtimes.set(record.id, record);
    show(record);
    if (before?.online !== record.online) speak(`${nameOf(record)} is ${record.online ? 'online' : 'offline'}`);
  }
  count();
}

// Server-sent events by fetch: EventSource cannot send the token in a header.
async function follow(body, first) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let greeted = false;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split('\n\n');
    text = messages.pop();
    for (const message of messages) {
      if (!greeted) {
        greeted = true;
        await first();
      }
      const kind = /^event: ?(.*)$/m.exec(message)?.[1];
      const data = [...message.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join('\n');
      if (kind && data) happened(kind, data);
    }
  }
}

async function once(token, signal) {
  ide = (await (await fetch('registry/settings.json', { signal })).json()).ide;
  const stream = await ask('runtimes/events', token, signal);
  if (stream.status === 401) return false;
  if (!stream.ok) throw new Error((await stream.json()).message);
  await follow(stream.body, async () => {
    const list = await ask('runtimes', token, signal);
    if (!list.ok) throw new Error((await list.json()).message);
    showAll(await list.json());
  });
  return true;
}

async function start() {
  const token = sessionStorage.getItem(KEY);
  byId('enter').hidden = Boolean(token);
  byId('leave').hidden = !token;
  if (!token) {
    TYPED.focus();
    return;
  }
  session = new AbortController();
  const { signal } = session;
  while (!signal.aborted) {
    try {
      if (!(await once(token, signal))) {
        leave('The token is not valid: it was typed wrong, or replaced.');
        return;
      }
      say('Connecting again…');
    } catch (error) {
      if (signal.aborted) return;
      const why = `Not connected (${error.message}); trying again…`;
      say(why);
      speak(why);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function leave(why) {
  session?.abort();
  sessionStorage.removeItem(KEY);
  runtimes.clear();
  byId('runtimes').replaceChildren();
  byId('none').hidden = true;
  byId('leave').hidden = true;
  byId('enter').hidden = false;
  say(why);
  speak(why);
  TYPED.focus();
}

byId('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, TYPED.value.trim());
  TYPED.value = '';
  start();
});
byId('leave').addEventListener('click', () => leave('Signed out.'));
window.addEventListener('hashchange', () => {
  if (location.hash.includes('token=')) {
    session?.abort();
    tokenFromFragment();
    start();
  }
});
tokenFromFragment();
start();
